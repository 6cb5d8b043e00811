"""Columns for filters, facets and sorting: sparse for keywords and attribute numbers, dense for core numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_SPARSE = 4
"""Below one row in so many entries, walking the rows is faster than passing over all entries (measured)."""

_FEW = 8
"""Up to so many values, one comparison for each is faster than looking every entry up in a table (measured)."""


@dataclass(frozen=True)
class KeywordColumn:
    """Values of one keyword field, none or several a row.

    Entry i says that row `rows[i]` (int32, ascending) has value `vocabulary[codes[i]]` (int32).
    The vocabulary only grows and is shared between the snapshots that follow one another.
    """

    rows: NDArray[np.int32]
    codes: NDArray[np.int32]
    vocabulary: list[str]
    index: dict[str, int]

    @classmethod
    def empty(cls) -> "KeywordColumn":
        """A column without entries."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), [], {})

    def extended(self, rows: NDArray[np.int32], codes: NDArray[np.int32], vocabulary: Sequence[str]) -> "KeywordColumn":
        """With more entries, whose codes count in a vocabulary of their own, each value once."""
        if not self.vocabulary:  # a whole index being read
            values = list(vocabulary)
            return KeywordColumn(rows, codes, values, dict(zip(values, range(len(values)), strict=True)))
        own = np.empty(len(vocabulary), np.int32)
        for code, value in enumerate(vocabulary):
            known = self.index.get(value)
            if known is None:
                known = len(self.vocabulary)
                # The list before the index: a reader that finds the code also finds the value.
                self.vocabulary.append(value)
                self.index[value] = known
            own[code] = known
        return KeywordColumn(
            np.concatenate([self.rows, rows]), np.concatenate([self.codes, own[codes]]), self.vocabulary, self.index
        )

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Row r owns entries `_starts[r]:_starts[r + 1]`."""
        size = int(self.rows[-1]) + 1 if len(self.rows) else 0
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(self.rows, minlength=size))])

    def entries_of(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Indices of the entries of `rows` (ascending, distinct), in order. Cost: what is smaller, rows or entries."""
        starts = self._starts
        rows = rows[: np.searchsorted(rows, len(starts) - 1)]
        if len(rows) * _SPARSE > len(self.rows):
            member = np.zeros(len(starts) - 1, np.bool_)
            member[rows] = True
            return np.flatnonzero(member[self.rows])
        first, count = starts[rows], starts[rows + 1] - starts[rows]
        before = np.cumsum(count) - count
        return np.repeat(first - before, count) + np.arange(int(count.sum()))

    def rows_with(self, values: Sequence[str], entries: NDArray[np.int64] | None = None) -> NDArray[np.int32]:
        """Rows that have any of the values, of all entries or of some; a row may repeat.

        A value that is not in the vocabulary stands for those that differ from it only in case.
        """
        wanted = [code for value in values for code in self._codes_of(value)]
        held = self.codes if entries is None else self.codes[entries]
        if len(wanted) <= _FEW:
            places = np.concatenate([np.empty(0, np.intp), *(np.flatnonzero(held == code) for code in wanted)])
        else:
            table = np.zeros(len(self.vocabulary), np.bool_)
            table[wanted] = True
            places = np.flatnonzero(table.take(held))
        return np.asarray(self.rows[places if entries is None else entries[places]])

    def _codes_of(self, value: str) -> list[int]:
        exact = self.index.get(value)
        if exact is not None:
            return [exact]
        folded = value.casefold()
        return [code for code, known in enumerate(self.vocabulary) if known.casefold() == folded]


@dataclass(frozen=True)
class NumberColumn:
    """Sparse numbers of one attribute: row `rows[i]` (int32, ascending) has `values[i]` (float64)."""

    rows: NDArray[np.int32]
    values: NDArray[np.float64]

    def extended(self, rows: NDArray[np.int32], values: NDArray[np.float64]) -> "NumberColumn":
        """With more entries."""
        return NumberColumn(np.concatenate([self.rows, rows]), np.concatenate([self.values, values]))
