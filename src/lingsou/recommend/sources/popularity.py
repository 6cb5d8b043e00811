"""What most shoppers act on, and what they act on more than before: for everybody, so there is always something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lingsou.models.association import burst
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items

DAY_MS = 86_400_000


@dataclass(frozen=True)
class PopularitySettings:
    """How popularity fades."""

    half_life_days: float = 30.0


class Popularity:
    """Decayed counts of interactions. New ones are added as if they had been there at the fit."""

    grid: ClassVar[Mapping[str, Sequence[float]]] = {"half_life_days": (30.0, 7.0, 120.0)}
    fitted: ClassVar[frozenset[str]] = frozenset({"half_life_days"})

    def __init__(self, settings: PopularitySettings = PopularitySettings(), name: str = "popularity"):
        self.settings = settings
        self.name = name
        self._counts = np.zeros(0)
        self._latest = 0

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count them, each as it looks at the time of the latest."""
        self._latest = int(interactions.times.max(initial=0))
        self._counts = self._counted(interactions.items, interactions.times, len(items))

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Add the new ones."""
        fresh = interactions.where(interactions.ages < np.repeat(new, interactions.lengths))
        latest = max(self._latest, int(fresh.times.max(initial=0)))
        counts = np.zeros(len(items))
        counts[: len(self._counts)] = self._counts * self._fading(latest - self._latest)
        self._latest = latest
        self._counts = counts + self._counted(fresh.items, fresh.times, len(items))

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`: the same row for everybody."""
        return np.tile(self._counts.astype(np.float32), (len(histories), 1))

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """No item of the history is the reason."""
        return np.full(items.shape, -1, np.int64)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return {"counts": self._counts, "latest": np.array([self._latest])}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._counts, self._latest = state["counts"], int(state["latest"][0])

    def _counted(self, items: Ints, times: Ints, n_items: int) -> NDArray[np.float64]:
        return np.bincount(items, self._fading(self._latest - times), minlength=n_items).astype(np.float64)

    def _fading(self, ages: Ints | int) -> NDArray[np.float64]:
        return np.asarray(0.5 ** (np.asarray(ages) / (self.settings.half_life_days * DAY_MS)))


@dataclass(frozen=True)
class TrendingSettings:
    """Which periods are compared."""

    days: float = 7.0
    """The recent period."""
    before_days: float = 28.0
    """The period before it."""
    significance: float = 10.83
    """The least G²; this one is exceeded by chance once in a thousand items that did not change."""


class Trending:
    """Items whose share of all interactions has grown significantly, by how surely it has.

    A burst is relative to the whole shop's, so a busy week makes nothing trend. Events are kept for both periods.
    """

    def __init__(self, settings: TrendingSettings = TrendingSettings(), name: str = "trending"):
        self.settings = settings
        self.name = name
        self._items, self._times = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._bursts = np.zeros(0, np.float32)

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Keep the events of both periods and compare them."""
        self._take(interactions.items, interactions.times, len(items))

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Add the new ones; what has become too old goes."""
        fresh = interactions.ages < np.repeat(new, interactions.lengths)
        taken = np.concatenate([self._items, interactions.items[fresh]])
        self._take(taken, np.concatenate([self._times, interactions.times[fresh]]), len(items))

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`: the same row for everybody."""
        return np.tile(self._bursts, (len(histories), 1))

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """No item of the history is the reason."""
        return np.full(items.shape, -1, np.int64)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return {"items": self._items, "times": self._times, "bursts": self._bursts}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._items, self._times, self._bursts = state["items"], state["times"], state["bursts"]

    def _take(self, items: Ints, times: Ints, n_items: int) -> None:
        own = self.settings
        ages = (times.max(initial=0) - times) / DAY_MS
        kept = ages < own.days + own.before_days
        self._items, self._times = items[kept], times[kept]
        late = ages[kept] < own.days
        recent = np.bincount(self._items[late], minlength=n_items).astype(np.float64)
        before = np.bincount(self._items[~late], minlength=n_items).astype(np.float64)
        found = burst(recent, before, float(late.mean()) if len(late) else 1.0)
        self._bursts = np.where(found >= own.significance, found, 0).astype(np.float32)
