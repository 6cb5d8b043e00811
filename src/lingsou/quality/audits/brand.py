"""Audit `brand`: the title names another brand, or one where the product has none; spellings of one brand."""

from typing import ClassVar

import numpy as np

from lingsou.quality.attributes.brands import Brands, Named
from lingsou.quality.audit import Flags
from lingsou.quality.check import Edit, Severity
from lingsou.quality.columns import Columns
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem

_WRONG = Problem(
    "error", "the title names another brand", "Give the product the brand that its title names, or mend the title."
)
_MISSING = Problem("warning", "no brand, though the title names one", "Give the product that brand.")
_SPELLING = Problem("warning", "another spelling of a brand", "Write the brand as most products write it.")
_LEAST_RELIABILITY = 0.5
_LEAST_PRODUCTS = 50
"""Smaller catalogues say nothing of how reliable a brand in a title is."""


class BrandAudit:
    """Learns from the catalogue's own brands which of them titles name reliably: `Puma` does, `Next` often does not."""

    id: ClassVar[str] = "brand"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = (
        "Shoppers who filter by a brand miss its products and find those of others; two spellings split it."
    )

    def judge(self, columns: Columns) -> list[Flags]:
        """Flags by problem."""
        if len(columns) < _LEAST_PRODUCTS:
            return []
        brands = Brands(columns)
        wrong, missing, spelt = [], [], []
        for place, given in enumerate(columns.brands):
            known = brands.spellings.get(given)
            if known is not None:
                spelt.append((known[1], place, f"{_short(given)}; most write {_short(known[0])}", known[0]))
            named = [each for each in brands.named(place) if each.reliability >= _LEAST_RELIABILITY]
            best = max(named, key=lambda each: each.reliability, default=None)
            if best is None:
                continue
            if not given.strip():
                missing.append((best.reliability, place, _title(columns, place), best.brand))
            elif not _fits(brands, columns, place, given, named):
                evidence = f"brand {_short(given)}, title {_title(columns, place)}"
                wrong.append((best.reliability, place, evidence, best.brand))
        return [
            _flags(problem, found)
            for problem, found in ((_WRONG, wrong), (_MISSING, missing), (_SPELLING, spelt))
            if found
        ]


def _fits(brands: Brands, columns: Columns, place: int, given: str, named: list[Named]) -> bool:
    """Whether title or texts name the given brand too, or a named one is part of it, as `HRX` of `HRX by Hrithik`."""
    usual = brands.usual(given)
    if any(brands.names(usual, each.brand) or brands.names(each.brand, usual) for each in named):
        return True
    return brands.names(columns.titles[place], usual) or brands.names(columns.titles[place], given)


def _title(columns: Columns, place: int) -> str:
    return f"“{excerpt(columns.titles[place], 0, 60)}”"


def _short(brand: str) -> str:
    return f"“{excerpt(brand, 0, 16)}”"


def _flags(problem: Problem, found: list[tuple[float, int, str, str]]) -> Flags:
    found = sorted(found, key=lambda each: (-each[0], each[1]))
    return Flags(
        problem,
        "brand",
        np.array([place for _, place, _, _ in found], np.int64),
        np.array([sure for sure, _, _, _ in found], np.float64),
        [evidence for _, _, evidence, _ in found],
        [Edit(field="brand", value=brand) for _, _, _, brand in found],
    )
