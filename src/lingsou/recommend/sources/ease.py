"""EASE, with attributes: weights between items that reconstruct histories best, in closed form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lingsou.encoders.optional import require
from lingsou.models.ease import ease
from lingsou.models.sparse_rows import NOTHING, SparseRows, from_entries, rows_of_arrays
from lingsou.recommend.attributes import tf_idf
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.neighbours import Neighbours


@dataclass(frozen=True)
class EaseSettings:
    """What the model is fitted with."""

    regularisation: float = 200.0
    """λ: added to each item's own count."""
    attributes: float = 1.0
    """What the likeness of two items' attributes counts, where each shared user counts 1."""
    most_items: int = 12_500
    """Only so many, the most popular, have weights: time grows with their cube, memory (4 bytes) with the square."""
    neighbours: int = 200
    """Weights kept of each item."""
    decay: float = 0.8
    """What an item of the history counts, of the one after it."""
    depth: int = 50
    """Latest items of a history that count."""


class Ease:
    """The source. New events reach it through the history; weights are learnt at the next fit."""

    grid: ClassVar[Mapping[str, Sequence[float]]] = {"decay": (0.8, 0.5, 1.0)}
    fitted: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: EaseSettings = EaseSettings(), name: str = "ease"):
        self.settings = settings
        self.name = name
        self._weights = NOTHING
        self._size = 0

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Solve for the weights.

        Raises:
            MissingExtraError: SciPy is not installed.
        """
        own, size = self.settings, len(items)
        of_item = from_entries(
            interactions.items, interactions.users, np.ones(len(interactions.items)), (size, len(interactions))
        )
        chosen = np.sort(np.argsort(-of_item.lengths, kind="stable")[: own.most_items])
        gram = np.zeros((len(chosen), len(chosen)), np.float32, order="F")
        binary = SparseRows(of_item.starts, of_item.columns, np.ones_like(of_item.values), of_item.n_columns)
        _add_gram(gram, binary.of(chosen), 1.0)
        if own.attributes:
            _add_gram(gram, tf_idf(items, 1.0).of(chosen), own.attributes)
        gram[np.diag_indices(len(chosen))] += np.float32(own.regularisation)
        small = ease(gram, own.neighbours)
        rows, columns = chosen[small.rows], chosen[small.columns]
        self._weights, self._size = from_entries(rows, columns, small.values, (size, size)), size

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """New items have no weights before the next fit."""
        self._size = len(items)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        return self._neighbours().score(histories)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`."""
        return self._neighbours().because(histories, items)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return self._weights.arrays("weights")

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._weights = rows_of_arrays(state, "weights")
        self._size = len(self._weights)

    def _neighbours(self) -> Neighbours:
        same = np.ones(self._size, np.float32)
        return Neighbours((self._weights,), same, same, self.settings.decay, self.settings.depth)


def _add_gram(gram: Floats, rows: SparseRows, weight: float) -> None:
    """Add weight · MMᵀ of rows M [items, anything] to the Gram matrix [items, items], in place and in blocks."""
    sparse = require("scipy", "rank", "scipy.sparse")
    matrix = sparse.csr_matrix(
        (rows.values, rows.columns, rows.starts), shape=(len(rows), rows.n_columns), dtype=np.float32
    )
    for first in range(0, len(gram), _BLOCK):
        block = slice(first, first + _BLOCK)
        gram[:, block] += np.float32(weight) * (matrix @ matrix[block].T).toarray()


_BLOCK = 512
