"""Nearest past sessions: for shoppers of whom nothing is known but the session that they are in.

What was looked at last, and lately by others, matters most. A shopper's history is cut into sessions where it paused.
"""

from dataclasses import replace

import numpy as np

from lingsou.models.session_knn import STAN, VSKNN, Found, SessionIndex, SessionKnnSettings, Sessions
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.sessions import new_in_sessions, sessions_of

__all__ = ["STAN", "VSKNN", "SessionKnn", "SessionKnnSettings"]

_LONGEST = 50
"""Clicks of a session that are looked at, the latest."""
_BLOCK = 64
"""Sessions answered at once: enough to share the cost of array operations, few enough for the processor's cache."""


class SessionKnn:
    """The source; updates are exact once a session is complete.

    Ages are counted in sessions, so that a busy week counts as much in a small shop as a busy hour in a large one:
    `settings.age` is a share of all sessions known.
    """

    def __init__(self, settings: SessionKnnSettings = STAN, name: str = "session-knn"):
        self.settings = settings
        self.name = name
        self._index = SessionIndex()

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Index all sessions, by the time of their last interaction."""
        self._index = SessionIndex().extended(_ordered(interactions, 0), len(items))

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Take up what is new, each session's with the one click before it: a part of a session, until the next fit.

        So every step from click to click is taken up once, however often a running session is told of.
        """
        sessions, new = new_in_sessions(interactions, new)
        kept = np.where(new > 0, new + 1, 0)
        fresh = sessions.where(sessions.ages < np.repeat(kept, sessions.lengths))
        self._index = self._index.extended(_ordered(fresh, len(self._index)), len(items))

    def state(self) -> Arrays:
        """As `Stored.state`."""
        known = self._index.sessions
        size = np.array([self._index.n_items])
        return {"starts": known.starts, "items": known.items, "times": known.times, "size": size}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`; the inverted lists are made anew, in a fraction of a second for a million clicks."""
        known = Sessions(state["starts"], state["items"], state["times"])
        self._index = SessionIndex().extended(known, int(state["size"][0]))

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        index, recent = self._index, histories.last(_LONGEST)
        scores = np.zeros((len(histories), index.n_items), np.float32)
        for first in range(0, len(recent), _BLOCK):
            block = recent.block(first, min(first + _BLOCK, len(recent)))
            found = self._vote(index, block)
            scores[first + found.queries, found.items] = found.scores
        return scores

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the item of the session that alone would score it highest, as late as it was."""
        index, found = self._index, np.full(items.shape, -1, np.int64)
        recent = histories.last(_LONGEST)
        for row in range(len(recent)):
            own = recent.items[int(recent.starts[row]) : int(recent.starts[row + 1])]
            if not len(own):
                continue
            alone = index.vote(np.arange(len(own) + 1), own, self._absolute(index))
            table = np.zeros((len(own), index.n_items), np.float32)
            table[alone.queries, alone.items] = alone.scores
            weights = self._weights(len(own))
            terms = table[:, np.maximum(items[row], 0)] * weights[:, None] * (items[row] >= 0)
            best = terms.argmax(axis=0)
            found[row] = np.where(terms.max(axis=0) > 0, own[best], -1)
        return found

    def _vote(self, index: SessionIndex, block: Interactions) -> Found:
        return index.vote(block.starts, block.items, self._absolute(index))

    def _absolute(self, index: SessionIndex) -> SessionKnnSettings:
        age = self.settings.age
        return self.settings if age is None else replace(self.settings, age=max(age * len(index), 1.0))

    def _weights(self, length: int) -> Floats:
        steps = np.arange(length)[::-1]
        position = self.settings.position
        weights = (length - steps) / length if position is None else np.exp(-steps / position)
        return (weights * (1.0 + steps) ** -self.settings.match).astype(np.float32)


def _ordered(interactions: Interactions, first: int) -> Sessions:
    """The sessions of more than one click, by the time of the last; as times, numbers from `first` on."""
    interactions = sessions_of(interactions)
    some = np.flatnonzero(interactions.lengths > 1)
    ends = interactions.times[interactions.starts[some + 1] - 1]
    ordered = interactions.of(some[np.argsort(ends, kind="stable")])
    return Sessions(ordered.starts, ordered.items, np.arange(first, first + len(ordered), dtype=np.float64))
