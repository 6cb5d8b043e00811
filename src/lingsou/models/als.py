"""Alternating least squares for implicit feedback.

    min over x, y of Σ c(u, i) (p(u, i) − x(u) · y(i))² + λ (Σ|x(u)|² + Σ|y(i)|²)

over all users u and items i, with p = 1 and c > 1 where u acted on i, else p = 0 and c = 1.

Source: Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
"""

import numpy as np
from numpy.typing import NDArray

from lingsou.models.sparse_rows import SparseRows

Floats = NDArray[np.float32]
_CELLS = 1 << 20
"""Numbers in the dense histories that are solved for at once."""


def als(confidence: SparseRows, factors: int, *, regularisation: float, iterations: int, seed: int) -> Floats:
    """Factors of the items, float32 [items, factors]; those of users follow from their histories by `fold_in`.

    Cost: iterations × (interactions × factors² + (users + items) × factors³).

    Args:
        confidence: c of what was acted on, [users, items], above 1.
        factors: numbers that describe a user and an item.
        regularisation: λ.
        iterations: of users and items each.
        seed: of the factors to begin with.
    """
    random = np.random.default_rng(seed)
    of_items = random.normal(0, 0.01, (confidence.n_columns, factors)).astype(np.float32)
    of_item = confidence.transposed()
    for _ in range(iterations):
        of_users = fold_in(confidence, of_items, regularisation)
        of_items = fold_in(of_item, of_users, regularisation)
    return of_items


def fold_in(confidence: SparseRows, others: Floats, regularisation: float) -> Floats:
    """The best factors of each row [R, factors] while those of the columns stay as they are.

    Args:
        confidence: c of what was acted on, [R, columns].
        others: factors of the columns, [columns, factors].
        regularisation: λ.
    """
    rows, size = len(confidence), others.shape[1]
    found = np.zeros((rows, size), np.float32)
    common = others.T @ others + np.float32(regularisation) * np.eye(size, dtype=np.float32)
    lengths = confidence.lengths
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    first = 0
    while first < len(order):
        # Rows of about the same length share a block, so hardly anything is padded.
        widest = int(lengths[order[min(first + 1024, len(order)) - 1]])
        last = first + max(1, min(1024, _CELLS // (widest * size)))
        chosen = order[first:last]
        widest = int(lengths[chosen[-1]])
        of, places = confidence.places(chosen)
        column = np.arange(len(of)) - np.repeat(np.cumsum(lengths[chosen]) - lengths[chosen], lengths[chosen])
        weights = np.zeros((len(chosen), widest), np.float32)
        weights[of, column] = confidence.values[places]
        own = np.zeros((len(chosen), widest, size), np.float32)
        own[of, column] = others[confidence.columns[places]]
        surplus = np.where(weights > 0, weights - 1, 0)
        system = common + np.swapaxes(own, 1, 2) @ (own * surplus[:, :, None])
        found[chosen] = np.linalg.solve(system, np.einsum("bl,blf->bf", weights, own)[:, :, None])[:, :, 0]
        first = last
    return found
