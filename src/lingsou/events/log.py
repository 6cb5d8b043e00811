"""The log of events: appended in batches, idempotent, read by time, person or product."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

import orjson
from pydantic import Field
from sqlalchemy import Connection, RowMapping, delete, select

from lingsou.core.database import Database
from lingsou.core.types import Frozen, Instant
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.events.privacy import Privacy
from lingsou.events.schema import Action, Event
from lingsou.events.tables import events

_STORED: tuple[str, ...] = ("application", "query_id", "user_id", "client_id", "session_id", "object_id")
_STORED += ("object_id_field", "ordinal", "rating", "quantity", "price", "message_type", "message", "action_name")
_ORDER = (events.c.time, events.c.number)


class Appended(Frozen):
    """What became of a batch."""

    accepted: int
    duplicates: int = Field(description="events that were there already")


class Selection(Frozen):
    """Which events; every part that is set must hold. Ids of people may be the shop's own or pseudonyms."""

    since: Instant | None = None
    until: Instant | None = Field(None, description="exclusive")
    user_id: str | None = None
    session_id: str | None = None
    object_id: str | None = None
    query_id: str | None = None
    actions: tuple[Action, ...] = ()
    bots: bool = Field(False, description="also what called itself a robot")


@runtime_checkable
class EventLog(Protocol):
    """Events, kept. An append that has returned survives the death of the process."""

    def append(self, batch: Sequence[Event], *, bot: bool = False) -> Appended:
        """Store what is new, made private. In any order of time; an event that is there already changes nothing."""

    def read(self, selection: Selection) -> EventColumns:
        """The selected events in order of time, as columns."""

    def pages(self, selection: Selection, size: int = 1_000) -> Iterator[list[Event]]:
        """The selected events whole, in order of arrival; `event_id` is set, so that they can be appended again."""

    def expire(self, before: datetime) -> int:
        """Delete the events that happened earlier; how many."""

    def close(self) -> None:
        """Let go of what it holds."""


class SqlEventLog:
    """The event log in SQLite or PostgreSQL. Thread-safe; several processes may append at once.

    All methods raise `StorageError` and `LockedError` as `Database` does.
    """

    def __init__(self, database: Database, privacy: Privacy):
        self.database = database
        self.privacy = privacy
        self._insert = _new_events(database)
        self._waiting: list[tuple[list[dict[str, Any]], Future[int]]] = []
        self._waiting_lock, self._commit_lock = threading.Lock(), threading.Lock()

    def append(self, batch: Sequence[Event], *, bot: bool = False) -> Appended:
        """As `EventLog.append`."""
        if not batch:
            return Appended(accepted=0, duplicates=0)
        received = _milliseconds(datetime.now(UTC))
        rows = [self._row(event, bot, received) for event in batch]
        accepted = self._commit(rows)
        return Appended(accepted=accepted, duplicates=len(rows) - accepted)

    def read(self, selection: Selection) -> EventColumns:
        """As `EventLog.read`."""
        chosen = select(*(events.c[name] for name in COLUMNS)).where(*self._conditions(selection)).order_by(*_ORDER)
        with self.database.read() as connection:
            return columns_of(connection.execute(chosen).all())

    def pages(self, selection: Selection, size: int = 1_000) -> Iterator[list[Event]]:
        """As `EventLog.pages`."""
        after, conditions = 0, self._conditions(selection)
        while True:
            chosen = select(events).where(events.c.number > after, *conditions).order_by(events.c.number).limit(size)
            with self.database.read() as connection:
                rows = connection.execute(chosen).mappings().all()
            if not rows:
                return
            yield [event_of(row) for row in rows]
            after = rows[-1]["number"]

    def expire(self, before: datetime) -> int:
        """As `EventLog.expire`."""
        with self.database.write() as connection:
            return connection.execute(delete(events).where(events.c.time < _milliseconds(before))).rowcount

    def close(self) -> None:
        """As `EventLog.close`."""
        self.database.close()

    def _conditions(self, selection: Selection) -> list[Any]:
        people = {name: getattr(selection, name) for name in ("user_id", "session_id")}
        equal = {name: self.privacy.pseudonym(value) for name, value in people.items() if value is not None}
        plain = {name: getattr(selection, name) for name in ("object_id", "query_id")}
        equal |= {name: value for name, value in plain.items() if value is not None}
        conditions: list[Any] = [events.c[name] == value for name, value in equal.items()]
        if selection.since:
            conditions.append(events.c.time >= _milliseconds(selection.since))
        if selection.until:
            conditions.append(events.c.time < _milliseconds(selection.until))
        if selection.actions:
            conditions.append(events.c.action.in_(selection.actions))
        if not selection.bots:
            conditions.append(events.c.bot.is_(False))
        return conditions

    def _row(self, event: Event, bot: bool, received: int) -> dict[str, Any]:
        event = self.privacy.applied(event)
        row = {name: getattr(event, name) for name in _STORED}
        row["time"], row["action"] = _milliseconds(event.time), event.action
        row["attributes"] = (
            orjson.dumps(dict(event.attributes), option=orjson.OPT_SORT_KEYS).decode() if event.attributes else None
        )
        own = event.event_id
        content = f"id\0{own}".encode("utf-8", "surrogatepass") if own else orjson.dumps(list(row.values()))
        row["key"] = own if own and own.startswith("e_") and len(own) == 34 else f"e_{self.privacy.key(content)}"
        return {**row, "bot": bot, "received": received}

    def _commit(self, rows: list[dict[str, Any]]) -> int:
        """Write the rows, together with those of every other thread that waits for the disk just now."""
        done: Future[int] = Future()
        with self._waiting_lock:
            self._waiting.append((rows, done))
        with self._commit_lock:
            if not done.done():  # else the thread before wrote these rows along with its own
                with self._waiting_lock:
                    group, self._waiting = self._waiting, []
                try:
                    with self.database.write() as connection:
                        counts = [self._write(connection, part) for part, _ in group]
                except BaseException as error:
                    for _, future in group:
                        future.set_exception(error)
                    raise
                for (_, future), count in zip(group, counts, strict=True):
                    future.set_result(count)
        return done.result()

    def _write(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        result = connection.execute(self._insert, rows, execution_options={"preserve_rowcount": True})
        return result.rowcount


def _new_events(database: Database) -> Any:
    """An insert that passes over events that are there. The other dialect stays out: PostgreSQL's takes 0.15 s."""
    if database.is_sqlite:
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(events).on_conflict_do_nothing()
    from sqlalchemy.dialects.postgresql import insert as insert_postgres

    return insert_postgres(events).on_conflict_do_nothing()


def event_of(row: RowMapping) -> Event:
    """The event of a stored row."""
    values = {name: row[name] for name in _STORED}
    attributes = orjson.loads(row["attributes"]) if row["attributes"] else {}
    time = datetime.fromtimestamp(row["time"] / 1_000, UTC)
    # It was checked when it came; a shop's later, stricter rules must not make its history unreadable.
    return Event.model_construct(**values, event_id=row["key"], time=time, attributes=attributes)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)
