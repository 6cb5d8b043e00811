"""Sessions: what one visitor does without a long pause."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.events.columns import Texts

GAP_MS = 30 * 60 * 1_000
"""Half an hour, as web analytics has it by custom."""


def cut_sessions(visitor: Texts | Sequence[str], time: NDArray[np.int64], gap_ms: int = GAP_MS) -> NDArray[np.int64]:
    """The session of each event: 0, 1, … in order of their beginnings; −1 for an event of nobody.

    A session ends where the same visitor's next event is more than `gap_ms` later.

    Args:
        visitor: who, [N]; the empty string for nobody.
        time: when, in milliseconds [N]; in any order.
        gap_ms: the longest pause within a session.
    """
    names = np.asarray(visitor, object)
    count = len(names)
    if count == 0:
        return np.empty(0, np.int64)
    codes = codes_of(names)
    order = np.lexsort((time, codes))
    begins = np.ones(count, bool)
    begins[1:] = (codes[order][1:] != codes[order][:-1]) | (np.diff(time[order]) > gap_ms)
    session = np.cumsum(begins) - 1
    start = time[order][begins]
    rank = np.empty(len(start), np.int64)
    known = names[order][begins] != ""
    by_time = np.flatnonzero(known)[np.argsort(start[known], kind="stable")]
    rank[:] = -1
    rank[by_time] = np.arange(len(by_time))
    sessions = np.empty(count, np.int64)
    sessions[order] = rank[session]
    return sessions


def codes_of(values: NDArray[Any]) -> NDArray[np.int64]:
    """A number for each distinct value [N], in order of first appearance; none counts as a value."""
    seen: dict[Any, int] = {}
    return np.fromiter((seen.setdefault(each, len(seen)) for each in values), np.int64, len(values))
