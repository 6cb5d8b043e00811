"""Facet counts over the match set after filters: a count equals the total that filtering by the value returns."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import RequestError
from lingsou.core.frozen import assembled
from lingsou.core.types import Facet, FacetCount, FacetRange, FacetRequest
from lingsou.retrieval.engines.embedded.columns import KeywordColumn
from lingsou.retrieval.engines.embedded.selection import Rows
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.filters import unknown_field

_AUTOMATIC_RANGES = 5
_TABLE_CELLS = 200
"""Up to so many table cells for each pair, marking a table is faster than making the pairs unique (measured)."""


def count_facets(
    snapshot: Snapshot, rows: Rows, requests: Sequence[FacetRequest], *, collapsed: bool
) -> tuple[Facet, ...]:
    """Counts for each request over `rows`; with `collapsed`, a variant group counts once a value.

    Raises:
        RequestError: an unknown field, or ranges asked of a text field.
    """
    if not requests:
        return ()
    return tuple(_facet(snapshot, rows, request, collapsed) for request in requests)


def _facet(snapshot: Snapshot, rows: Rows, request: FacetRequest, collapsed: bool) -> Facet:
    kind = snapshot.fields.get(request.field)
    if kind is None:
        raise unknown_field(request.field, snapshot.fields)
    if kind == "keyword" and request.ranges:
        raise RequestError("This field holds text and has no ranges.", cure="Leave `ranges` out.", field=request.field)
    if kind == "keyword" or (kind == "both" and not request.ranges):
        return _count_values(snapshot, snapshot.keywords[request.field], rows, request, collapsed)
    dense = snapshot.dense.get(request.field)
    if dense is not None:
        held, values = rows, dense[rows]
    else:
        column = snapshot.attribute_numbers[request.field]
        inside = np.isin(column.rows, rows, assume_unique=True, kind="table")
        held, values = column.rows[inside].astype(np.intp), column.values[inside]
    known = ~np.isnan(values)
    held, values = held[known], values[known]
    ranges = request.ranges or _nice_ranges(values, min(request.size, _AUTOMATIC_RANGES))
    counts = _count_ranges(snapshot, held, values, ranges, collapsed)
    return Facet(
        field=request.field,
        values=tuple(_counted(None, r.gte, r.lt, count) for r, count in zip(ranges, counts, strict=True)),
    )


def _counted(value: str | None, gte: float | None, lt: float | None, count: int) -> FacetCount:
    return assembled(FacetCount, {"value": value, "gte": gte, "lt": lt, "count": count})


def _count_ranges(
    snapshot: Snapshot,
    rows: Rows | NDArray[np.int32],
    values: NDArray[np.float64],
    ranges: Sequence[FacetRange],
    collapsed: bool,
) -> list[int]:
    """How many results lie in each range; ranges may overlap. `values` [len(rows)] are those of the rows."""
    bounds = [(-np.inf if each.gte is None else each.gte, np.inf if each.lt is None else each.lt) for each in ranges]
    groups = snapshot.groups[rows] if collapsed and len(snapshot.group_codes) else np.full(len(rows), -1, np.int32)
    grouped = groups >= 0
    single = np.sort(values[~grouped])
    # Sorted once, each range is two look-ups.
    counts = [max(0, int(np.subtract(*np.searchsorted(single, (high, low))))) for low, high in bounds]
    groups, values = groups[grouped], values[grouped]
    for place, (low, high) in enumerate(bounds if len(groups) else ()):
        seen = np.zeros(len(snapshot.group_codes), np.bool_)
        seen[groups[(values >= low) & (values < high)]] = True
        counts[place] += int(np.count_nonzero(seen))
    return counts


def _count_values(
    snapshot: Snapshot, column: KeywordColumn, rows: Rows, request: FacetRequest, collapsed: bool
) -> Facet:
    entries = column.entries_of(rows)
    codes = column.codes[entries]
    size = len(column.vocabulary)
    if collapsed and len(snapshot.group_codes):
        groups = snapshot.groups[column.rows[entries]]
        single = groups < 0
        counts = np.bincount(codes[single], minlength=size)
        counts += _distinct_groups(codes[~single], size, groups[~single], len(snapshot.group_codes))
    else:
        counts = np.bincount(codes, minlength=size)
    present = np.flatnonzero(counts)
    top = _most_frequent(column, counts, present, request.size)
    values = (_counted(column.vocabulary[code], None, None, int(counts[code])) for code in top)
    return Facet(field=request.field, values=tuple(values), other=len(present) - len(top))


def _distinct_groups(
    codes: NDArray[np.int32], values: int, groups: NDArray[np.int32], group_count: int
) -> NDArray[np.intp]:
    """How many groups carry each value, however many of a group's variants do: int [values]."""
    pairs = codes.astype(np.int64) * group_count + groups
    if values * group_count <= _TABLE_CELLS * len(pairs):
        table = np.zeros(values * group_count, np.bool_)
        table[pairs] = True
        return np.asarray(np.count_nonzero(table.reshape(values, group_count), axis=1))
    pairs.sort()
    first = np.concatenate([np.ones(min(len(pairs), 1), np.bool_), pairs[1:] != pairs[:-1]])
    return np.bincount(pairs[first] // group_count, minlength=values)


def _most_frequent(column: KeywordColumn, counts: NDArray[np.intp], present: NDArray[np.intp], size: int) -> list[int]:
    if len(present) > size:
        threshold = np.partition(counts[present], len(present) - size)[len(present) - size]
        present = present[counts[present] >= threshold]
    ordered = sorted(present.tolist(), key=lambda code: (-int(counts[code]), column.vocabulary[code]))
    return ordered[:size]


def _nice_ranges(values: NDArray[np.float64], parts: int) -> tuple[FacetRange, ...]:
    """At most `parts` ranges of about equal count, with bounds that people would write."""
    if not len(values):
        return ()
    ordered = np.sort(values)
    last = len(ordered) - 1
    # Quantiles by linear interpolation; np.quantile takes ten times as long for the same.
    quantiles = np.interp(np.linspace(0, last, parts + 1)[1:-1], np.arange(last + 1), ordered)
    edges = sorted({_nice(value) for value in quantiles.tolist()})
    edges = [edge for edge in edges if ordered[0] < edge <= ordered[-1]]
    bounds: list[float | None] = [None, *edges, None]
    return tuple(FacetRange(gte=low, lt=high) for low, high in pairwise(bounds))


def _nice(value: float) -> float:
    """The nearest number with one significant digit, or two when it starts with 1, 2 or 3."""
    if value == 0:
        return 0.0
    scale = 10.0 ** np.floor(np.log10(abs(value)))
    step = scale / 10 * 5 if abs(value) / scale < 4 else scale
    return float(f"{round(value / step) * step:.6g}")
