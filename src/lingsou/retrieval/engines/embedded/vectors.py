"""The vector half: int8 codes of every product's centred vector, scanned exactly.

An exact scan of 100,000 × 384 int8 takes about 6 ms on one core, and 4.5 ms for what a query can match at all, so
totals and facets of a hybrid query are exact too. The library `simsimd` brings the processor's own instructions to
it.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import simsimd
from numpy.typing import NDArray

from lingsou.encoders.quantise import quantise

SLOPE, INTERCEPT = 12.0, -4.6
"""Similarity s is a probability of relevance 1 / (1 + exp(−(12.0 s − 4.6))): logistic fit on the judged pairs of the
two development sets (Icecat's ratings, and the twenty nearest titles of each Chinese query)."""

LEAST_PROBABILITY = 0.25
LEAST_OF_BEST = 0.7
"""A product matches by meaning when its probability is at least 0.25 and its similarity at least 0.7 of the best in
the catalogue: where nothing is near, the nearest is not a match merely for being so."""

LARGE, PER_DECADE = 350, 0.9
"""Below so many products the logit grows by 0.9 for each power of ten. The fit is of large catalogues; in a small one
fewer products are near by chance, so less similarity is as telling. Chosen on samples of 6 to 300 products of the demo
shop, so that a query that nothing there answers shows something about once in eight, as at 350."""

_GATHERED = 2_048
_BLOCK = 16_384
"""Rows that one thread scans at a time: about a millisecond, the most that it waits for another."""

_SHARED = 4_096
"""Rows of a block, in the mean, from which on a second thread helps."""

_GATHERING = 5
"""Rows picked one by one cost so many times those of a range (measured)."""

_NOT_COMPARED = -1e9
_ROUNDING = 1e-4
"""More than float32 loses in a bound."""


def probability(similarities: NDArray[np.float32], products: int = LARGE) -> NDArray[np.float32]:
    """The calibrated probability that a product of this similarity is relevant, in a catalogue of so many."""
    return np.asarray(1 / (1 + np.exp(-(SLOPE * similarities + _intercept(products)))), np.float32)


def _intercept(products: int) -> float:
    return INTERCEPT + PER_DECADE * float(np.log10(LARGE / min(max(products, 1), LARGE)))


def threshold(similarities: NDArray[np.float32], products: int = LARGE) -> float:
    """The similarity from which a product matches the query by meaning, in a catalogue of so many."""
    return max(least_similarity(products), LEAST_OF_BEST * float(similarities.max(initial=0.0)))


def least_similarity(products: int = LARGE) -> float:
    """The similarity that a match needs, whatever the best one is."""
    return float((np.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY)) - _intercept(products)) / SLOPE)


class _Buffer:
    """Rows of codes in two parts, so that the leading components of many rows are read without the others."""

    def __init__(self, dimension: int, capacity: int):
        split = dimension * 2 // 3  # of half, a third, two thirds and more the fastest (measured)
        self.leading = np.zeros((capacity, split), np.int8)
        self.trailing = np.zeros((capacity, dimension - split), np.int8)
        self.scales = np.zeros(capacity, np.float32)
        self.rests = np.zeros(capacity, np.float32)
        """Length of the trailing part of each vector."""

    def put(self, rows: Any, codes: NDArray[np.int8], scales: NDArray[np.float32]) -> None:
        split = self.leading.shape[1]
        self.leading[rows], self.trailing[rows], self.scales[rows] = codes[:, :split], codes[:, split:], scales
        self.rests[rows] = np.sqrt(np.square(codes[:, split:], dtype=np.float32).sum(axis=1)) * scales


