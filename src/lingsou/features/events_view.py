"""What shoppers did before a moment, as ranking features see it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COUNTED = ("impression", "click", "cart", "purchase")
"""Actions that make a product popular, in the order of `EventView.counts`."""

DAYS = (1.0, 7.0, 30.0)
"""Mean lives of the counts. At a steady rate each count is what a sharp window of so many days would hold."""

RANKS = 12
"""Places in a list that are told apart: 1 to 10, 11 to 20, and beyond."""

LOOKS = 10.0
"""How many looks the prior of a click rate is worth."""

CLICKS = 20.0
"""How many clicks the prior of a conversion is worth."""

WORTH = {"click": 1.0, "detail": 1.0, "cart": 3.0, "purchase": 5.0}
"""What one action says about a shopper's liking, beside a click."""

_HALF_LIFE_DAYS = 14.0
_PAUSE_S = 1_800.0


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Facts:
    """What a product was when a shopper acted on it."""

    id: str
    brand: str = ""
    category: str = ""
    """Path joined by ` > `."""
    price: float = float("nan")
    sizes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trail:
    """The last m deliberate actions of one shopper, oldest first."""

    facts: tuple[Facts, ...]
    actions: tuple[str, ...]
    age_s: Floats
    """Seconds before the request, [m], above 0."""

    def __len__(self) -> int:
        return len(self.facts)

    @property
    def weights(self) -> Floats:
        """What each action says about liking, [m]: its worth, halved every two weeks."""
        worth = np.asarray([WORTH[action] for action in self.actions])
        return np.asarray(worth * 0.5 ** (self.age_s / 86_400 / _HALF_LIFE_DAYS))

    def session(self) -> "Trail":
        """What was done since the last pause of more than half an hour, until the request."""
        pauses = np.flatnonzero(-np.diff(self.age_s, append=0.0) > _PAUSE_S)
        start = int(pauses[-1]) + 1 if len(pauses) else 0
        return Trail(self.facts[start:], self.actions[start:], self.age_s[start:])


@dataclass(frozen=True)
class EventView:
    """The log as it was just before one request, for its n candidates. All arrays are float64.

    Every count decays: an action counts exp(−age / mean life).
    """

    counts: Floats
    """[n, len(COUNTED), len(DAYS)]"""
    shown: Floats
    """[n, RANKS]: how often searches showed the product at each place, mean life 30 days."""
    clicked: Floats
    """[n, RANKS]: and how often it was clicked there."""
    query_shown: Floats
    """[n, RANKS]: the same in searches of the same words."""
    query_clicked: Floats
    examination: Floats
    """[RANKS]: how likely a shopper looks at a place, the first being 1."""
    base_ctr: float
    """Clicks for each look, over all products."""
    base_conversion: float
    """Purchases for each click, over all products."""
    trail: Trail | None = None
    """Of the shopper; none: unknown, new, or without consent to a personal order."""

    def only(self, rows: Sequence[int]) -> "EventView":
        """The view of some of the candidates, in that order."""
        chosen = list(rows)
        return replace(
            self,
            counts=self.counts[chosen],
            shown=self.shown[chosen],
            clicked=self.clicked[chosen],
            query_shown=self.query_shown[chosen],
            query_clicked=self.query_clicked[chosen],
        )

    def ctr(self) -> Floats:
        """Clicks for each look [n], position bias taken out, smoothed towards the shop's mean.

        The position-based model's ratio: impressions count as much as their place is looked at.
        """
        looks = self.shown @ self.examination
        return np.asarray((self.clicked.sum(axis=1) + LOOKS * self.base_ctr) / (looks + LOOKS))

    def query_ctr(self) -> Floats:
        """The same among searches of the same words [n], smoothed towards `ctr`."""
        looks = self.query_shown @ self.examination
        return np.asarray((self.query_clicked.sum(axis=1) + LOOKS * self.ctr()) / (looks + LOOKS))

    def conversion(self) -> Floats:
        """Purchases for each click in 30 days [n], smoothed towards the shop's mean."""
        clicks = self.counts[:, COUNTED.index("click"), -1]
        bought = self.counts[:, COUNTED.index("purchase"), -1]
        return np.asarray((bought + CLICKS * self.base_conversion) / (clicks + CLICKS))

    def popularity(self, days: float) -> Floats:
        """Logarithm of 1 + clicks, carts and purchases by worth [n]."""
        worth = np.asarray([WORTH.get(action, 0.0) for action in COUNTED])
        return np.asarray(np.log1p(worth @ self.counts[:, :, DAYS.index(days)].T))
