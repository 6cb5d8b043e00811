"""Walks on the graph of items that stood near each other: for shoppers of whom only the session is known.

A shopper's history is cut into sessions where it paused.
"""

from dataclasses import dataclass, replace

import numpy as np

from lingsou.models.item_walk import balanced, walk
from lingsou.models.sparse_rows import NOTHING, SparseRows, added, rows_of_arrays
from lingsou.models.transitions import transitions
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.sessions import new_in_sessions, sessions_of


@dataclass(frozen=True)
class ItemWalkSettings:
    """The graph, and how far a walk goes. The defaults were best on held-out training sessions of Diginetica."""

    window: int = 4
    """Clicks apart at which two items are neighbours, at most; each counts 1 / clicks apart."""
    age: float | None = 0.35
    """A session counts exp(−its age / age), both as shares of the sessions known, by time; none: 1."""
    power: float = 0.5
    """Of an item's weight in the graph, divided by on both sides."""
    smoothing: float = 0.3
    """Added to that weight."""
    decay: float = 0.6
    """What a click counts as the walk's start, of the one after it."""
    stay: float = 0.2
    """What a click itself counts as its recommendation: shoppers return."""
    second: float = 4.0
    """What two steps count, of one."""
    most: int = 200
    """Items that the second step goes on from, at most."""
    depth: int = 20
    """Latest clicks of a history that count."""


_DEFAULT = ItemWalkSettings()


class ItemWalk:
    """The source; updates add to the graph as new sessions do."""

    def __init__(self, settings: ItemWalkSettings = _DEFAULT, name: str = "item-walk"):
        self.settings = settings
        self.name = name
        self._counts = self._steps = NOTHING

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count who stood near whom."""
        own, size = self.settings, len(items)
        interactions = sessions_of(interactions)
        some = np.flatnonzero(interactions.lengths > 1)
        ends = interactions.times[interactions.starts[some + 1] - 1]
        ordered = interactions.of(some[np.argsort(ends, kind="stable")])
        counts = [self._pairs(replace(part, n_items=size), None, weight) for part, weight in _aged(ordered, own.age)]
        self._counts = added(counts, (size, size))
        self._steps = balanced(self._counts, own.power, own.smoothing)

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Add the pairs of which one is new, at full weight; what was there ages at the next fit."""
        size = len(items)
        sessions, new = new_in_sessions(interactions, new)
        fresh = self._pairs(replace(sessions, n_items=size), new, 1.0)
        self._counts = added([self._counts, fresh], (size, size))
        self._steps = balanced(self._counts, self.settings.power, self.settings.smoothing)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return self._counts.arrays("counts")

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._counts = rows_of_arrays(state, "counts")
        self._steps = balanced(self._counts, self.settings.power, self.settings.smoothing)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        own, recent = self.settings, histories.last(self.settings.depth)
        weights = (own.decay**recent.ages).astype(np.float32)
        return walk(
            self._steps,
            recent.users,
            recent.items,
            weights,
            len(recent),
            stay=own.stay,
            second=own.second,
            most=own.most,
        )

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the click from which alone most would arrive."""
        found = np.full(items.shape, -1, np.int64)
        own, recent = self.settings, histories.last(self.settings.depth)
        for row in range(len(recent)):
            clicks = recent.block(row, row + 1)
            count = len(clicks.items)
            if not count:
                continue
            weights = (own.decay**clicks.ages).astype(np.float32)
            alone = walk(
                self._steps,
                np.arange(count),
                clicks.items,
                weights,
                count,
                stay=own.stay,
                second=own.second,
                most=own.most,
            )
            terms = alone[:, np.maximum(items[row], 0)] * (items[row] >= 0)
            best = terms.argmax(axis=0)
            found[row] = np.where(terms.max(axis=0) > 0, clicks.items[best], -1)
        return found

    def _pairs(self, sessions: Interactions, new: Ints | None, weight: float) -> SparseRows:
        counts = transitions(
            sessions.starts, sessions.items, sessions.n_items, window=self.settings.window, backward=1.0, new=new
        )
        return SparseRows(counts.starts, counts.columns, counts.values * np.float32(weight), counts.n_columns)


_PARTS = 50
"""Groups of sessions of like age that are counted together."""


def _aged(ordered: Interactions, age: float | None) -> list[tuple[Interactions, float]]:
    """Groups of sessions, oldest first, and the weight of each."""
    if age is None or len(ordered) < _PARTS:
        return [(ordered, 1.0)]
    edges = np.linspace(0, len(ordered), _PARTS + 1).astype(np.int64)
    shares = 1.0 - (np.arange(_PARTS) + 0.5) / _PARTS
    weights = np.exp(-shares / age)
    return [
        (ordered.block(int(low), int(high)), float(weight))
        for low, high, weight in zip(edges[:-1], edges[1:], weights, strict=True)
    ]
