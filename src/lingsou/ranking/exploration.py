"""A few places given to products that would not be seen, so that something is learned of them.

Each slot takes one product at random, all alike likely, from those that stand behind the first `DEPTH` places. The
chance of the choice, its propensity, goes with the hit, so that estimates from the log can be corrected by it.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEPTH, EVERY = 20, 7
"""Slots stand at places 7, 14 … of the first 20: never near the top."""
MOST_SLOTS = DEPTH // EVERY


@dataclass(frozen=True)
class Explored:
    """An order with slots filled. `propensities`: candidate → the chance with which it was put where it stands."""

    order: NDArray[np.intp]
    propensities: dict[int, float]


def explore(order: NDArray[np.intp], slots: int, seed: str) -> Explored:
    """Fill `slots` (at most `MOST_SLOTS`) places. The same seed gives the same choice, so that pages agree."""
    rest = order[DEPTH:]
    slots = min(slots, MOST_SLOTS, len(rest))
    if not slots:
        return Explored(order, {})
    digest = hashlib.sha256(seed.encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    chosen = random.choice(rest, slots, replace=False)
    kept = order[~np.isin(order, chosen)].tolist()
    for slot, candidate in enumerate(chosen.tolist(), 1):
        kept.insert(slot * EVERY - 1, candidate)
    return Explored(np.asarray(kept, np.intp), dict.fromkeys(chosen.tolist(), 1 / len(rest)))
