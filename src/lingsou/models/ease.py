"""EASE: the linear item-to-item model whose weights have a closed form.

Sources: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019; with attributes as further rows of the
training matrix: Jeunen, Van Balen & Goethals, "Closed-Form Models for Collaborative Filtering with Side-Information",
RecSys 2020 (the collective model).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.models.sparse_rows import Ints, SparseRows, gathered

_BLOCK = 512


def ease(gram: NDArray[np.float32], neighbours: int) -> SparseRows:
    """Weights [items, items] from each item of a history to each recommended one, the largest positive of each row.

    Cost: items³ operations and no memory beside the Gram matrix, which is overwritten.

    Args:
        gram: XᵀX + λI, [items, items], symmetric; Fortran order saves a copy.
        neighbours: weights kept of each row.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    lapack = require("scipy", "rank", "scipy.linalg.lapack")
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, singular = lapack.spotri(factor, lower=1, overwrite_c=1)
    assert not failed, "XᵀX + λI is positive definite"
    assert not singular, "XᵀX + λI is positive definite"
    diagonal = inverse.diagonal().copy()
    size = len(inverse)

    def rows() -> Iterator[tuple[Ints, Ints, NDArray[np.float32]]]:
        for first in range(0, size, _BLOCK):
            last = min(first + _BLOCK, size)
            # Only the lower triangle is filled: the columns left of the block, and the block's own columns below it.
            block = np.zeros((last - first, size), np.float32)
            block[:, :last] = inverse[first:last, :last]
            block[:, first:] = np.where(
                np.arange(first, size) > np.arange(first, last)[:, None],
                inverse[first:, first:last].T,
                block[:, first:],
            )
            block /= -diagonal
            block[np.arange(last - first), np.arange(first, last)] = 0
            kept = min(neighbours, size)
            columns = np.argpartition(-block, kept - 1, axis=1)[:, :kept]
            values = np.take_along_axis(block, columns, axis=1)
            own, place = np.nonzero(values > 0)
            yield own + first, columns[own, place].astype(np.int64), values[own, place]

    return gathered(rows(), (size, size))
