"""From query to purchase: which search, place and click an action belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.events.bots import behaves_like_a_bot
from lingsou.events.columns import EventColumns, Texts
from lingsou.events.sessions import GAP_MS, codes_of, cut_sessions

_COUNTED = ("impression", "click", "detail", "cart", "purchase")
_LATER = ("detail", "cart", "purchase", "rating", "review")


@dataclass(frozen=True)
class Journeys:
    """What became of each product that a search showed: one row for each query id and product, N in all."""

    query_id: Texts
    object_id: Texts
    session: NDArray[np.int64]
    """Of the first event; −1 of nobody."""
    time: NDArray[np.int64]
    """Of the first event, milliseconds since 1970."""
    ordinal: NDArray[np.int64]
    """The highest place in which it was seen or clicked, from 1; −1 for unknown."""
    impressions: NDArray[np.int64]
    clicks: NDArray[np.int64]
    details: NDArray[np.int64]
    carts: NDArray[np.int64]
    purchases: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)


def attribute(columns: EventColumns, sessions: NDArray[np.int64]) -> Texts:
    """The query that each event [N] belongs to, or none.

    An event that names its query keeps it. Of the others, details, carts, purchases, ratings and reviews belong to
    the query of the last click on the same product before them in the same session.
    """
    order = np.lexsort((np.arange(len(columns)), columns.time, codes_of(columns.object_id), sessions))
    queries = columns.query_id.copy()
    last: str | None = None
    before: tuple[int, str | None] = (-1, None)
    for place in order:
        group = (int(sessions[place]), columns.object_id[place])
        if group != before:
            before, last = group, None
        action, named = columns.action[place], columns.query_id[place]
        if action == "click" and named:
            last = named
        elif named is None and action in _LATER and group[0] >= 0 and group[1] is not None:
            queries[place] = last
    return queries


def journeys(columns: EventColumns, *, gap_ms: int = GAP_MS, bots: bool = False) -> Journeys:
    """Query → impression → click → detail → cart → purchase. Robots are left out unless wanted."""
    if not bots:
        columns = columns.where(~columns.bot & ~behaves_like_a_bot(columns))
    sessions = cut_sessions(columns.visitor, columns.time, gap_ms)
    queries = attribute(columns, sessions)
    action = columns.action.astype(str)
    wanted = (queries != None) & (columns.object_id != None) & np.isin(action, _COUNTED)  # noqa: E711 (elementwise)
    chosen = np.flatnonzero(wanted)
    pairs = np.empty(len(chosen), object)
    pairs[:] = list(zip(queries[chosen], columns.object_id[chosen], strict=True))
    group = codes_of(pairs)
    size = int(group.max()) + 1 if len(group) else 0
    first = np.full(size, -1, np.int64)
    first[group[::-1]] = chosen[::-1]  # columns are in order of time
    place = np.full(size, np.iinfo(np.int64).max)
    told = columns.ordinal[chosen]
    np.minimum.at(place, group[told > 0], told[told > 0])
    place[place == np.iinfo(np.int64).max] = -1
    counts = _counts(action[chosen], group, size, np.where(action == "purchase", columns.quantity, 1)[chosen])
    return Journeys(
        query_id=queries[first], object_id=columns.object_id[first], session=sessions[first], time=columns.time[first],
        ordinal=place, impressions=counts[0], clicks=counts[1], details=counts[2], carts=counts[3], purchases=counts[4],
    )  # fmt: skip


def _counts(
    action: NDArray[np.str_], group: NDArray[np.int64], size: int, weight: NDArray[np.int64]
) -> Sequence[NDArray[np.int64]]:
    found = []
    for name in _COUNTED:
        own = action == name
        found.append(np.bincount(group[own], weight[own], minlength=size).astype(np.int64))
    return found
