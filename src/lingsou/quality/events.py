"""What is wrong with the event log: replays, wrong clocks, purchases of what nobody looked at, machines."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from lingsou.core.database import Database
from lingsou.events.bots import behaves_like_a_bot
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.events.sessions import codes_of
from lingsou.events.tables import events
from lingsou.quality.check import Finding
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem

CHECK = "events"
REPLAY_MS = 50
"""A hand does not do the same thing to the same product twice in this time; a double click takes longer."""
AHEAD_MS, LATE_MS = 60_000, 86_400_000
MIN_EVENTS = 100
MIN_PURCHASES = 20
MOST = 1_000_000
_FEW, _MANY = 0.001, 0.5
_VIEWS = ("impression", "ad_impression", "click", "ad_click", "detail", "cart")

_REPLAYED = Problem(
    "warning", "events that are sent twice", "Send each with an event_id of its own, and the same one on a retry.", 0.9
)
_AHEAD = Problem(
    "warning", "clocks ahead of the time of arrival", "Take the time from the server, or correct it by the offset.", 0.9
)
_LATE = Problem(
    "info", "events that arrive a day late", "See whether they are a load of old events, or are held back.", 0.6
)
_UNSEEN = Problem(
    "error",
    "purchases without any view before",
    "See that views and clicks are sent, under the ids of product, shopper and session that purchases have.",
    0.8,
)
_SOME_UNSEEN = Problem("info", "purchases without any view before", "Nothing, if they come from links and phones.", 0.5)
_MACHINES = Problem(
    "warning",
    "visitors who behave like machines",
    "Leave them out of training and analytics; block them if they cost.",
    0.7,
)
_NAMED = Problem("info", "events of what called itself a robot", "Nothing; they count nowhere.", 0.9)
_UNKNOWN = Problem(
    "warning", "events of nobody", "Send session, client or user with each; otherwise nothing can be joined.", 0.9
)


@dataclass(frozen=True)
class Arrived:
    """Events, and when each was received."""

    events: EventColumns
    received: NDArray[np.int64]
    """Milliseconds since 1970, UTC, [N]."""


def latest_events(database: Database, most: int = MOST) -> Arrived:
    """The events that arrived last, in order of time; robots too. Memory: about 500 bytes each.

    Raises:
        StorageError: the database cannot be read.
    """
    fields = (events.c.received, *(events.c[name] for name in COLUMNS))
    with database.read() as connection:
        rows = connection.execute(select(*fields).order_by(events.c.number.desc()).limit(most)).all()
    arrived = Arrived(columns_of([row[1:] for row in rows]), np.array([row[0] for row in rows], np.int64))
    order = np.argsort(arrived.events.time, kind="stable")
    return Arrived(arrived.events.where(order), arrived.received[order])


def event_report(columns: EventColumns, received: NDArray[np.int64] | None = None) -> list[Finding]:
    """What is wrong with these events; nothing can be said of fewer than 100.

    Args:
        columns: events in order of time.
        received: when each arrived, [N]; none: clocks are not judged.
    """
    if len(columns) < MIN_EVENTS:
        return []
    found = [*_replayed(columns), *_unseen(columns), *_machines(columns)]
    if received is not None:
        found += _clocks(columns, received)
    return found


def replayed(columns: EventColumns) -> NDArray[np.bool_]:
    """Which events repeat another of the same visitor, action, product, search and place within 50 ms, [N]."""
    content = codes_of(columns.visitor)
    for part in (columns.action, columns.object_id, columns.query_id, columns.ordinal.astype(object)):
        content = codes_of(content * (len(content) + 1) + codes_of(part))
    order = np.lexsort((columns.time, content))
    again = (np.diff(content[order]) == 0) & (np.diff(columns.time[order]) <= REPLAY_MS)
    flags = np.zeros(len(columns), np.bool_)
    flags[order[1:][again]] = True
    flags[columns.visitor == ""] = False
    return flags


def unseen(columns: EventColumns) -> NDArray[np.bool_]:
    """Which events are purchases of what neither the session nor the client nor the user had met before, [N]."""
    bought: NDArray[np.bool_] = columns.action == "purchase"
    known = np.zeros(len(columns), np.bool_)
    views = np.isin(columns.action.astype(str), _VIEWS)
    objects = codes_of(columns.object_id)
    for people in (columns.session_id, columns.client_id, columns.user_id):
        present = np.array([bool(each) for each in people], np.bool_)
        pairs = codes_of(codes_of(people) * (int(objects.max(initial=0)) + 1) + objects)
        first = np.full(int(pairs.max(initial=0)) + 1, np.iinfo(np.int64).max)
        seen = views & present
        np.minimum.at(first, pairs[seen], columns.time[seen])
        known |= present & (first[pairs] <= columns.time)
    missed: NDArray[np.bool_] = bought & ~known
    return missed


def _replayed(columns: EventColumns) -> Iterator[Finding]:
    flags = replayed(columns)
    if flags.sum() > _FEW * len(columns):
        yield _finding(_REPLAYED, _most(columns, flags))


def _unseen(columns: EventColumns) -> Iterator[Finding]:
    bought = int((columns.action == "purchase").sum())
    flags = unseen(columns)
    if bought >= MIN_PURCHASES and flags.any():
        problem = _UNSEEN if flags.sum() >= _MANY * bought else _SOME_UNSEEN
        yield _finding(problem, f"{flags.sum():,} of {bought:,} purchases", "purchase")


def _machines(columns: EventColumns) -> Iterator[Finding]:
    nobody = columns.visitor == ""
    if nobody.sum() > _FEW * len(columns):
        yield _finding(_UNKNOWN, _most(columns, nobody))
    flags = behaves_like_a_bot(columns) & ~columns.bot
    if flags.any():
        visitors = len(set(columns.visitor[flags]))
        yield _finding(_MACHINES, f"{flags.sum():,} of {len(columns):,} events, {visitors:,} visitors")
    if columns.bot.any():
        yield _finding(_NAMED, f"{columns.bot.sum():,} of {len(columns):,} events")


def _clocks(columns: EventColumns, received: NDArray[np.int64]) -> Iterator[Finding]:
    offset = columns.time - received
    for problem, flags in ((_AHEAD, offset > AHEAD_MS), (_LATE, -offset > LATE_MS)):
        if flags.sum() > _FEW * len(columns):
            middle = abs(float(np.median(offset[flags]))) / 1_000
            yield _finding(problem, f"{_most(columns, flags)}; median {middle:,.0f} s", "time")


def _most(columns: EventColumns, flags: NDArray[np.bool_]) -> str:
    names, counts = np.unique(columns.action[flags].astype(str), return_counts=True)
    place = int(counts.argmax())
    named = f"{flags.sum():,} of {len(columns):,} events"
    return f"{named}, most of all {excerpt(names[place], 0, 20)} ({counts[place]:,})"


def _finding(problem: Problem, evidence: str, field: str = "") -> Finding:
    return Finding(
        check=CHECK,
        severity=problem.severity,
        problem=problem.text,
        product_id="",
        row=None,
        field=field,
        evidence=evidence,
        repair=problem.repair,
        confidence=problem.confidence,
    )
