"""Items that speak for other items: what every item-to-item source scores and explains with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.models.sparse_rows import SparseRows
from lingsou.recommend.interactions import Floats, Interactions, Ints


@dataclass(frozen=True)
class Neighbours:
    """Score of item j for a history: target weight of j · Σ over its items i of
    decay^age · source weight of i · rows[i, j].

    The rows may come in several parts that add up, as updates leave them.
    """

    parts: Sequence[SparseRows]
    """Each [items, items] or smaller: items that came later have no row."""
    source: Floats
    """[items]"""
    target: Floats
    """[items]"""
    decay: float
    """For each step back in the history, 0 to 1."""
    depth: int
    """So many of the latest items of a history are looked at."""

    def score(self, histories: Interactions) -> Floats:
        """Dense [B, items]."""
        recent = histories.last(self.depth)
        weights = (self.decay**recent.ages * self.source[recent.items]).astype(np.float32)
        total = np.zeros((len(histories), len(self.target)), np.float32)
        for part in self.parts:
            known = recent.items < len(part)
            total[:, : part.n_columns] += part.sums(
                recent.users[known], recent.items[known], weights[known], len(histories)
            )
        total *= self.target
        return total

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """The history's item with the largest term for each of the items, [B, k]; −1 where no term is above 0."""
        recent = histories.last(self.depth)
        weights = self.decay**recent.ages * self.source[recent.items]
        found = np.full(items.shape, -1, np.int64)
        for user in range(len(histories)):
            own = slice(int(recent.starts[user]), int(recent.starts[user + 1]))
            terms = self._between(recent.items[own], items[user]) * weights[own, None]
            if len(terms):
                best = terms.argmax(axis=0)
                spoken = terms[best, np.arange(items.shape[1])] > 0
                found[user, spoken] = recent.items[own][best[spoken]]
        return found

    def _between(self, sources: Ints, targets: Ints) -> Floats:
        """The rows' values for sources [m] and targets [k], dense [m, k]."""
        values = np.zeros((len(sources), len(targets)), np.float32)
        for part in self.parts:
            known = np.flatnonzero(sources < len(part))
            values[known] += part.between(sources[known], targets)
        return values
