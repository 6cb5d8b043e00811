"""Audit `near-duplicate`: products that are the same thing listed twice."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.audit import Flags
from lingsou.quality.check import Severity
from lingsou.quality.columns import Columns
from lingsou.quality.fields import excerpt, visible
from lingsou.quality.matching.clusters import clusters
from lingsou.quality.matching.records import Records, records_of_columns
from lingsou.quality.matching.unlabelled import likely_pairs
from lingsou.quality.matching.variation import told_apart
from lingsou.quality.tally import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_REPAIR = "Keep one of the two, or write into the title what tells them apart."
_SAME_TEXT = Problem("warning", "says the same as another product", _REPAIR)
_LIKELY = Problem("warning", "is probably another listing of the same product", _REPAIR)
_MAYBE = Problem("info", "may be another listing of the same product", _REPAIR)
_PROBABLY = 0.6
_SAME_PRICE = 1.05
_SURE, _OTHER_PRICE = 0.99, 0.7
"""Confidence where every word is the same: at one price, and at two."""


class NearDuplicates:
    """Learns from the catalogue alone what a second listing looks like, and flags all but one of each product.

    The fullest listing stays. Different trade item numbers, two model numbers of one brand, and two numbers, sizes or
    colours keep products apart. Products of one `group_id` are variants, and none of them is flagged for another.
    """

    id: ClassVar[str] = "near-duplicate"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "Copies crowd other products out of the first page, and split clicks, reviews and stock."

    def judge(self, columns: Columns) -> list[Flags]:
        """Flags by problem: every word the same; probably the same; perhaps the same."""
        found = second_listings(columns)
        parts = {
            _SAME_TEXT: [each for each in found if each.same_text],
            _LIKELY: [each for each in found if not each.same_text and each.confidence >= _PROBABLY],
            _MAYBE: [each for each in found if not each.same_text and each.confidence < _PROBABLY],
        }
        return [_flags(columns, problem, part) for problem, part in parts.items() if part]


class SecondListing(NamedTuple):
    """A product that stands in the catalogue already. Places are positions in the columns."""

    product: int
    kept: int
    """The fullest listing of the same product."""
    confidence: float
    same_text: bool
    """Every word is the same; else it was learned."""


def second_listings(columns: Columns) -> list[SecondListing]:
    """Every product but the fullest listing of each, the surest first.

    Raises:
        MissingExtraError: SciPy or LightGBM is not installed.
    """
    records = records_of_columns(columns)
    first = _first_of_text(columns, records)
    texts = np.unique(first)
    place = np.searchsorted(texts, first)
    group, chance = _grouped(columns, records.take(texts), texts)
    fullness = _fullness(columns)
    members: dict[int, list[int]] = {}
    for product, own in enumerate(group[place].tolist()):
        members.setdefault(own, []).append(product)
    found = []
    for listed in members.values():
        kept = max(listed, key=lambda product: (fullness[product], -product))
        for product in listed:
            # Products of one group meet in the same words, or by way of a third; variants they stay.
            if product != kept and not _one_group(columns, product, kept):
                same = bool(first[product] == first[kept])
                sure = _same_text(columns, product, kept) if same else float(chance[place[product]])
                found.append(SecondListing(product, kept, sure, same))
    return sorted(found, key=lambda each: (-each.confidence, each.product))


def _first_of_text(columns: Columns, records: Records) -> Ints:
    """The first product with the same words, category aside, and no contradiction in codes or attributes: [N]."""
    known: dict[tuple[object, ...], int] = {}
    found = []
    for product in range(len(records)):
        said = (records.texts[product], records.titles[product], records.gtins[product], records.mpns[product])
        found.append(known.setdefault((*said, columns.groups[product]), product))
    return np.array(found, np.int64)


def _grouped(columns: Columns, records: Records, kept: Ints) -> tuple[Ints, Floats]:
    """The cluster of each record, and the probability that holds it there: [n] each."""
    pairs = likely_pairs(records)
    told = (
        _apart(columns, int(kept[one]), int(kept[other])) for one, other in zip(pairs.left, pairs.right, strict=True)
    )
    apart = np.fromiter(told, bool, len(pairs.left))
    left, right, chances = pairs.left[~apart], pairs.right[~apart], pairs.probabilities[~apart]
    group = clusters(records, left, right, chances, pairs.threshold)
    chance = np.zeros(len(records))
    within = (group[left] == group[right]) & (chances >= pairs.threshold)
    for side in (left, right):
        np.maximum.at(chance, side[within], chances[within])
    return group, chance


def _apart(columns: Columns, one: int, other: int) -> bool:
    """Variants of one product, or products that an attribute tells apart."""
    return _one_group(columns, one, other) or told_apart(columns.attributes[one], columns.attributes[other])


def _one_group(columns: Columns, one: int, other: int) -> bool:
    return bool(columns.groups[one]) and columns.groups[one] == columns.groups[other]


def _fullness(columns: Columns) -> list[int]:
    """How many fields and attributes each product has."""
    fields = (columns.texts, columns.brands, columns.categories, columns.images, columns.eans, columns.mpns)
    filled = [[bool(value) for value in field] for field in (*fields, (~np.isnan(columns.prices)).tolist())]
    return [sum(own) + len(attributes) for *own, attributes in zip(*filled, columns.attributes, strict=True)]


def _same_text(columns: Columns, product: int, kept: int) -> float:
    """Two prices may stand for two variants that do not say what they are."""
    mine, yours = columns.prices[product], columns.prices[kept]
    apart = mine > yours * _SAME_PRICE or yours > mine * _SAME_PRICE
    return _OTHER_PRICE if apart else _SURE


def _flags(columns: Columns, problem: Problem, found: Sequence[SecondListing]) -> Flags:
    return Flags(
        problem=problem,
        field="title",
        places=np.array([each.product for each in found], np.int64),
        confidence=np.array([each.confidence for each in found], np.float64),
        evidence=[_shown(columns, each.kept) for each in found],
        edits=[None] * len(found),
    )


def _shown(columns: Columns, product: int) -> str:
    title = columns.titles[product]
    return f"'{visible(columns.ids[product])}': {excerpt(title, 0, len(title))}"
