"""From match set to page: filters, order, variants collapsed. Vectorised; ties are broken by the internal id."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Sort
from lingsou.retrieval.engine import Pin
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.filters import AllOf, AnyOf, Exists, Filter, Not, Range, Terms

Rows = NDArray[np.intp]
_SPARSE = 4
"""From one row in so many on, a condition is evaluated for all rows at once."""


def passing(snapshot: Snapshot, condition: Filter) -> NDArray[np.bool_]:
    """Which rows pass the filter, as bool [N]; dead ones included."""
    match condition:
        case AllOf(children):
            mask = np.ones(len(snapshot), np.bool_)
            for child in children:
                mask &= passing(snapshot, child)
        case AnyOf(children):
            mask = np.zeros(len(snapshot), np.bool_)
            for child in children:
                mask |= passing(snapshot, child)
        case Not(child):
            mask = ~passing(snapshot, child)
        case Terms():
            mask = _with_any(snapshot, condition)
        case Range():
            mask = _within(snapshot, condition)
        case Exists(name):
            mask = _existing(snapshot, name)
    return mask


def passing_of(snapshot: Snapshot, condition: Filter, rows: Rows) -> NDArray[np.bool_]:
    """Which of some rows (ascending, distinct) pass: bool [len(rows)], as `passing` has it for all."""
    if len(rows) * _SPARSE > len(snapshot):
        return passing(snapshot, condition)[rows]
    match condition:
        case AllOf(children):
            mask = np.ones(len(rows), np.bool_)
            for child in children:
                mask &= passing_of(snapshot, child, rows)
        case Not(child):
            mask = ~passing_of(snapshot, child, rows)
        case Terms(name, texts, ()) if name in snapshot.keywords:
            column = snapshot.keywords[name]
            mask = np.zeros(len(rows), np.bool_)
            mask[np.searchsorted(rows, column.rows_with(texts, column.entries_of(rows)))] = True
        case Range(name) if name in snapshot.dense:
            mask = in_range(snapshot.dense[name][rows], condition)
        case _:
            mask = passing(snapshot, condition)[rows]
    return mask


def _with_any(snapshot: Snapshot, terms: Terms) -> NDArray[np.bool_]:
    mask = np.zeros(len(snapshot), np.bool_)
    if terms.texts and terms.field in snapshot.keywords:
        mask[snapshot.keywords[terms.field].rows_with(terms.texts)] = True
    if terms.numbers:
        rows, values = _numbers(snapshot, terms.field)
        mask[rows[np.isin(values, np.asarray(terms.numbers))]] = True
    return mask


def _within(snapshot: Snapshot, bounds: Range) -> NDArray[np.bool_]:
    dense = snapshot.dense.get(bounds.field)
    if dense is not None:
        return in_range(dense, bounds)
    rows, values = _numbers(snapshot, bounds.field)
    mask = np.zeros(len(snapshot), np.bool_)
    mask[rows[in_range(values, bounds)]] = True
    return mask


def in_range(values: NDArray[np.float64], bounds: Range) -> NDArray[np.bool_]:
    """Which values lie within the bounds; NaN never does."""
    low = values > bounds.low if bounds.low_open else values >= bounds.low
    high = values < bounds.high if bounds.high_open else values <= bounds.high
    return np.asarray(low & high)


def _existing(snapshot: Snapshot, name: str) -> NDArray[np.bool_]:
    if name in snapshot.dense:
        return ~np.isnan(snapshot.dense[name])
    mask = np.zeros(len(snapshot), np.bool_)
    mask[snapshot.keywords[name].rows] = True
    return mask


def _numbers(snapshot: Snapshot, name: str) -> tuple[NDArray[np.int32] | Rows, NDArray[np.float64]]:
    dense = snapshot.dense.get(name)
    if dense is not None:
        return np.arange(len(dense)), dense
    column = snapshot.attribute_numbers[name]
    return column.rows, column.values


def sort_keys(
    snapshot: Snapshot,
    rows: Rows,
    sort: Sort,
    scores: NDArray[np.float32] | None,
    lifts: NDArray[np.float32],
) -> NDArray[np.float64]:
    """float64 [len(rows)], larger is earlier; products without the value come last (−inf).

    Args:
        snapshot: the index.
        rows: the rows to order.
        sort: by what.
        scores: relevance of each; none when there are no words: then the best sold come first.
        lifts: what boosts add to each where there are no words.
    """
    if sort == "relevance" and scores is not None:
        return scores.astype(np.float64)
    if sort == "relevance" and lifts.any():
        return _popularity(snapshot.dense["sales"])[rows] + lifts
    if sort in ("price", "-price"):
        keys = snapshot.dense["price"][rows]
        keys = keys if sort == "-price" else -keys
    elif sort == "newest":
        keys = snapshot.dense["created_at"][rows]
    elif sort == "rating":
        # Equal ratings: the one that more shoppers gave first.
        reviews = np.nan_to_num(snapshot.dense["review_count"][rows])
        keys = snapshot.dense["rating"][rows] + np.minimum(reviews, 1e6) * 1e-9
    else:
        keys = snapshot.dense["sales"][rows]
    return np.where(np.isnan(keys), -np.inf, keys)


def _popularity(sales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sales in their order, on the scale of relevance: 1 for the best sold, 0 for none, just below for unknown."""
    known = np.log1p(sales)
    most = np.nanmax(known, initial=0.0)
    return np.where(np.isnan(known), -1e-6, known / most if most else 0.0)


