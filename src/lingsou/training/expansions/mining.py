"""Other names from all that a shop has: its catalogue, its encoder, its log."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.encoders.calibration import group_of
from lingsou.query.expansion import MinedName
from lingsou.query.expansion.table import MinedSource
from lingsou.query.vocabulary import is_asked_for
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter
from lingsou.training.expansions.catalogue import aliases, values_together, variants
from lingsou.training.expansions.neighbours import neighbours
from lingsou.training.expansions.phrases import CataloguePhrases, catalogue_phrases, cells
from lingsou.training.expansions.searches import Asked, co_clicks, reformulations

MOST_PRODUCTS = 20_000
"""Products that are read, evenly spread: enough for every phrase that is worth a name."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

_BATCH = 64
_MOST_NAMES = 6
"""Of one phrase."""
_MOST_CATEGORIES = 1_000
"""That are told apart, the largest; the others count as one."""


@dataclass(frozen=True)
class MiningSettings:
    """Thresholds and weights. The defaults are cautious guesses: on two judged shops none of those tried differed."""

    least_products: int = 5
    most_phrases: int = 4_000
    similarity: float = 0.6
    """Least cosine of two phrases that the encoder alone proposes."""
    agreement: float = 0.5
    """Least affinity of their categories."""
    confirmed: float = 0.3
    """Least cosine of two phrases that the catalogue proposes."""
    cells: int = 128
    """Stand for categories in a shop without."""
    weights: Mapping[MinedSource, float] | None = None
    """Most that a name of a source weighs; none: `WEIGHTS`."""


WEIGHTS: Mapping[MinedSource, float] = {"catalogue": 0.4, "encoder": 0.3, "searches": 0.6, "clicks": 0.5}


@dataclass(frozen=True)
class Mined:
    """What was found, and how many names of each source."""

    names: tuple[MinedName, ...]
    counts: Mapping[str, int]


