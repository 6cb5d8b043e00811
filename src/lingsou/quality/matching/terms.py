"""One kind of terms over all records: how much two records share, and which records share most."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MEASURES = ("cosine", "shared-least", "shared-most", "jaccard", "terms", "lack-least", "lack-most")
"""Columns of `TermSpace.compare`. `least` and `most` are of the two records, so that their order says nothing."""
RAREST = ("rarest-shared", "rarest-lacking-least", "rarest-lacking-most")
"""Further columns, where asked for."""
_BLOCK = 512
_COMMON = 1_000
"""A term of more records suggests no candidate: it says too little, and would cost most of the time. A number, not a
share of the records, for the cost of a term grows with the square of its records."""


@dataclass(frozen=True)
class Nearest:
    """The records most like each record, best first: [N, k]; −1 and 0 where there are fewer."""

    records: Ints
    cosines: Floats


class TermSpace:
    """Binary terms with inverse document frequency. Needs SciPy, of the extra `quality`."""

    def __init__(self, texts: Sequence[str], terms: Callable[[str], list[str]]):
        sparse = require("scipy", "quality", "scipy.sparse")
        numbers: dict[str, int] = {}
        columns: list[int] = []
        starts = [0]
        for text in texts:
            columns.extend({numbers.setdefault(term, len(numbers)) for term in terms(text)})
            starts.append(len(columns))
        shape = (len(texts), max(len(numbers), 1))
        ones = np.ones(len(columns), np.float32)
        self._has: Any = sparse.csr_matrix((ones, np.array(columns, np.int32), np.array(starts)), shape=shape)
        self._has.sort_indices()
        self._df = np.bincount(columns, minlength=shape[1])
        self._idf = (np.log((1 + len(texts)) / (1 + self._df)) + 0.1).astype(np.float32)
        weighed = self._weighed(self._has)
        self._sums = _sum(weighed)
        self._norms = np.sqrt(_sum(weighed.multiply(weighed)))
        self._counts = _sum(self._has)

    def compare(self, left: Ints, right: Ints, *, rarest: bool = False) -> Floats:
        """`MEASURES`, and `RAREST` where asked for, of the pairs [n]: [n, 7 or 10], NaN where a record has no terms."""
        mine, yours = self._has[left], self._has[right]
        both = mine.multiply(yours).tocsr()
        weighed = self._weighed(both)
        shared, square, count = _sum(weighed), _sum(weighed.multiply(self._idf[None, :])), _sum(both)
        sums = np.sort(np.stack([self._sums[left], self._sums[right]]), axis=0)
        lack = np.sort(np.stack([self._sums[left], self._sums[right]]) - shared, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = [
                square / (self._norms[left] * self._norms[right]),
                shared / sums[1],
                shared / sums[0],
                shared / (sums[0] + sums[1] - shared),
                np.where(sums[0] > 0, count, np.nan),
                lack[0],
                lack[1],
            ]
        if rarest:
            alone = [_max(self._weighed((own - both).tocsr())) for own in (mine, yours)]
            columns += [_max(weighed), *np.sort(np.stack(alone), axis=0)]
        return np.stack(columns, axis=1)

    def units(self) -> Any:
        """The records as unit vectors [N, terms] (SciPy CSR), common terms left out then."""
        sparse = require("scipy", "quality", "scipy.sparse")
        lengths = np.where(self._norms > 0, self._norms, 1.0).astype(np.float32)
        weighed = (sparse.diags(1 / lengths) @ self._weighed(self._has)).tocsr()
        kept = self._df <= _COMMON
        return weighed[:, kept]

    def _weighed(self, rows: Any) -> Any:
        weighed = rows.copy()
        weighed.data = rows.data * self._idf[rows.indices]
        return weighed


def nearest(units: Any, k: int, sides: Ints | None = None) -> Nearest:
    """The k records most like each, by the sum of shared weights.

    Memory: one block of records against all others, as far as they share a term.

    Args:
        units: unit vectors, SciPy CSR [N, terms]; several kinds side by side add up.
        k: at most so many each.
        sides: the source of each record, [N]: only records of other sources count; none: all others do.
    """
    n = units.shape[0]
    records, cosines = np.full((n, k), -1, np.int64), np.zeros((n, k))
    for side in [None] if sides is None else np.unique(sides).tolist():
        own = np.arange(n) if sides is None else np.flatnonzero(sides == side)
        others = np.arange(n) if sides is None else np.flatnonzero(sides != side)
        columns = units[others].T.tocsr()
        for first in range(0, len(own), _BLOCK):
            rows = own[first : first + _BLOCK]
            found = (units[rows] @ columns).tocsr()
            for place, row in enumerate(rows.tolist()):
                span = slice(found.indptr[place], found.indptr[place + 1])
                who, score = others[found.indices[span]], found.data[span]
                kept = who != row
                who, score = who[kept], score[kept]
                if len(who) > k:
                    top = np.argpartition(-score, k - 1)[:k]
                    who, score = who[top], score[top]
                order = np.lexsort((who, -score))
                records[row, : len(order)], cosines[row, : len(order)] = who[order], score[order]
    return Nearest(records, cosines)


def _sum(rows: Any) -> Floats:
    return np.asarray(rows.sum(axis=1), np.float64).ravel()


def _max(rows: Any) -> Floats:
    return np.asarray(rows.max(axis=1).toarray(), np.float64).ravel()
