"""What is usual: whether products of a kind have an attribute, and how large its numbers are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute
from lingsou.quality.attributes.calibration import calibrated
from lingsou.quality.attributes.neighbours import Neighbours
from lingsou.quality.attributes.vocabulary import is_number
from lingsou.quality.columns import Category
from lingsou.quality.prices import MIN_ROWS, likely_factor, usual

_MOST_OUTSIDE = 0.02

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def expected(like: Neighbours, has: NDArray[np.bool_]) -> Floats:
    """The chance that each product has an attribute, by those most like it, [N].

    The share of its neighbours, weighed by squared cosine, calibrated on all products; none is its own neighbour.

    Args:
        like: neighbours of N products.
        has: which of them have the attribute, [N].
    """
    weights = np.where(like.places >= 0, like.cosines**2, 0.0)
    shares = (weights * has[like.places]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    return calibrated(shares, has, shares)


@dataclass(frozen=True)
class Outlier:
    """A number far outside those of its category."""

    place: int
    given: Attribute
    median: float
    products: int
    """So many numbers the median is of."""
    category: Category
    """Whose numbers they are; empty: all of the catalogue."""
    factor: int
    """10, 100 or 1,000 where a slip by it explains the number; else 0."""


def outliers(attributes: Sequence[Mapping[str, Attribute]], name: str, categories: Sequence[Category]) -> list[Outlier]:
    """Positive numbers at least ten times and six robust spreads from the median of their category and unit, by place.

    A category with fewer than 30 numbers is judged by its parent's, in the end by the whole catalogue's. Where more
    than 2 % lie outside, the category has several kinds of products, and none is told. Robust centre
    and spread are those of prices (`lingsou.quality.prices`).

    Args:
        attributes: of N products.
        name: of the attribute.
        categories: of the N products.
    """
    groups: dict[tuple[str | None, Category], list[int]] = {}
    for place, each in enumerate(attributes):
        attribute = each.get(name)
        if attribute is not None and is_number(attribute.value) and _number(attribute) > 0:
            path = categories[place]
            for depth in range(len(path) + 1):
                groups.setdefault((attribute.unit, path[:depth]), []).append(place)
    known = {
        group: usual(np.array([_number(attributes[place][name]) for place in places]))
        for group, places in groups.items()
        if len(places) >= MIN_ROWS
    }
    found = []
    for group, places in groups.items():
        if group not in known:
            continue
        norm = known[group]
        values = np.array([_number(attributes[place][name]) for place in places])
        if float(((values < norm.low) | (values > norm.high)).mean()) > _MOST_OUTSIDE:
            continue
        for place in places:
            attribute = attributes[place][name]
            whole = categories[place]
            path = next(
                whole[:depth] for depth in range(len(whole), -1, -1) if (attribute.unit, whole[:depth]) in known
            )
            value = _number(attribute)
            if path == group[1] and not norm.low <= value <= norm.high:
                found.append(Outlier(place, attribute, norm.median, norm.rows, path, likely_factor(value, norm)))
    return sorted(found, key=lambda each: each.place)


def _number(attribute: Attribute) -> float:
    assert isinstance(attribute.value, int | float)
    return float(attribute.value)
