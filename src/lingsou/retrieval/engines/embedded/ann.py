"""Approximate search by meaning for large catalogues: vectors in lists around k-means centres (IVF).

The rows of a base lie in the order of their lists, so that a list is a range of rows. A query is compared with the
vectors of its nearest lists alone, by the same exact scan of the same codes: there is no second copy of the vectors,
and a similarity is the same number as without lists. What the lists do not hold, rows that came after the base or got
their vector later, lies behind them and is always compared.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simsimd
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lingsou.encoders.quantise import dequantise
from lingsou.retrieval.engines.embedded.storage import corrupt, replace_file
from lingsou.retrieval.engines.embedded.vectors import VectorColumn

SCANNED_SHARE = 0.4
"""A query is compared with at least this share of the rows: recall figures are in docs/benchmarks.md."""

PASSING = 4_096
"""With a filter it goes on to further lists until so many rows were seen that pass."""

FEW = 16_384
"""So many rows that pass a filter, or fewer, are all compared, and nothing is missed: this costs about what the lists
of a larger filter do (measured)."""

_GATHERED_SHARE = 0.2
"""Rows picked one by one cost about five times those of a range (measured): beyond this share, scan everything."""

_GAP = 128
"""So many rows are scanned in the time that beginning another range takes (measured)."""

_LISTS_PER_ROOT = 2
"""More and smaller lists miss less, and cost more to begin."""

_TRAINING_ROWS = 20
_ROUNDS = 6
_CHUNK = 8_192


@dataclass(frozen=True)
class VectorLists:
    """Lists over the leading rows of a snapshot: list i is rows `bounds[i]` to `bounds[i + 1]`.

    `centres` float32 [k, d] are of unit length, `bounds` int64 [k + 1]; `trained_on` vectors made the centres, and
    `assigned` have joined the lists since.
    """

    centres: NDArray[np.float32]
    bounds: NDArray[np.int64]
    trained_on: int
    assigned: int = 0

    @property
    def covered(self) -> int:
        """Rows in lists; those behind have to be compared one and all."""
        return int(self.bounds[-1])

    def near(self, vector: NDArray[np.float32], passing: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """The lists nearest to a unit vector [d], enough of them to hold the rows that are wanted.

        Args:
            vector: the query.
            passing: the rows that pass the filter, ascending; none without a filter.
        """
        # A matrix product would wait for the threads of BLAS, tens of milliseconds on a busy machine (measured).
        products = np.asarray(simsimd.cdist(vector[np.newaxis], self.centres, metric="inner"))[0]
        order = np.argsort(-products, kind="stable")
        seen = np.cumsum(np.diff(self.bounds)[order])
        last = int(np.searchsorted(seen, SCANNED_SHARE * self.covered))
        if passing is not None:
            inside = np.cumsum(np.diff(np.searchsorted(passing, self.bounds))[order])
            last = max(last, int(np.searchsorted(inside, PASSING)))
        return np.asarray(order[: last + 1])

    def ranges(self, lists: NDArray[np.intp]) -> list[tuple[int, int]]:
        """Ranges that hold the rows of some lists, ascending; a few rows between two of them are scanned with them."""
        ordered = np.sort(lists)
        starts, ends = self.bounds[ordered], self.bounds[ordered + 1]
        apart = np.flatnonzero(starts[1:] - ends[:-1] > _GAP)
        first, last = np.concatenate([[0], apart + 1]), np.concatenate([apart, [len(ordered) - 1]])
        return list(zip(starts[first].tolist(), ends[last].tolist(), strict=True)) if len(ordered) else []


@dataclass(frozen=True)
class Similarities:
    """`values` float32 [N], 0 for rows without a vector and for those not compared; `complete`: none was left out."""

    values: NDArray[np.float32]
    complete: bool


def compare(column: VectorColumn, lists: VectorLists | None, vector: NDArray[np.float32]) -> Similarities:
    """Compare a centred unit vector [d] with the rows near to it; without lists with every row."""
    if lists is None:
        return Similarities(column.similarities(vector), complete=True)
    values = np.zeros(column.length, np.float32)
    near = lists.near(vector)
    column.compare_ranges(vector, [*lists.ranges(near), (lists.covered, column.length)], values)
    return Similarities(values, complete=len(near) == len(lists.centres))


def compare_matching(
    column: VectorColumn,
    lists: VectorLists | None,
    vector: NDArray[np.float32],
    wanted: NDArray[np.intp],
    alive: NDArray[np.bool_] | None,
    least: float,
) -> Similarities:
    """The same for a query: rows that cannot match by meaning have similarity 0, unless they are `wanted`.

    `alive` and `least` as `VectorColumn.compare_near` has them. `complete`: of the rows that match none was left out.
    """
    if lists is None or len(wanted) > _GATHERED_SHARE * column.length:
        values = column.compare_near(vector, [(0, column.length)], wanted, alive, least)
        return Similarities(values, complete=True)
    near, nothing = lists.near(vector), np.empty(0, np.intp)
    ranges = [*lists.ranges(near), (lists.covered, column.length)]
    values = column.compare_near(vector, ranges, nothing, alive, least)
    column.compare_rows(vector, wanted, values)
    return Similarities(values, complete=len(near) == len(lists.centres))


def widened(
    column: VectorColumn,
    lists: VectorLists,
    vector: NDArray[np.float32],
    passing: NDArray[np.bool_],
    found: Similarities,
) -> Similarities:
    """`found`, with more of the rows that pass a filter (bool [N]): all of them if they are few."""
    rows, values = np.flatnonzero(passing), found.values.copy()
    if len(rows) <= FEW:
        column.compare_rows(vector, rows, values)
        return Similarities(values, complete=True)
    near = lists.near(vector, rows)
    column.compare_ranges(vector, lists.ranges(near[len(lists.near(vector)) :]), values)
    return Similarities(values, complete=len(near) == len(lists.centres))


def build_lists(
    column: VectorColumn, kept: NDArray[np.intp], former: VectorLists | None
) -> tuple[VectorLists, NDArray[np.intp]]:
    """Lists for a new base, and the rows that it keeps in the order in which it has to hold them.

    Centres stay, and only vectors new to them are assigned, until as many were assigned as they were trained on. So
    a growing catalogue trains about log₂ N times, and one that is replaced bit by bit follows.

    Args:
        column: the vectors of the rows so far.
        kept: the rows that the new base keeps, at least one with a vector.
        former: the lists of the base before, if there are any.
    """
    held = column.scales[kept] > 0
    if former is not None:
        lists = np.searchsorted(former.bounds, kept, side="right") - 1
        fresh = np.flatnonzero(held & (kept >= former.covered))
        if former.assigned + len(fresh) < former.trained_on:
            lists[fresh] = _nearest(column, kept[fresh], former.centres)
            return _sorted(lists, held, kept, former.centres, former.trained_on, former.assigned + len(fresh))
    rows = kept[held]
    centres = _trained(column, rows)
    lists = np.zeros(len(kept), np.intp)
    lists[held] = _nearest(column, rows, centres)
    return _sorted(lists, held, kept, centres, len(rows), 0)


def _sorted(
    lists: NDArray[np.intp],
    held: NDArray[np.bool_],
    kept: NDArray[np.intp],
    centres: NDArray[np.float32],
    trained_on: int,
    assigned: int,
) -> tuple[VectorLists, NDArray[np.intp]]:
    lists = np.where(held, lists, len(centres))
    sizes = np.bincount(lists, minlength=len(centres) + 1)[:-1]
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return VectorLists(centres, bounds, trained_on, assigned), kept[np.argsort(lists, kind="stable")]


def _trained(column: VectorColumn, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Spherical k-means over a sample; a fixed seed, so that the same rows give the same centres."""
    count = max(1, int(_LISTS_PER_ROOT * np.sqrt(len(rows))))
    rng = np.random.default_rng(0)
    vectors = _vectors(column, np.sort(rng.choice(rows, min(len(rows), _TRAINING_ROWS * count), replace=False)))
    centres = vectors[rng.choice(len(vectors), min(len(vectors), count), replace=False)]
    for _ in range(_ROUNDS):
        nearest = np.concatenate(
            [np.argmax(vectors[at : at + _CHUNK] @ centres.T, axis=1) for at in range(0, len(vectors), _CHUNK)]
        )
        order = np.argsort(nearest, kind="stable")
        used, starts = np.unique(nearest[order], return_index=True)
        # A list that lost all its members starts again from a vector drawn at random.
        centres = vectors[rng.choice(len(vectors), len(centres), replace=False)]
        centres[used] = np.add.reduceat(vectors[order], starts, axis=0)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), np.float32(1e-9))
    return centres


