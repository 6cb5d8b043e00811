"""Vectors of items from who stands near whom: a random start that spreads over the graph of items a few times.

Source: subspace iteration stopped early, as in Chen et al., "Fast and Accurate Network Embeddings via Very Sparse
Random Projection" (FastRP), CIKM 2019. Few steps keep what is particular to an item; many leave only what whole
departments have in common.
"""

import numpy as np
from numpy.typing import NDArray

from lingsou.models.sparse_rows import SparseRows

Floats = NDArray[np.float32]

_CELLS = 1 << 22
"""Numbers that are gathered at once."""
_SPARE = 16
"""Columns beyond those kept: what is cut off is the least certain."""


def graph_embedding(weights: SparseRows, width: int, *, steps: int = 3, stay: float = 0.5, seed: int = 1) -> Floats:
    """Unit vectors [items, width]; random ones for items without neighbours.

    Args:
        weights: how near items are to each other, symmetric, [items, items].
        width: of the vectors.
        steps: of spreading.
        stay: what an item keeps of itself at each step, beside its neighbours' 1.
        seed: of the random start.

    Cost: `steps` × entries × width.
    """
    items = len(weights)
    random = np.random.default_rng(seed)
    start = random.standard_normal((items, min(width + _SPARE, max(items, 1))), dtype=np.float32)
    degrees = np.bincount(weights.rows, weights.values, minlength=items)
    scale = (1.0 / np.sqrt(np.maximum(degrees, 1.0))).astype(np.float32)
    near = weights.scaled(scale, scale)
    basis = start
    for _ in range(steps):
        basis = np.linalg.qr(product(near, basis) + np.float32(stay) * basis)[0]
    left, strengths, _ = np.linalg.svd(product(near, basis) + np.float32(stay) * basis, full_matrices=False)
    vectors = np.zeros((items, width), np.float32)
    kept = min(width, left.shape[1])
    vectors[:, :kept] = left[:, :kept] * np.sqrt(strengths[:kept])
    alone = degrees == 0
    vectors[alone] = random.standard_normal((int(alone.sum()), width), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def product(rows: SparseRows, dense: Floats) -> Floats:
    """Sparse [R, C] times dense [C, d]: [R, d], in blocks of entries."""
    result = np.zeros((len(rows), dense.shape[1]), np.float32)
    most = max(1, _CELLS // max(dense.shape[1], 1))
    some = np.flatnonzero(rows.lengths)
    ends = rows.starts[some + 1]
    first = 0
    while first < len(some):
        begin = int(rows.starts[some[first]])
        last = max(first + 1, int(np.searchsorted(ends, begin + most, "right")))
        end = int(ends[last - 1])
        terms = dense[rows.columns[begin:end]] * rows.values[begin:end, None]
        result[some[first:last]] = np.add.reduceat(terms, rows.starts[some[first:last]] - begin)
        first = last
    return result
