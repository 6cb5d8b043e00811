"""What goes into the same basket more often than chance has it."""

from dataclasses import dataclass

import numpy as np

from lingsou.models.association import lift, log_likelihood_ratio
from lingsou.models.sparse_rows import NOTHING, SparseRows, rows_of_arrays
from lingsou.models.transitions import transitions
from lingsou.recommend.interactions import KINDS, Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.neighbours import Neighbours


@dataclass(frozen=True)
class BoughtTogetherSettings:
    """What a basket is, and which pairs count."""

    kinds: tuple[str, ...] = ("purchase",)
    """Interactions that put something into a basket."""
    pause_ms: int = 3_600_000
    """A longer pause between two of them begins another basket."""
    largest: int = 50
    """Items apart in a basket that make a pair, at most: a wholesaler's order says nothing about pairs."""
    significance: float = 10.83
    """The least G²; this one is exceeded by chance once in a thousand pairs."""
    decay: float = 0.8
    """What an item of the history counts, of the one after it."""
    depth: int = 20
    """Latest items of a history (of a cart) that count."""


class BoughtTogether:
    """The source: pairs with a lift above 1 that is significant, by G²."""

    def __init__(self, settings: BoughtTogetherSettings = BoughtTogetherSettings(), name: str = "bought-together"):
        self.settings = settings
        self.name = name
        self._size = 0
        self._evidence = self._lifts = NOTHING

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count pairs in baskets and keep the significant ones."""
        size = len(items)
        starts, bought = self._baskets(interactions)
        counts = transitions(starts, bought, size, window=self.settings.largest, backward=1.0, power=0.0)
        own = np.bincount(bought, minlength=size).astype(np.float64)
        both = counts.values.astype(np.float64)
        one, other = own[counts.rows], own[counts.columns]
        evidence = log_likelihood_ratio(both, one, other, len(starts) - 1)
        lifts = lift(both, one, other, len(starts) - 1)
        kept = (lifts > 1) & (evidence >= self.settings.significance)
        values = SparseRows(counts.starts, counts.columns, evidence.astype(np.float32), size)
        self._evidence = values.keeping(kept)
        self._lifts = SparseRows(counts.starts, counts.columns, lifts.astype(np.float32), size).keeping(kept)
        self._size = size

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Pairs are counted at the next fit."""
        self._size = len(items)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        return self._neighbours().score(histories)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`."""
        return self._neighbours().because(histories, items)

    def lift(self, one: int, other: int) -> float:
        """How many times as often as by chance two items are in one basket; 0 where it is not significant."""
        own = slice(int(self._lifts.starts[one]), int(self._lifts.starts[one + 1]))
        found = self._lifts.values[own][self._lifts.columns[own] == other]
        return float(found[0]) if len(found) else 0.0

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return {**self._evidence.arrays("evidence"), **self._lifts.arrays("lifts")}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._evidence, self._lifts = rows_of_arrays(state, "evidence"), rows_of_arrays(state, "lifts")
        self._size = len(self._evidence)

    def _neighbours(self) -> Neighbours:
        same = np.ones(self._size, np.float32)
        return Neighbours((self._evidence,), same, same, self.settings.decay, self.settings.depth)

    def _baskets(self, interactions: Interactions) -> tuple[Ints, Ints]:
        """Where each basket starts and the last ends, [baskets + 1], and the items, each once in a basket."""
        only = interactions.where(np.isin(interactions.kinds, [KINDS.index(kind) for kind in self.settings.kinds]))
        users, size = only.users, only.n_items
        begins = np.ones(len(users), np.bool_)
        begins[1:] = (users[1:] != users[:-1]) | (np.diff(only.times) > self.settings.pause_ms)
        basket = np.cumsum(begins) - 1
        count = int(basket[-1]) + 1 if len(basket) else 0
        pairs = np.unique(basket * size + only.items)
        return np.searchsorted(pairs, np.arange(count + 1) * size), pairs % size
