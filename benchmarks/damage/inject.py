"""Put faults into a catalogue: which products, and what they were, is decided by the seed alone.

Every function takes products, the share to damage and a seed, and leaves the products that it got as they are.
"""

import html
import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product

Ints = NDArray[np.int64]

WORD_DROP, WORD_SWAP, BRAND_DROP, PRICE_NOISE = 0.2, 0.2, 0.3, 0.05
"""Noise of a duplicate: the chance that each word is dropped, that one pair of neighbouring words is swapped, that the
brand is removed from field and title; and how far the price may move. Each duplicate also has one typo."""

Charset = Literal["latin-1", "gb18030"]
CHARSETS: tuple[Charset, ...] = get_args(Charset)


@dataclass(frozen=True)
class Damaged:
    """A catalogue with faults."""

    products: list[Product]
    truth: Ints
    """Positions of the faulty products, ascending, [f]."""
    originals: list[Product]
    """What each of them was, f of them; of a duplicate, the product that it was made from."""


def wrong_category(products: Sequence[Product], rate: float, seed: int) -> Damaged:
    """The whole path of another product whose main category, drawn evenly among the others, is another."""
    paths: dict[str, list[tuple[str, ...]]] = {}
    for product in products:
        if product.category:
            paths.setdefault(product.category[0], []).append(product.category)

    def fault(product: Product, rng: random.Random) -> Product:
        main = rng.choice([name for name in paths if name != product.category[0]])
        return product.model_copy(update={"category": rng.choice(paths[main])})

    return _each(products, rate, seed, "wrong category", fault, lambda product: bool(product.category))


def price_times(products: Sequence[Product], rate: float, seed: int, factor: Decimal = Decimal(10)) -> Damaged:
    """The price times ten, or whatever `factor` says."""

    def fault(product: Product, rng: random.Random) -> Product:
        assert product.price is not None
        return product.model_copy(update={"price": round(product.price * factor, 2)})

    return _each(products, rate, seed, "price", fault, lambda product: bool(product.price))


def dropped_attribute(products: Sequence[Product], name: str, rate: float, seed: int) -> Damaged:
    """The attribute `name` is missing on products that had it."""

    def fault(product: Product, rng: random.Random) -> Product:
        left = {key: value for key, value in product.attributes.items() if key != name}
        return product.model_copy(update={"attributes": left})

    return _each(products, rate, seed, "dropped", fault, lambda product: name in product.attributes)


def swapped_brand(products: Sequence[Product], rate: float, seed: int) -> Damaged:
    """The brand of another product, drawn at random, that is another brand; the title stays."""
    brands = [product.brand for product in products if product.brand]

    def fault(product: Product, rng: random.Random) -> Product:
        brand = product.brand
        while brand.casefold() == product.brand.casefold():
            brand = rng.choice(brands)
        return product.model_copy(update={"brand": brand})

    return _each(products, rate, seed, "brand", fault, lambda product: bool(product.brand))


def mojibake(products: Sequence[Product], rate: float, seed: int, charset: Charset) -> Damaged:
    """Title and texts, as UTF-8, read in `charset`; only products with a letter beyond ASCII come into question.

    Bytes that `charset` does not know become the replacement character, as programs do it.
    """

    def misread(text: str) -> str:
        return text.encode().decode(charset, errors="replace")

    def fault(product: Product, rng: random.Random) -> Product:
        return product.model_copy(update={name: misread(getattr(product, name)) for name in _TEXTS})

    return _each(products, rate, seed, charset, fault, lambda product: not product.title.isascii())


def with_html(products: Sequence[Product], rate: float, seed: int) -> Damaged:
    """The title in a tag, with a tag or an entity between two words, or escaped once too often."""

    def fault(product: Product, rng: random.Random) -> Product:
        words = product.title.split(" ")
        place = rng.randrange(len(words) + 1)
        title = rng.choice(
            [
                f"<{(tag := rng.choice(['b', 'p', 'span', 'strong', 'h1']))}>{product.title}</{tag}>",
                " ".join(
                    [*words[:place], rng.choice(["<br>", "<br />", "</p><p>", "&nbsp;", "&amp;"]), *words[place:]]
                ),
                html.escape(f"{product.title} <br>"),
            ]
        )
        return product.model_copy(update={"title": title})

    return _each(products, rate, seed, "html", fault, lambda product: not set("<&") & set(product.title))


def duplicated(products: Sequence[Product], rate: float, seed: int) -> Damaged:
    """So many more products at random places of the catalogue, each made of another with noise and with its own id.

    `truth` are the places of the new ones; `originals` those that they were made from.
    """
    rng = _rng(seed, "duplicates")
    chosen = rng.sample(range(len(products)), round(rate * len(products)))
    made = [(_noisy(products[place], f"duplicate-{n}", rng), products[place]) for n, place in enumerate(chosen)]
    mixed: list[tuple[Product, Product | None]] = [(product, None) for product in products] + list(made)
    rng.shuffle(mixed)
    truth = [place for place, (_, original) in enumerate(mixed) if original is not None]
    return Damaged(
        [product for product, _ in mixed],
        np.array(truth, np.int64),
        [original for _, original in mixed if original is not None],
    )


_TEXTS = ("title", "short_description", "description")


def _each(
    products: Sequence[Product],
    rate: float,
    seed: int,
    kind: str,
    fault: Callable[[Product, random.Random], Product],
    possible: Callable[[Product], bool],
) -> Damaged:
    """`fault` on a share of the products for which it is `possible`."""
    rng = _rng(seed, kind)
    places = [place for place, product in enumerate(products) if possible(product)]
    truth = sorted(rng.sample(places, round(rate * len(places))))
    damaged = list(products)
    for place in truth:
        damaged[place] = fault(products[place], rng)
    return Damaged(damaged, np.array(truth, np.int64), [products[place] for place in truth])


def _noisy(product: Product, id_: str, rng: random.Random) -> Product:
    """Another listing of the same product; what would give it away (codes, link of the image) is gone."""
    title = product.title
    values: dict[str, Any] = {}
    if product.brand and rng.random() < BRAND_DROP:
        kept = " ".join(title.replace(product.brand, " ").split())
        title, values = kept or title, {"brand": ""}
    words = title.split(" ")
    words = [word for word in words if rng.random() >= WORD_DROP] or words
    if len(words) > 1 and rng.random() < WORD_SWAP:
        place = rng.randrange(len(words) - 1)
        words[place : place + 2] = words[place + 1], words[place]
    values |= {"id": id_, "title": _typo(" ".join(words), rng), "ean": (), "mpn": "", "sku": "", "images": ()}
    if product.price is not None:
        moved = float(product.price) * rng.uniform(1 - PRICE_NOISE, 1 + PRICE_NOISE)
        values["price"] = Decimal(f"{moved:.2f}")
    return product.model_copy(update=values)


def _typo(text: str, rng: random.Random) -> str:
    """One letter left out, doubled, replaced, or swapped with the next."""
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    if len(places) < 2:
        return text
    place = rng.choice(places)
    before, letter, after = text[:place], text[place], text[place + 1 :]
    return rng.choice(
        [
            before + after,
            before + letter * 2 + after,
            before + rng.choice(string.ascii_lowercase) + after,
            before + after[:1] + letter + after[1:],
        ]
    )


def _rng(seed: int, kind: str) -> random.Random:
    return random.Random(f"{seed} {kind}")
