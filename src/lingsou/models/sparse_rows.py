"""Compressed sparse rows of positive weights, summed up for many queries at once: the core of every item-to-item model.

NumPy alone, so that a bare installation recommends; what is done here to weights that change with each event (adding
counts, gathering rows) is no matrix product.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
_PENDING = 1 << 22
"""Entries that are gathered before equal ones are added up."""


@dataclass(frozen=True)
class SparseRows:
    """R rows over C columns; the entries of row r are `starts[r]` to `starts[r + 1]`, by column."""

    starts: Ints
    """[R + 1]"""
    columns: NDArray[np.int32]
    """[entries]"""
    values: Floats
    """[entries]"""
    n_columns: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """Entries of each row, [R]."""
        return np.diff(self.starts)

    @property
    def rows(self) -> Ints:
        """The row of each entry, [entries]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What `rows_of_arrays` makes the same rows of, each under a name that begins with `name`."""
        width = np.array([self.n_columns])
        own: dict[str, NDArray[Any]] = {
            "starts": self.starts,
            "columns": self.columns,
            "values": self.values,
            "width": width,
        }
        return {f"{name}-{part}": array for part, array in own.items()}

    def places(self, rows: Ints) -> tuple[Ints, Ints]:
        """Where the entries of some rows [m] are: which of the m each belongs to [e], and its place [e]."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        of = np.repeat(np.arange(len(rows)), lengths)
        return of, np.arange(total) + (self.starts[rows] - ends + lengths)[of]

    def sums(self, queries: Ints, rows: Ints, weights: Floats, n_queries: int) -> Floats:
        """Σ weight · row for each query: dense float32 [n_queries, C]. Cost: the entries that are met, and the result.

        Args:
            queries: the query of each term, [m].
            rows: the row of each term, [m].
            weights: [m].
            n_queries: how many queries there are; those without a term get 0.
        """
        of, places = self.places(rows)
        cells = queries[of] * self.n_columns + self.columns[places]
        found = np.bincount(cells, self.values[places] * weights[of], minlength=n_queries * self.n_columns)
        return found.astype(np.float32).reshape(n_queries, self.n_columns)

    def between(self, rows: Ints, columns: Ints) -> Floats:
        """The entries of some rows [m] at some columns [k], dense [m, k]; 0 where there is none."""
        found = np.zeros((len(rows), len(columns)), np.float32)
        order = np.argsort(columns, kind="stable")
        of, places = self.places(rows)
        own = self.columns[places]
        # A column may be asked for twice: entries are met once for each equal one.
        left = np.searchsorted(columns[order], own, "left")
        count = np.searchsorted(columns[order], own, "right") - left
        entry = np.repeat(np.arange(len(own)), count)
        place = order[np.repeat(left - np.cumsum(count) + count, count) + np.arange(len(entry))]
        found[of[entry], place] = self.values[places[entry]]
        return found

    def of(self, rows: Ints) -> "SparseRows":
        """Some rows [m], in that order."""
        _, places = self.places(rows)
        return SparseRows(_starts(self.lengths[rows]), self.columns[places], self.values[places], self.n_columns)

    def scaled(self, rows: Floats, columns: Floats) -> "SparseRows":
        """Each value times a weight of its row [R] and one of its column [C]."""
        values = self.values * rows[self.rows] * columns[self.columns]
        return SparseRows(self.starts, self.columns, values.astype(np.float32), self.n_columns)

    def transposed(self) -> "SparseRows":
        """Columns become rows."""
        order = np.argsort(self.columns, kind="stable")
        starts = _starts(np.bincount(self.columns, minlength=self.n_columns))
        return SparseRows(starts, self.rows[order].astype(np.int32), self.values[order], len(self))

    def pruned(self, most: int) -> "SparseRows":
        """The `most` largest values of each row; of equals the first column."""
        rows = self.rows
        order = np.lexsort((self.columns, -self.values, rows))
        rank = np.arange(len(order)) - self.starts[rows]
        kept = np.sort(order[rank < most])
        starts = _starts(np.minimum(self.lengths, most))
        return SparseRows(starts, self.columns[kept], self.values[kept], self.n_columns)

    def keeping(self, chosen: NDArray[np.bool_]) -> "SparseRows":
        """The entries of a mask [entries]."""
        starts = _starts(np.bincount(self.rows[chosen], minlength=len(self)))
        return SparseRows(starts, self.columns[chosen], self.values[chosen], self.n_columns)


def rows_of_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> SparseRows:
    """Rows out of what `arrays` gave; memory-mapped arrays stay so."""
    starts, columns, values, width = (arrays[f"{name}-{part}"] for part in ("starts", "columns", "values", "width"))
    return SparseRows(starts, columns, values, int(width[0]))


NOTHING = SparseRows(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 0)
"""No rows."""


def from_entries(rows: Ints, columns: Ints, values: NDArray[np.floating], shape: tuple[int, int]) -> SparseRows:
    """Rows of entries in any order; equal ones are added up."""
    return gathered([(rows, columns, values)], shape)


def gathered(parts: Iterable[tuple[Ints, Ints, NDArray[np.floating]]], shape: tuple[int, int]) -> SparseRows:
    """Rows of entries that come in parts (rows, columns, values); memory: the result and one part beside."""
    keys, values = np.empty(0, np.int64), np.empty(0, np.float64)
    waiting: list[tuple[Ints, NDArray[np.floating]]] = []
    held = 0
    for rows, columns, own in parts:
        waiting.append((rows * shape[1] + columns, own))
        held += len(rows)
        if held > max(_PENDING, len(keys)):
            keys, values = _added([(keys, values), *waiting])
            waiting, held = [], 0
    keys, values = _added([(keys, values), *waiting])
    starts = np.searchsorted(keys, np.arange(shape[0] + 1) * shape[1])
    return SparseRows(starts, (keys % shape[1]).astype(np.int32), values.astype(np.float32), shape[1])


def added(parts: Sequence[SparseRows], shape: tuple[int, int]) -> SparseRows:
    """The sum of several, as rows of a shape that holds all of them."""
    return gathered(((each.rows, each.columns.astype(np.int64), each.values) for each in parts), shape)


def _added(parts: Sequence[tuple[Ints, NDArray[np.floating]]]) -> tuple[Ints, NDArray[np.float64]]:
    keys = np.concatenate([each for each, _ in parts])
    values = np.concatenate([np.asarray(each, np.float64) for _, each in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), bool), keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(values[order], first) if len(first) else values


def _starts(lengths: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
