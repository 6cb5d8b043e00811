"""The same products as another seller might have written them: what a matcher without labels learns from."""

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.matching.records import Records

Ints = NDArray[np.int64]
_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{1,2}|[^\s\u3400-\u4dbf\u4e00-\u9fff]+|\s+")
_MOST_DROPPED, _MOST_MOVED, _MOST_ADDED, _MOST_TYPOS = 0.5, 3, 2, 3
_MOST_PRICE_SPREAD = 0.25
_COMMON = 0.005
"""A word that so many titles have may be added to any: it tells no product from another."""


@dataclass
class _Columns:
    titles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    brands: list[str] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)


def noisy(records: Records, places: Ints, seed: int) -> Records:
    """Copies of the records at `places` [m], each written otherwise: M records without codes.

    How much is changed is itself drawn for each copy, from nothing to a text that is hard to know again, because nobody
    knows beforehand how careless a shop's second listings are: up to half of the words left out, up to three moved, up
    to two common ones added, up to three typing errors; the brand gone from its field, and from the title
    too, or not; the rest of the text whole, cut or gone; the price some per cent off.
    """
    rng = np.random.default_rng(seed)
    counts = Counter(word for title in records.titles for word in dict.fromkeys(title.split()) if word.isalpha())
    common = [word for word, count in counts.items() if count >= _COMMON * len(records)]
    made = _Columns()
    for place in places.tolist():
        title, brand = records.titles[place], records.brands[place]
        rest = records.texts[place].removeprefix(title)
        if brand and rng.random() < 0.4:
            rest = rest.replace(brand, " ", 1)
            if rng.random() < 0.6:
                title = title.replace(brand, " ").strip() or title
            brand = ""
        title = _rewritten(title, common, rng)
        made.titles.append(title)
        made.texts.append(f"{title} {_shortened(rest, rng)}".strip())
        made.brands.append(brand)
        spread = rng.uniform(0, _MOST_PRICE_SPREAD)
        made.prices.append(float(records.prices[place]) * float(np.exp(rng.normal(0, spread))))
    count = len(places)
    return Records(
        ids=[""] * count,
        titles=made.titles,
        texts=made.texts,
        brands=made.brands,
        prices=np.array(made.prices, np.float64),
        gtins=[frozenset[str]()] * count,
        mpns=[""] * count,
    )


def _rewritten(title: str, common: list[str], rng: np.random.Generator) -> str:
    words = [word for word in _WORD.findall(title) if not word.isspace()]
    apart = " " if " " in title else ""
    haste = rng.uniform(0.2, 1)  # who takes time changes little
    kept = rng.random(len(words)) >= rng.uniform(0, _MOST_DROPPED * haste)
    words = [word for word, stays in zip(words, kept.tolist(), strict=True) if stays] or words
    for _ in range(_few(_MOST_MOVED, haste, rng) if len(words) > 1 else 0):
        word = words.pop(int(rng.integers(len(words))))
        words.insert(int(rng.integers(len(words) + 1)), word)
    for _ in range(_few(_MOST_ADDED, haste, rng) if apart and common else 0):
        words.insert(int(rng.integers(len(words) + 1)), common[int(rng.integers(len(common)))])
    text = apart.join(words)
    for _ in range(_few(_MOST_TYPOS, haste, rng)):
        text = _mistyped(text, rng)
    return text


def _few(most: int, haste: float, rng: np.random.Generator) -> int:
    return int(rng.binomial(most, haste * 0.6))


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """A letter left out, put twice, taken for another of the text, or a space forgotten."""
    if len(text) < 3:
        return text
    place = int(rng.integers(len(text)))
    kind = int(rng.integers(3))
    put = ("", text[place] * 2, text[int(rng.integers(len(text)))].strip())[kind]
    return text[:place] + put + text[place + 1 :]


def _shortened(rest: str, rng: np.random.Generator) -> str:
    fate = rng.random()
    if fate < 0.45:
        return rest
    return rest[: int(len(rest) * rng.uniform(0.1, 0.9))] if fate < 0.75 else ""
