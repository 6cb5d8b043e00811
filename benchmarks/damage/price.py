"""Prices times ten, 5 % and 1 % of each column of prices: the audit `unlikely-price` and the obvious baseline.

Each column is scored as though it were the price. Baseline: how far the logarithm of the price lies above the median
of its category, else of its brand, else of all, in spreads (median absolute deviation) of these.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.damage.inject import price_times
from benchmarks.damage.scoring import FIRST, ranked, scored
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.quality.audit import findings
from lingsou.quality.audits.price import FACTORS, LINE, UnlikelyPrice, chances_of_slips
from lingsou.quality.columns import columns_of
from lingsou.quality.prices import usual

RATES = (0.05, 0.01)
FEW = 5


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """By column and rate: the whole order, and what is flagged as too high."""
    if not shop.products:
        return None
    if not shop.prices:
        return {"not_scored": "there is no column of prices"}
    return {
        name: {f"{rate:.0%}": _measured(products, rate, seed) for rate in RATES}
        for name, products in shop.prices.items()
    }


def _measured(products: Sequence[Product], rate: float, seed: int) -> dict[str, Any]:
    damaged = price_times(products, rate, seed)
    columns = columns_of(enumerate(damaged.products, 1))
    wrong = chances_of_slips(columns)
    if wrong is None:
        return {"not_scored": "too few prices"}
    chance = wrong.max(axis=1)
    high = np.array(FACTORS)[wrong.argmax(axis=1)] > 1
    order = np.argsort(-chance, kind="stable")
    return {
        "audit": ranked(np.where(high, chance, 0.0), damaged.truth),
        "baseline": ranked(_baseline(damaged.products), damaged.truth),
        "flags": scored([place for place in order.tolist() if high[place] and chance[place] >= LINE], damaged.truth),
    }


def _baseline(products: Sequence[Product]) -> NDArray[np.float64]:
    logs = np.log([float(product.price or 1) for product in products])
    groups: dict[str, list[int]] = {}
    for place, product in enumerate(products):
        groups.setdefault(" > ".join(product.category) or product.brand, []).append(place)
    doubts = np.empty(len(products))
    everything = usual(np.exp(logs))
    for places in groups.values():
        known = usual(np.exp(logs[places])) if len(places) >= FEW else everything
        doubts[places] = (logs[places] - np.log(known.median)) / known.spread
    return doubts


def on_clean(shop: Shop) -> list[str]:
    """The first flags on the catalogue as it is, one a line."""
    columns = columns_of(enumerate(shop.products, 1))
    found = [
        finding
        for each in UnlikelyPrice().judge(columns)
        for finding in islice(findings(UnlikelyPrice(), columns, each), FIRST)
    ]
    found.sort(key=lambda finding: -finding.confidence)
    return [f"{finding.confidence:.2f} {finding.evidence} | {finding.repair}" for finding in found]
