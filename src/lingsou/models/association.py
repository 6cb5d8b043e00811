"""How surely two items are bought together more often than by chance."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_likelihood_ratio(both: Floats, one: Floats, other: Floats, total: float) -> Floats:
    """G² of the 2 × 2 tables of pairs: about χ² with one degree of freedom where two items are independent, [pairs].

    Above 3.84 for one pair of 20 by chance, above 10.83 for one of 1,000. Source: Dunning, "Accurate Methods for the
    Statistics of Surprise and Coincidence", Computational Linguistics 1993.

    Args:
        both: baskets with both items, [pairs].
        one: baskets with the first, [pairs].
        other: baskets with the second, [pairs].
        total: all baskets.
    """
    cells = (both, one - both, other - both, total - one - other + both)
    expected = (
        one * other / total,
        one * (total - other) / total,
        (total - one) * other / total,
        (total - one) * (total - other) / total,
    )
    found = np.zeros_like(both)
    for seen, by_chance in zip(cells, expected, strict=True):
        where = seen > 0
        found[where] += 2 * seen[where] * np.log(seen[where] / by_chance[where])
    return np.maximum(found, 0)  # rounding


def lift(both: Floats, one: Floats, other: Floats, total: float) -> Floats:
    """How many times as often as by chance two items come together, [pairs]."""
    return both * total / (one * other)


def burst(recent: Floats, before: Floats, share: float) -> Floats:
    """G² of a count against what it would be if nothing had changed; 0 where it did not grow, [items].

    Args:
        recent: events of each item in the recent period, [items].
        before: in the period before it.
        share: of all events in both periods, how many are recent: what an item that did not change has too.
    """
    total = recent + before
    grown = recent > share * total
    found = np.zeros_like(recent)
    a, b, n = recent[grown], before[grown], total[grown]
    found[grown] = 2 * a * np.log(a / (share * n))
    found[grown] += 2 * np.where(b > 0, b * np.log(np.maximum(b, 1e-12) / ((1 - share) * n)), 0)
    return np.maximum(found, 0)
