"""What this shopper bought before and may need again about now."""

from dataclasses import dataclass

import numpy as np

from lingsou.models.replenishment import Replenishment, replenishment
from lingsou.recommend.interactions import KINDS, Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.sources.popularity import DAY_MS

_BOUGHT = KINDS.index("purchase")


@dataclass(frozen=True)
class ReplenishSettings:
    """What counts as buying again."""

    horizon_days: float = 7.0
    """The chance of a purchase within so many days is the score."""
    least_days: float = 1.0
    """Two purchases of an item that are nearer are one."""


class Replenish:
    """The source: scores are chances, 0 to 1, of items of the history alone. Ask with `seen=True`."""

    def __init__(self, settings: ReplenishSettings = ReplenishSettings(), name: str = "replenish"):
        self.settings = settings
        self.name = name
        self._size = 0
        self._model: Replenishment | None = None

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Learn who comes back and when, of each item."""
        size = len(items)
        users, bought, times = self._purchases(interactions)
        again = (users[1:] == users[:-1]) & (bought[1:] == bought[:-1])
        pauses = (np.diff(times) / DAY_MS)[again]
        pairs, counts = np.unique(users * size + bought, return_counts=True)
        self._model = replenishment(
            bought[1:][again],
            pauses,
            np.bincount(pairs % size, minlength=size),
            np.bincount(pairs[counts > 1] % size, minlength=size),
        )
        self._size = size

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """New purchases reach it through the history; new items are scored after the next fit."""
        self._size = len(items)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`: the chance of a purchase within the horizon from `histories.now`."""
        scores = np.zeros((len(histories), self._size), np.float32)
        users, bought, times = self._purchases(histories)
        known = np.zeros(0, np.bool_) if self._model is None else bought < len(self._model.share)
        if self._model is not None and known.any():
            users, bought, times = users[known], bought[known], times[known]
            last = np.append((users[1:] != users[:-1]) | (bought[1:] != bought[:-1]), True)
            users, bought, times = users[last], bought[last], times[last]
            ends = histories.times[histories.starts[users + 1] - 1] if histories.now is None else histories.now
            days = np.maximum((ends - times) / DAY_MS, 0.0)
            scores[users, bought] = self._model.chance(bought, days, self.settings.horizon_days)
        return scores

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """The reason is the earlier purchase of the item itself."""
        scores = self.score(histories)
        rows = np.arange(len(items))[:, None]
        return np.where((items >= 0) & (scores[rows, np.maximum(items, 0)] > 0), items, -1)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        model = self._model or Replenishment(np.zeros(0), np.zeros(0), np.zeros(0))
        return {"share": model.share, "mean": model.mean, "spread": model.spread}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._model = Replenishment(state["share"], state["mean"], state["spread"])
        self._size = len(self._model.share)

    def _purchases(self, interactions: Interactions) -> tuple[Ints, Ints, Ints]:
        """Users, items and times by user, item and time; those soon after another of the same item left out."""
        only = interactions.where(interactions.kinds == _BOUGHT)
        users, items, times = only.users, only.items, only.times
        order = np.lexsort((times, items, users))
        users, items, times = users[order], items[order], times[order]
        same = (users[1:] == users[:-1]) & (items[1:] == items[:-1])
        soon = same & (np.diff(times) < self.settings.least_days * DAY_MS)
        kept = np.concatenate([np.ones(min(len(users), 1), np.bool_), ~soon])
        return users[kept], items[kept], times[kept]
