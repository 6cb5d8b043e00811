"""New events as they arrive: what keeps aggregates in memory up with the log."""

import time
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, or_, select

from lingsou.core.database import Database
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.events.tables import events, searches

BATCH = 2_000
_GAP_S = 30.0
_MOST_GAPS = 5_000
_IN = 500


@dataclass(frozen=True)
class Arrivals:
    """Some new events, in order of arrival, and the words of the searches that they belong to."""

    events: EventColumns
    """A time ahead of the service's clock is set back to the event's arrival."""
    texts: dict[str, str]
    """Query id → words, masked; as the search log has them, else the shop's `query` event."""


class Follower:
    """Reads the log behind what was read before. One thread uses it.

    Where several processes write, an event may become visible after one with a higher number: numbers that were
    missing are looked for again during half a minute.
    """

    def __init__(self, database: Database, since: datetime):
        self._database = database
        self._since = round(since.timestamp() * 1_000)
        self._after = 0
        self._gaps: dict[int, float] = {}

    def take(self, limit: int = BATCH) -> Arrivals | None:
        """The next events that happened since the beginning, at most `limit`; none when there are no more.

        Raises:
            StorageError: the database cannot be read.
        """
        now = time.monotonic()
        self._gaps = {number: seen for number, seen in self._gaps.items() if now - seen < _GAP_S}
        new = events.c.number > self._after
        wanted = or_(new, events.c.number.in_(self._gaps)) if self._gaps else new
        fields = (events.c.number, events.c.received, *(events.c[name] for name in COLUMNS))
        chosen = select(*fields).where(wanted, events.c.time >= self._since).order_by(events.c.number).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
        if not rows:
            return None
        self._note([row[0] for row in rows], now)
        found = columns_of([row[2:] for row in rows])
        np.minimum(found.time, np.asarray([row[1] for row in rows], np.int64), out=found.time)
        return Arrivals(found, self.texts(sorted({name for name in found.query_id if name is not None})))

    def texts(self, query_ids: list[str]) -> dict[str, str]:
        """The words of searches, by query id; unknown ones are left out."""
        found: dict[str, str] = {}
        told = (events.c.action == "query", events.c.message.is_not(None))
        with self._database.read() as connection:
            for start in range(0, len(query_ids), _IN):
                part = query_ids[start : start + _IN]
                sent = select(events.c.query_id, events.c.message).where(events.c.query_id.in_(part), *told)
                asked = select(searches.c.query_id, searches.c.text).where(searches.c.query_id.in_(part))
                for statement in (sent, asked):
                    found.update((name, text) for name, text in connection.execute(statement))
        return found

    def held(self) -> int:
        """How many of the events that were read are still in the log; fewer than before: some were deleted."""
        counted = select(func.count()).where(events.c.number <= self._after, events.c.time >= self._since)
        with self._database.read() as connection:
            return int(connection.execute(counted).scalar_one())

    def _note(self, numbers: list[int], now: float) -> None:
        for number in numbers:
            self._gaps.pop(number, None)
        new = [number for number in numbers if number > self._after]
        # The first look is at a log of long ago, whose gaps are deletions.
        if new and self._after and new[-1] - self._after - len(new) < _MOST_GAPS:
            missing = set(range(self._after + 1, new[-1])) - set(new)
            self._gaps.update(dict.fromkeys(missing, now))
        self._after = max(self._after, numbers[-1])
