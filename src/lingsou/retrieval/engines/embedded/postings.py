"""Inverted lists as arrays: term → rows and weighted term frequencies, immutable once built."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Postings:
    """Compressed sparse rows: term i owns `rows[indptr[i]:indptr[i+1]]`, ascending, with `frequencies` beside.

    `terms` maps a term to i; `indptr` int64 [t+1], `rows` int32 [p], `frequencies` float32 [p].
    """

    terms: Mapping[str, int]
    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    frequencies: NDArray[np.float32]

    def of(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
        """Rows and frequencies of one term."""
        index = self.terms.get(term)
        if index is None:
            return None
        start, end = self.indptr[index], self.indptr[index + 1]
        return self.rows[start:end], self.frequencies[start:end]

    def shifted(self, offset: int) -> "Postings":
        """The same lists with every row moved by `offset`."""
        return Postings(self.terms, self.indptr, self.rows + np.int32(offset), self.frequencies) if offset else self


def build_postings(documents: Iterable[Mapping[str, float]]) -> Postings:
    """Postings of documents given as term → frequency; document i becomes row i."""
    terms: dict[str, int] = {}
    indices: list[int] = []
    frequencies: list[float] = []
    lengths: list[int] = []
    for document in documents:
        indices += [terms.setdefault(term, len(terms)) for term in document]
        frequencies += document.values()
        lengths.append(len(document))
    rows = np.repeat(np.arange(len(lengths), dtype=np.int32), np.asarray(lengths, dtype=np.int64))
    return _grouped(terms, np.asarray(indices, np.int64), rows, np.asarray(frequencies, np.float32))


def merge_postings(parts: Sequence[Postings]) -> Postings:
    """One Postings of several whose row ranges ascend from part to part."""
    if len(parts) == 1:
        return parts[0]
    terms = dict(parts[0].terms)
    indices: list[NDArray[np.int64]] = []
    for part in parts:
        own = np.fromiter((terms.setdefault(term, len(terms)) for term in part.terms), np.int64, len(part.terms))
        indices.append(np.repeat(own, np.diff(part.indptr)))
    rows = np.concatenate([part.rows for part in parts])
    frequencies = np.concatenate([part.frequencies for part in parts])
    return _grouped(terms, np.concatenate(indices), rows, frequencies)


def renumber_postings(postings: Postings, new_rows: NDArray[np.int32]) -> Postings:
    """Postings with row r renamed `new_rows[r]`; rows renamed to -1, and terms left empty, are dropped."""
    rows = new_rows[postings.rows]
    kept = rows >= 0
    indices = np.repeat(np.arange(len(postings.terms), dtype=np.int64), np.diff(postings.indptr))[kept]
    used = np.bincount(indices, minlength=len(postings.terms)) > 0
    new_index = np.cumsum(used) - 1
    terms = {term: int(new_index[index]) for term, index in postings.terms.items() if used[index]}
    indices, rows, frequencies = new_index[indices], rows[kept], postings.frequencies[kept]
    # Linear where the order of the rows stays.
    order = np.argsort(indices * len(new_rows) + rows, kind="stable")
    return _grouped(terms, indices[order], rows[order], frequencies[order])


def _grouped(
    terms: Mapping[str, int],
    indices: NDArray[np.int64],
    rows: NDArray[np.int32],
    frequencies: NDArray[np.float32],
) -> Postings:
    order = np.argsort(indices, kind="stable")
    indptr = np.zeros(len(terms) + 1, np.int64)
    np.cumsum(np.bincount(indices, minlength=len(terms)), out=indptr[1:])
    return Postings(terms, indptr, rows[order], frequencies[order])
