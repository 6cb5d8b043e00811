"""Which prices lie far outside those of their category: arrays in, bounds out.

Prices spread by factors, so everything here is about their logarithms. Centre and spread are the median and the
median absolute deviation, which up to half of the prices may spoil without moving them far (Rousseeuw & Croux,
"Alternatives to the median absolute deviation", JASA 88, 1993).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_ROWS = 30
"""Fewer prices than this say nothing about what is usual; the parent category is asked instead."""

_TO_SIGMA = 1.4826  # the median absolute deviation of a normal distribution, in its standard deviations
_SIGMAS = 6.0
_LEAST_SPREAD = 0.1  # of goods that all cost the same
_LEAST_FACTOR = 10.0


@dataclass(frozen=True)
class Usual:
    """What prices of one category are like; prices outside `[low, high]` are outliers."""

    median: float
    spread: float
    low: float
    high: float
    rows: int


def usual(prices: NDArray[np.float64]) -> Usual:
    """Centre and bounds of `prices` (rows,), all above 0, at least one.

    A price must be ten times the median or more away from it, and six spreads: in a category of wide prices ten
    times is nothing unusual.
    """
    logs = np.log(prices)
    centre = float(np.median(logs))
    spread = max(_LEAST_SPREAD, _TO_SIGMA * float(np.median(np.abs(logs - centre))))
    reach = max(math.log(_LEAST_FACTOR), _SIGMAS * spread)
    return Usual(math.exp(centre), spread, math.exp(centre - reach), math.exp(centre + reach), len(prices))


def likely_factor(price: float, known: Usual) -> int:
    """10, 100 or 1,000 where a slip of the decimal point by it explains `price` best; 0 where none does."""
    away = abs(math.log(price / known.median))
    misses = {factor: abs(away - math.log(factor)) for factor in (10, 100, 1000)}
    best = min(misses, key=misses.__getitem__)
    return best if misses[best] <= max(known.spread, math.log(1.5)) else 0
