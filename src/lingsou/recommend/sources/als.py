"""Matrix factorisation by alternating least squares; a user's factors follow from the history at the time of asking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lingsou.models.als import als, fold_in
from lingsou.models.sparse_rows import SparseRows, from_entries
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items


@dataclass(frozen=True)
class AlsSettings:
    """What the model is fitted with."""

    factors: int = 64
    regularisation: float = 0.1
    """λ"""
    confidence: float = 10.0
    """c − 1 of what was acted on; once more for each time that it was."""
    iterations: int = 15
    decay: float = 0.9
    """At the time of asking, c − 1 of an item of the history, of the one after it."""
    depth: int = 100
    """Latest items of a history that count."""


class Als:
    """The source. New events reach it through the history; items are learnt at the next fit."""

    grid: ClassVar[Mapping[str, Sequence[float]]] = {"decay": (0.9, 0.6, 1.0)}
    fitted: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: AlsSettings = AlsSettings(), name: str = "als", seed: int = 1):
        self.settings = settings
        self.name = name
        self._seed = seed
        self._factors = np.zeros((0, settings.factors), np.float32)

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Learn the factors of the items."""
        own = self.settings
        confidence = _confidence(interactions, np.full(len(interactions.items), own.confidence), len(items))
        self._factors = als(
            confidence,
            own.factors,
            regularisation=own.regularisation,
            iterations=own.iterations,
            seed=self._seed,
        )

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """New items have no factors before the next fit."""
        grown = np.zeros((len(items), self._factors.shape[1]), np.float32)
        grown[: len(self._factors)] = self._factors
        self._factors = grown

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        return np.asarray(np.maximum(self._users(histories) @ self._factors.T, 0), np.float32)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the item of the history whose factors are nearest."""
        factors = self._factors / np.maximum(np.linalg.norm(self._factors, axis=1, keepdims=True), 1e-12)
        found = np.full(items.shape, -1, np.int64)
        recent = histories.last(self.settings.depth)
        for user in range(len(recent)):
            sources = recent.items[int(recent.starts[user]) : int(recent.starts[user + 1])]
            if len(sources):
                terms = factors[sources] @ factors[np.maximum(items[user], 0)].T * (items[user] >= 0)
                best = terms.argmax(axis=0)
                found[user] = np.where(terms.max(axis=0) > 0, sources[best], -1)
        return found

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return {"factors": self._factors}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._factors = state["factors"]

    def _users(self, histories: Interactions) -> Floats:
        recent = histories.last(self.settings.depth)
        weights = self.settings.confidence * self.settings.decay**recent.ages
        confidence = _confidence(recent, weights, len(self._factors))
        return fold_in(confidence, self._factors, self.settings.regularisation)


def _confidence(interactions: Interactions, weights: NDArray[np.floating], n_items: int) -> SparseRows:
    rows = from_entries(interactions.users, interactions.items, weights, (len(interactions), n_items))
    return SparseRows(rows.starts, rows.columns, rows.values + 1, n_items)
