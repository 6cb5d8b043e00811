"""The nearest rows of a matrix by cosine, as sparse rows: worked out once, so that asking costs what is met."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingsou.models.sparse_rows import Floats, Ints, SparseRows, gathered
from lingsou.models.topk import top_k

_CELLS = 1 << 24
"""Cosines held at once: 64 MB."""


def nearest(vectors: Floats, k: int, first: int = 0) -> SparseRows:
    """The k largest cosines above 0 of each row with the other rows, [rows, rows].

    Cost: (rows − first) × rows × d multiplications: seconds for 10,000 rows, minutes for 100,000.

    Args:
        vectors: [rows, d] of length 1; rows of length 0 are near to none.
        k: of each row at most.
        first: rows before it get none.
    """
    count = len(vectors)
    size = max(1, _CELLS // max(count, 1))

    def parts() -> Iterator[tuple[Ints, Ints, NDArray[np.float32]]]:
        for begin in range(first, count, size):
            end = min(begin + size, count)
            cosines = vectors[begin:end] @ vectors.T
            cosines[np.arange(end - begin), np.arange(begin, end)] = 0
            columns, best = top_k(cosines, k)
            row, place = np.nonzero(columns >= 0)
            yield begin + row, columns[row, place], best[row, place]

    return gathered(parts(), (count, count))
