"""When something that was bought will be bought again.

A share p of the buyers of an item buys it again at all; their pauses are log-normal with distribution F. So the chance
of a purchase within the next h days, t days after the last, is

    p · (F(t + h) − F(t)) / (1 − p · F(t))

Both share and pauses of an item are drawn towards those of the whole shop, the more the fewer they are. Source of the
idea: Bhagat, Muralidharan, Lobzhanidze & Vishwanath, "Buy It Again: Modeling Repeat Purchase Recommendations", KDD
2018.
"""

from dataclasses import dataclass
from math import erf

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_PRIOR = 5.0
"""Buyers, and pauses, that the shop's mean is worth."""
_LEAST_SPREAD = 0.1
_erf = np.vectorize(erf, otypes=[np.float64])


@dataclass(frozen=True)
class Replenishment:
    """Of each item: the share of buyers who come back, and mean and spread of the logarithm of their pauses in days."""

    share: Floats
    """[items], 0 to 1."""
    mean: Floats
    """[items]"""
    spread: Floats
    """[items]"""

    def chance(self, items: Ints, days: Floats, horizon: float) -> Floats:
        """Of a purchase within `horizon` days, so many days after the last one: [n], 0 to 1."""
        share = self.share[items]
        now, then = self._returned(items, days), self._returned(items, days + horizon)
        return np.asarray(share * (then - now) / np.maximum(1 - share * now, 1e-12))

    def _returned(self, items: Ints, days: Floats) -> Floats:
        deviation = (np.log(np.maximum(days, 1e-6)) - self.mean[items]) / self.spread[items]
        return np.asarray((1 + _erf(deviation / np.sqrt(2))) / 2)


def replenishment(pause_items: Ints, pauses: Floats, buyers: Ints, returned: Ints) -> Replenishment:
    """Fit.

    Args:
        pause_items: the item of each pause between two purchases by the same shopper, [pauses].
        pauses: days, above 0, [pauses].
        buyers: who bought each item, [items].
        returned: and how many of them more than once, [items].
    """
    share = (returned + _PRIOR * returned.sum() / max(buyers.sum(), 1)) / (buyers + _PRIOR)
    logs = np.log(pauses)
    mean = float(logs.mean()) if len(logs) else np.log(30.0)
    variance = float(logs.var()) if len(logs) else 1.0
    size = len(buyers)
    count = np.bincount(pause_items, minlength=size)
    own_mean = (np.bincount(pause_items, logs, minlength=size) + _PRIOR * mean) / (count + _PRIOR)
    squares = np.bincount(pause_items, (logs - own_mean[pause_items]) ** 2, minlength=size)
    spread = np.sqrt((squares + _PRIOR * variance) / (count + _PRIOR))
    return Replenishment(share, own_mean, np.maximum(spread, _LEAST_SPREAD))
