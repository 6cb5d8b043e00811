"""The best k of rows of scores, without sorting the rest."""

import numpy as np
from numpy.typing import NDArray


def top_k(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Columns and scores of the best min(k, columns) of each row, best first; of equals the first column.

    Only scores above 0 count: columns are −1 and scores 0 where a row has no more. Cost: one pass over each row, and a
    selection among its scores above 0.
    """
    k = min(k, scores.shape[1])
    columns, best = np.full((len(scores), k), -1, np.int64), np.zeros((len(scores), k), np.float32)
    for place, row in enumerate(scores if k else ()):
        chosen = np.flatnonzero(row > 0)
        own = row[chosen]
        if len(chosen) > k:
            least = np.partition(own, len(own) - k)[len(own) - k]
            # Of those that equal the last one as many of the first columns as there is room for.
            above = np.flatnonzero(own > least)
            kept = np.concatenate([above, np.flatnonzero(own == least)[: k - len(above)]])
            chosen, own = chosen[kept], own[kept]
        order = np.lexsort((chosen, -own))
        columns[place, : len(order)], best[place, : len(order)] = chosen[order], own[order]
    return columns, best