def _nearest(column: VectorColumn, rows: NDArray[np.intp], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    parts = [
        np.argmax(_vectors(column, rows[at : at + _CHUNK]) @ centres.T, axis=1) for at in range(0, len(rows), _CHUNK)
    ]
    return np.concatenate([np.empty(0, np.intp), *parts])


def _vectors(column: VectorColumn, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    return dequantise(column.codes_of(rows), column.scales[rows])


def write_lists(path: Path, lists: VectorLists) -> None:
    """Write the file beside the segments, atomically."""
    counts = np.asarray([lists.trained_on, lists.assigned], np.int64)
    replace_file(path, save({"centres": lists.centres, "bounds": lists.bounds, "counts": counts}))


def read_lists(path: Path) -> VectorLists:
    """Read such a file.

    Raises:
        CorruptIndexError: it is damaged.
        FileNotFoundError: it is gone.
    """
    try:
        tensors = load(path.read_bytes())
        trained_on, assigned = tensors["counts"].tolist()
        found = VectorLists(tensors["centres"], tensors["bounds"], trained_on, assigned)
        if len(found.bounds) != len(found.centres) + 1 or found.bounds[0] or np.any(np.diff(found.bounds) < 0):
            raise ValueError("bounds and centres disagree")
    except (SafetensorError, KeyError, ValueError) as error:
        raise corrupt(path) from error
    return found