def mine(
    products: Sequence[Product],
    segmenter: Segmenter,
    *,
    encode: Encode | None = None,
    vectors: Callable[[Sequence[Product]], NDArray[np.float32]] | None = None,
    asked: Asked | None = None,
    clicks: Iterable[tuple[str, str, str]] = (),
    settings: MiningSettings = MiningSettings(),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Mined:
    """Mine names from a shop. Cost: about a minute of one thread at 20,000 products, nearly all of it encoding.

    Args:
        products: at most `MOST_PRODUCTS`; `sample` draws them.
        segmenter: the shop's.
        encode: unit vectors of texts as queries; none: nothing says which words are near, so the log alone speaks.
        vectors: of products, unit length [n, d]; they stand in where fewer than half have a category.
        asked: the searches of the log.
        clicks: (query id, product id, visitor).
        settings: thresholds and weights.
        progress: phrases encoded, of all.
    """
    weights = settings.weights or WEIGHTS
    rows: dict[tuple[str, str], MinedName] = {}

    def add(phrase: str, name: str, source: MinedSource, strength: float, evidence: int, *, both: bool = True) -> None:
        weight = round(weights[source] * min(max(strength, 0.05), 1.0), 3)
        if not 0 < weight < 1:
            return
        for one, other in ((phrase, name), (name, phrase)) if both else ((phrase, name),):
            known = rows.get((one, other))
            if known is None or known.weight < weight:
                rows[one, other] = MinedName(phrase=one, name=other, weight=weight, source=source, evidence=evidence)

    if products and encode is not None:
        _mine_catalogue(products, segmenter, encode, vectors, settings, progress, add)
    led = [*clicks]
    if asked is not None:
        for each in reformulations(asked, (query for query, _, _ in led)):
            add(each.phrase, each.name, "searches", 0.4 + each.share, each.visitors, both=False)
        texts = dict(zip(asked.query_id, asked.text, strict=True))
        for each in co_clicks(texts, led):
            add(each.phrase, each.name, "clicks", 0.4 + each.share, each.visitors, both=False)
    kept: list[MinedName] = []
    of_phrase: Counter[str] = Counter()
    for row in sorted(rows.values(), key=lambda row: (row.phrase, -row.weight, row.name)):
        of_phrase[row.phrase] += 1
        if of_phrase[row.phrase] <= _MOST_NAMES:
            kept.append(row)
    return Mined(tuple(kept), dict(Counter(row.source for row in kept)))


def sample(batches: Iterable[Sequence[Product]], count: int) -> list[Product]:
    """At most `MOST_PRODUCTS` of `count` products that come in batches, evenly spread."""
    step = -(-count // MOST_PRODUCTS) or 1
    found: list[Product] = []
    seen = 0
    for batch in batches:
        found += batch[(-seen) % step :: step]
        seen += len(batch)
    return found[:MOST_PRODUCTS]


def _mine_catalogue(
    products: Sequence[Product],
    segmenter: Segmenter,
    encode: Encode,
    vectors: Callable[[Sequence[Product]], NDArray[np.float32]] | None,
    settings: MiningSettings,
    progress: Callable[[int, int], None],
    add: Callable[[str, str, MinedSource, float, int], None],
) -> None:
    phrases = catalogue_phrases(
        [product.title for product in products],
        _categories(products, vectors, settings.cells),
        segmenter,
        least=settings.least_products,
        most=settings.most_phrases,
    )
    proposed = [(*pair, count) for pair, count in aliases(products).items() if count >= settings.least_products]
    proposed += [(*pair, count) for pair, count in variants(products).items() if count >= 2]
    together = list(values_together(products, least=2 * settings.least_products))
    texts = list(
        dict.fromkeys(
            [*phrases.texts, *(text for one, other, _ in proposed for text in (one, other))]
            + [text for one, other, *_ in together for text in (one, other)]
        )
    )
    if not texts:
        return
    encoded = _encoded(texts, encode, progress)
    place = {text: row for row, text in enumerate(texts)}

    def cosine(one: str, other: str) -> float:
        return float(encoded[place[one]] @ encoded[place[other]])

    for one, other, count in proposed:
        near = cosine(one, other)
        if near >= settings.confirmed and _agree(phrases, one, other, settings.agreement):
            add(one, other, "catalogue", (1 + near) / 2, count)
    for one, other, share, count in together:
        if cosine(one, other) >= settings.confirmed:
            add(one, other, "catalogue", share / 2, count)
    found = neighbours(
        phrases,
        encoded[: len(phrases.texts)],
        _alternatives(products, phrases),
        similarity=settings.similarity,
        affinity=settings.agreement,
    )
    for left, right, near, agreed in found:
        fewer = int(min(phrases.counts[left], phrases.counts[right]))
        add(phrases.texts[left], phrases.texts[right], "encoder", near * agreed, fewer)


def _categories(
    products: Sequence[Product],
    vectors: Callable[[Sequence[Product]], NDArray[np.float32]] | None,
    count: int,
) -> NDArray[np.int64]:
    """A number for each product's category; cells of their vectors where fewer than half have one."""
    if 2 * sum(1 for product in products if product.category) < len(products) and vectors is not None:
        return cells(vectors(products), count)
    frequent = Counter(product.category for product in products).most_common(_MOST_CATEGORIES)
    numbers = {category: number for number, (category, _) in enumerate(frequent)}
    return np.array([numbers.get(product.category, len(numbers)) for product in products], np.int64)


def _agree(phrases: CataloguePhrases, one: str, other: str, least: float) -> bool:
    """Whether both occur in the same categories, as far as both are frequent enough to tell."""
    left, right = phrases.place.get(one), phrases.place.get(other)
    return left is None or right is None or phrases.affinity(left, right) >= least


def _alternatives(products: Iterable[Product], phrases: CataloguePhrases) -> NDArray[np.int64]:
    """The field that each phrase is a value of, the one where most products have it; brands are one field; −1."""
    votes: Counter[tuple[int, str]] = Counter()
    for product in products:
        said = {("brand", product.brand)} if product.brand else set()
        for name, attribute in product.attributes.items():
            value = attribute.value
            if is_asked_for(name) and isinstance(value, str | tuple):
                said.update((name, text) for text in ((value,) if isinstance(value, str) else value))
        folded = ((phrases.place.get(" ".join(normalise(text).split())), name) for name, text in said)
        votes.update((place, name) for place, name in folded if place is not None)
    fields: dict[str, int] = {}
    found = np.full(len(phrases.texts), -1, np.int64)
    for (place, name), _ in votes.most_common()[::-1]:
        found[place] = fields.setdefault(name, len(fields))
    return found


def _encoded(texts: Sequence[str], encode: Encode, progress: Callable[[int, int], None]) -> NDArray[np.float32]:
    """Unit vectors [n, d] of phrases, less the mean of their language."""
    parts = []
    for start in range(0, len(texts), _BATCH):
        parts.append(encode(texts[start : start + _BATCH]))
        progress(min(start + _BATCH, len(texts)), len(texts))
    vectors = np.concatenate(parts).astype(np.float32)
    languages = np.array([group_of(text) for text in texts])
    for language in np.unique(languages):
        own = languages == language
        vectors[own] -= vectors[own].mean(axis=0)
    found: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return found
