"""Slices: kinds of queries, for a difference that an average hides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lingsou.core.types import Product
from lingsou.text.language import detect

LEAST = 5
"""Queries of a slice below which nothing is said about it."""

MOST_CATEGORIES = 12
OTHER = "other"
_LENGTHS = ((1, "1 term"), (2, "2 terms"), (4, "3–4 terms"))


@dataclass(frozen=True)
class Slice:
    """Some of the queries: `places` are theirs in the sequence that was sliced."""

    dimension: str
    name: str
    places: tuple[int, ...]


def slices(
    queries: Sequence[str],
    *,
    counts: Mapping[str, float],
    categories: Mapping[str, str],
    terms: Callable[[str], Sequence[str]],
) -> list[Slice]:
    """Cut by language, frequency, category and length. A dimension that all queries share a value of is left out.

    Args:
        queries: their texts.
        counts: how often each is asked, or whatever else tells head from tail; absent: 0.
        categories: of each; absent: none.
        terms: cuts a text into index terms.
    """
    dimensions: dict[str, list[str]] = {
        "language": [str(detect(query)) for query in queries],
        "frequency": head_and_tail([counts.get(query, 0.0) for query in queries]),
        "category": _frequent([categories.get(query, "") for query in queries]),
        "length": [_length(len(terms(query))) for query in queries],
    }
    found = []
    for dimension, values in dimensions.items():
        names = sorted(set(values), key=lambda name: (name == OTHER, -values.count(name), name))
        if len(names) > 1:
            found += [
                Slice(dimension, name, tuple(place for place, value in enumerate(values) if value == name))
                for name in names
            ]
    return found


def head_and_tail(counts: Sequence[float]) -> list[str]:
    """`head` for the most frequent ones that together make half of everything, `tail` for the rest.

    Those of one frequency stay together, so where all are as frequent, all are head.
    """
    reached, half, least = 0.0, sum(counts) / 2, 0.0
    for count in sorted(counts, reverse=True):
        reached, least = reached + count, count
        if reached >= half:
            break
    return ["head" if count >= least else "tail" for count in counts]


def category_of(grades: Mapping[str, float], products: Mapping[str, Product]) -> str:
    """The top category that the relevant products gain most in; empty where none has one."""
    gains: dict[str, float] = {}
    for id_, grade in grades.items():
        product = products.get(id_)
        if grade > 0 and product and product.category:
            gains[product.category[0]] = gains.get(product.category[0], 0.0) + 2**grade - 1
    return min(gains, key=lambda name: (-gains[name], name), default="")


def _frequent(values: Sequence[str]) -> list[str]:
    named = sorted(set(values) - {""}, key=lambda name: (-values.count(name), name))[:MOST_CATEGORIES]
    return [value if value in named else OTHER for value in values]


def _length(terms: int) -> str:
    return next((name for most, name in _LENGTHS if terms <= most), "5 terms or more")