@dataclass(frozen=True)
class Selection:
    """Rows that stand for the results, with sort keys and the number of matching variants each stands for."""

    rows: Rows
    keys: NDArray[np.float64]
    variants: NDArray[np.int64]


def collapse(snapshot: Snapshot, rows: Rows, keys: NDArray[np.float64]) -> Selection:
    """Keep the best row of each variant group (ties: smallest internal id)."""
    groups = snapshot.groups[rows]
    single = groups < 0
    if single.all():
        return Selection(rows, keys, np.ones(len(rows), np.int64))
    size = len(snapshot.group_codes)
    inside, inside_keys, inside_rows = groups[~single], keys[~single], rows[~single]
    best = np.full(size, -np.inf)
    np.maximum.at(best, inside, inside_keys)
    leads = inside_keys == best[inside]
    numbers = snapshot.numbers[inside_rows]
    first = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(first, inside[leads], numbers[leads])
    leads &= numbers == first[inside]
    counts = np.bincount(inside, minlength=size)
    return Selection(
        np.concatenate([rows[single], inside_rows[leads]]),
        np.concatenate([keys[single], inside_keys[leads]]),
        np.concatenate([np.ones(int(single.sum()), np.int64), counts[inside[leads]].astype(np.int64)]),
    )


@dataclass(frozen=True)
class PinnedRows:
    """Rows that stand at fixed 1-based places: `rows` and `positions` are parallel, positions ascending."""

    rows: Rows
    positions: NDArray[np.int64]

    @classmethod
    def of(cls, snapshot: Snapshot, pins: Sequence[Pin], filters: Filter) -> "PinnedRows":
        """The living rows of the pins that pass the filters."""
        if not pins:
            return NOTHING_PINNED
        rows = np.unique(_living(snapshot, [pin.id for pin in pins]))
        row_of = {snapshot.ids[row]: row for row in rows[passing_of(snapshot, filters, rows)].tolist()}
        found = [(pin.position, row_of[pin.id]) for pin in pins if pin.id in row_of]
        found.sort()
        return cls(np.asarray([row for _, row in found], np.intp), np.asarray([place for place, _ in found], np.int64))

    def first_of_groups(self, snapshot: Snapshot) -> "PinnedRows":
        """Without those whose variant stands before them."""
        groups = snapshot.groups[self.rows]
        kept = [place for place, group in enumerate(groups) if group < 0 or group not in groups[:place]]
        return PinnedRows(self.rows[kept], self.positions[kept])


NOTHING_PINNED = PinnedRows(np.empty(0, np.intp), np.empty(0, np.int64))


def _living(snapshot: Snapshot, ids: Sequence[str]) -> Rows:
    rows = snapshot.keywords["id"].rows_with(ids)
    return np.asarray(rows[snapshot.alive[rows]], np.intp)


def page_with_pins(
    snapshot: Snapshot, selection: Selection, pinned: PinnedRows, offset: int, limit: int
) -> NDArray[np.intp]:
    """Places in `selection` of one page, as `page` gives them, with the pinned rows at their positions.

    A pin beyond the end stands as near to its position as the others allow. Every pinned row is in `selection`.
    """
    is_pin = np.isin(selection.rows, pinned.rows)
    place_of = {int(selection.rows[place]): place for place in np.flatnonzero(is_pin).tolist()}
    pins = np.asarray([place_of[row] for row in pinned.rows.tolist()], np.intp)
    rest = np.flatnonzero(~is_pin)
    slots = np.minimum(pinned.positions - 1, len(rest) + np.arange(len(pins)))
    end = min(offset + limit, len(selection.rows))
    if offset >= end:
        return np.empty(0, np.intp)
    before, upto = np.searchsorted(slots, (offset, end)).tolist()
    plain = Selection(selection.rows[rest], selection.keys[rest], selection.variants[rest])
    wanted = page(snapshot, plain, offset - before, end - offset - (upto - before))
    places = np.empty(end - offset, np.intp)
    free = np.ones(len(places), np.bool_)
    free[slots[before:upto] - offset] = False
    places[~free] = pins[before:upto]
    places[free] = rest[wanted]
    return places


def page(snapshot: Snapshot, selection: Selection, offset: int, limit: int) -> NDArray[np.intp]:
    """Places in `selection` of one page, in order: key descending, then internal id ascending.

    Only the leading offset + limit entries are ever sorted.
    """
    depth = min(offset + limit, len(selection.rows))
    if offset >= depth:
        return np.empty(0, np.intp)
    numbers = snapshot.numbers[selection.rows]
    places = _leading(selection.keys, numbers, depth)
    order = np.lexsort((numbers[places], -selection.keys[places]))
    return np.asarray(places[order][offset:depth])


def _leading(keys: NDArray[np.float64], numbers: NDArray[np.int64], depth: int) -> NDArray[np.intp]:
    if depth >= len(keys):
        return np.arange(len(keys))
    threshold = np.partition(keys, len(keys) - depth)[len(keys) - depth]
    above = np.flatnonzero(keys > threshold)
    tied = np.flatnonzero(keys == threshold)
    wanted = depth - len(above)
    if wanted < len(tied):
        tied = tied[np.argpartition(numbers[tied], wanted - 1)[:wanted]]
    return np.concatenate([above, tied])