class VectorColumn:
    """One vector a row, or none (scale 0). Snapshots that follow one another share a growing buffer.

    A later snapshot writes only rows that an earlier one has not, or vectors that were missing; what an earlier
    reader may see of that is a product's vector appearing between two of its requests.
    """

    def __init__(self, dimension: int = 0, length: int = 0, buffer: _Buffer | None = None):
        self.dimension = dimension
        self.length = length
        self._buffer = buffer or _Buffer(dimension, 0)

    @property
    def scales(self) -> NDArray[np.float32]:
        """Float32 [N]; 0 where a row has no vector."""
        return self._buffer.scales[: self.length]

    def codes_of(self, rows: Any) -> NDArray[np.int8]:
        """Int8 [len(rows), d]."""
        return np.concatenate([self._buffer.leading[rows], self._buffer.trailing[rows]], axis=1)

    def resized(self, length: int) -> "VectorColumn":
        """The column for a snapshot of `length` rows; the new ones have no vector yet."""
        if not self.dimension or length <= len(self._buffer.scales):
            # What a batch that failed half-way may have left there is not ours.
            self._buffer.scales[self.length : length] = 0
            return VectorColumn(self.dimension, length, self._buffer)
        buffer = _Buffer(self.dimension, max(1_024, length + length // 2))
        buffer.put(slice(0, self.length), self.codes_of(slice(0, self.length)), self.scales)
        return VectorColumn(self.dimension, length, buffer)

    def filled(self, rows: NDArray[np.int32], codes: NDArray[np.int8], scales: NDArray[np.float32]) -> "VectorColumn":
        """With the vectors of `rows`."""
        column = self if self.dimension else VectorColumn(codes.shape[1], 0).resized(self.length)
        column._buffer.put(rows, codes, scales)
        return column

    def similarities(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Dot product of a centred unit vector [d] with every row: float32 [N], 0 for rows without a vector."""
        values = np.zeros(self.length, np.float32)
        self.compare_ranges(vector, [(0, self.length)], values)
        return values

    def compare_ranges(
        self, vector: NDArray[np.float32], ranges: Iterable[tuple[int, int]], values: NDArray[np.float32]
    ) -> None:
        """Write these dot products into `values` [N] for the rows of some ranges alone."""
        if not self.dimension:
            return
        query = _Query(vector, self._buffer)

        def scan(part: slice) -> None:
            sums = query.leading(part) + query.trailing(part)
            values[part] = query.scaled(sums, part)

        _by_two(scan, list(_blocks(ranges)))

    def compare_rows(self, vector: NDArray[np.float32], rows: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        """The same for single rows, copied together in parts that stay in the processor's cache."""
        if not self.dimension:
            return
        query = _Query(vector, self._buffer)
        for at in range(0, len(rows), _GATHERED):
            part = rows[at : at + _GATHERED]
            values[part] = query.scaled(query.leading(part) + query.trailing(part), part)

    def compare_near(
        self,
        vector: NDArray[np.float32],
        ranges: Iterable[tuple[int, int]],
        wanted: NDArray[np.intp],
        alive: NDArray[np.bool_] | None,
        least: float,
    ) -> NDArray[np.float32]:
        """These dot products for the rows of some ranges that can match, and for those `wanted`; 0 for all others.

        A row can match when it may reach `least` and `LEAST_OF_BEST` of the best living row in the ranges. That shows
        in two thirds of the components: the others can add no more than the product of their lengths (Cauchy, Schwarz).
        Nothing that matches is left out, and every value is the same number as without the short cut.

        Args:
            vector: centred, of unit length.
            ranges: of rows; every wanted row lies in one of them.
            wanted: rows to compare whatever they reach.
            alive: bool [N]; none if all rows are.
            least: what a match needs in any case.
        """
        values = np.zeros(self.length, np.float32)
        if not self.dimension:
            return values
        query, everything = _Query(vector, self._buffer), slice(0, self.length)
        sums = np.full(self.length, _NOT_COMPARED, np.float32)

        def scan(part: slice) -> None:
            sums[part] = query.leading(part)

        parts = list(_blocks(ranges))
        _by_two(scan, parts)
        reach = query.scaled(sums, everything)
        reach += np.float32(query.rest * (1 + _ROUNDING)) * self._buffer.rests[everything]
        if alive is not None:
            reach[~alive] = _NOT_COMPARED
        best = int(reach.argmax()) if self.length else 0
        rows = np.asarray([best], np.intp)
        best_value = float(query.scaled(sums[rows] + query.trailing(rows), rows)[0]) if self.length else 0.0
        near = reach >= max(least, LEAST_OF_BEST * best_value) - _ROUNDING
        near[wanted] = True
        rows = np.flatnonzero(near)
        if len(rows) * _GATHERING > self.length:

            def complete(part: slice) -> None:
                values[part] = query.scaled(sums[part] + query.trailing(part), part)

            _by_two(complete, parts)
            return values
        for at in range(0, len(rows), _GATHERED):
            part = rows[at : at + _GATHERED]
            values[part] = query.scaled(sums[part] + query.trailing(part), part)
        return values


class _Query:
    """A quantised query beside a buffer. Sums of integer products are exact in float32, in whatever parts they come."""

    def __init__(self, vector: NDArray[np.float32], buffer: _Buffer):
        codes, scales = quantise(vector[np.newaxis])
        split = buffer.leading.shape[1]
        self._leading, self._trailing = codes[:, :split].copy(), codes[:, split:].copy()
        self._buffer, self._scale = buffer, scales[0]
        self.rest = float(np.sqrt(np.square(self._trailing, dtype=np.float32).sum()) * self._scale)

    def leading(self, rows: Any) -> NDArray[np.float32]:
        return _products(self._leading, self._buffer.leading[rows])

    def trailing(self, rows: Any) -> NDArray[np.float32]:
        return _products(self._trailing, self._buffer.trailing[rows])

    def scaled(self, sums: NDArray[np.float32], rows: Any) -> NDArray[np.float32]:
        return np.asarray(sums * self._buffer.scales[rows] * self._scale)


def _products(own: NDArray[np.int8], codes: NDArray[np.int8]) -> NDArray[np.float32]:
    """Integer dot products of codes [1, d] with [n, d]: float32 [n] holds them exactly."""
    found: NDArray[np.float32] = np.asarray(simsimd.cdist(own, codes, metric="inner", out_dtype="float32"))[0]
    return found


def _blocks(ranges: Iterable[tuple[int, int]]) -> Iterator[slice]:
    """Ranges in blocks; an empty one in none."""
    for start, end in ranges:
        yield from (slice(at, min(at + _BLOCK, end)) for at in range(start, end, _BLOCK))


def _by_two(work: Callable[[slice], None], blocks: list[slice]) -> None:
    """Do all blocks, with the help of a second thread if one has time; the libraries let go of the interpreter.

    The helper takes from the same list, so a helper that is busy elsewhere costs nothing. With many small blocks two
    threads would wait for the interpreter longer than they work (measured), so these are done by one.
    """
    left = iter(blocks)

    def share() -> None:
        for block in left:
            work(block)

    worthwhile = len(blocks) > 1 and sum(block.stop - block.start for block in blocks) >= _SHARED * len(blocks)
    helper = _HELPERS.submit(share) if worthwhile and _CORES > 1 else None
    share()
    if helper is not None and not helper.cancel():
        helper.result()


_CORES = os.cpu_count() or 1
_HELPERS = ThreadPoolExecutor(max_workers=max(1, _CORES - 1), thread_name_prefix="scan")
