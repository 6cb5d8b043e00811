"""Audit `variants`: sizes and colours of one product that stand in the catalogue as products of their own."""

from typing import ClassVar

import numpy as np

from lingsou.quality.audit import Flags
from lingsou.quality.check import Edit, Severity
from lingsou.quality.columns import Columns
from lingsou.quality.fields import excerpt, visible
from lingsou.quality.matching.variation import stem_of
from lingsou.quality.tally import Problem
from lingsou.text.normalise import normalise

_PROBLEM = Problem(
    "info", "is a size or colour of another product without a common `group_id`", "Give both the same `group_id`."
)
_LEAST_STEM = 8
"""Letters that must be left of the title without size and colour, brand aside; a Chinese character counts for three."""
_MOST_APART = 4.0
"""Variants do not cost so many times what others cost."""
_LARGE = 30
"""So many in one group share a general name rather than a product."""
_SURE, _UNSAID = 0.9, 0.8


class UngroupedVariants:
    """Products of one brand and category whose titles differ in nothing but size, measure or colour.

    Precision before recall: the words must be the same, and at least one of them must say a size or colour that the
    others do not, each another. A group whose products already belong to two groups is left alone.
    """

    id: ClassVar[str] = "variants"
    severity: ClassVar[Severity] = "info"
    cost: ClassVar[str] = "One product fills a page with its sizes and colours, and its clicks and reviews are split."

    def judge(self, columns: Columns) -> list[Flags]:
        """One flag for each variant outside its group, with the `group_id` that it should have."""
        families: dict[tuple[str, tuple[str, ...], str], list[tuple[int, tuple[str, ...]]]] = {}
        for product, title in enumerate(columns.titles):
            brand = normalise(columns.brands[product])
            stem, taken = stem_of(title)
            if _telling(stem, brand):
                families.setdefault((brand, columns.categories[product], stem), []).append((product, taken))
        found = []
        for members in families.values():
            found += _outside(columns, members)
        if not found:
            return []
        found.sort(key=lambda each: (-each[2], each[0]))
        flags = Flags(
            problem=_PROBLEM,
            field="group_id",
            places=np.array([product for product, _, _, _ in found], np.int64),
            confidence=np.array([sure for _, _, sure, _ in found], np.float64),
            evidence=[_shown(columns, other) for _, other, _, _ in found],
            edits=[Edit(field="group_id", value=group) for _, _, _, group in found],
        )
        return [flags]


def _telling(stem: str, brand: str) -> bool:
    own = stem.removeprefix(brand).strip()
    return sum(1 if letter.isascii() else 3 for letter in own if letter.isalnum()) >= _LEAST_STEM


def _outside(columns: Columns, members: list[tuple[int, tuple[str, ...]]]) -> list[tuple[int, int, float, str]]:
    """Of a family: product, another one of it, confidence and group of each that has no group."""
    variants = {taken for _, taken in members}
    groups = {columns.groups[product] for product, _ in members} - {""}
    prices = [columns.prices[product] for product, _ in members if columns.prices[product] > 0]
    # Where two say the same, the words name a kind of product rather than one product.
    if len(variants) < max(len(members), 2) or len(members) > _LARGE or len(groups) > 1:
        return []
    if prices and max(prices) >= _MOST_APART * min(prices):
        return []
    first = members[0][0]
    group = next(iter(groups), columns.ids[first])
    # Where every one of them says what it is, nothing is left to guess.
    sure = _SURE if () not in variants else _UNSAID
    named = next((product for product, _ in members if columns.groups[product]), first)
    found = []
    for product, _ in members:
        if not columns.groups[product]:
            other = named if named != product else members[1][0]
            found.append((product, other, sure, group))
    return found


def _shown(columns: Columns, product: int) -> str:
    title = columns.titles[product]
    return f"'{visible(columns.ids[product])}': {excerpt(title, 0, len(title))}"
