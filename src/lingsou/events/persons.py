"""One shopper's rights: to see what is stored of them, and to have all of it gone, down to the bytes on disk."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, delete, or_, select, text

from lingsou.core.database import Database
from lingsou.core.errors import LockedError
from lingsou.core.types import Frozen
from lingsou.events.log import event_of
from lingsou.events.privacy import Privacy
from lingsou.events.tables import events, searches
from lingsou.events.wire import to_wire

_CHUNK = 500
_WAIT_S = 30.0


class Erased(Frozen):
    """What went."""

    events: int
    searches: int


def of_person(database: Database, privacy: Privacy, person: str) -> dict[str, list[dict[str, Any]]]:
    """All that is stored of one shopper: `events` in the wire form and `searches`, in order of time.

    Args:
        database: where events and searches live.
        privacy: with the secret that they were stored under.
        person: a user, client or session id as the shop knows it, or a pseudonym.
    """
    with database.snapshot() as connection:
        found = {
            table.name: [
                dict(row)
                for condition in _conditions(connection, table, privacy.pseudonym(person))
                for row in connection.execute(select(table).where(condition)).mappings()
            ]
            for table in (events, searches)
        }
    unique = {name: {row["number"]: row for row in rows}.values() for name, rows in found.items()}
    ordered = {name: sorted(rows, key=lambda row: (row["time"], row["number"])) for name, rows in unique.items()}
    return {
        "events": [to_wire(event_of(row)) for row in ordered["events"]],  # type: ignore[arg-type]
        "searches": [{key: value for key, value in row.items() if key != "number"} for row in ordered["searches"]],
    }


def erase(database: Database, privacy: Privacy, person: str) -> Erased:
    """Delete all that `of_person` shows, and overwrite it on disk. Takes a copy's worth of time and space.

    A PostgreSQL server keeps its own log and backups for as long as it is set to.

    Raises:
        LockedError: others kept reading; the rows are gone, the bytes not yet. Doing it again finishes it.
    """
    with database.write() as connection:
        counts = {}
        conditions = {
            table.name: list(_conditions(connection, table, privacy.pseudonym(person))) for table in (events, searches)
        }
        for table in (events, searches):
            counts[table.name] = sum(
                connection.execute(delete(table).where(each)).rowcount for each in conditions[table.name]
            )
    scrub(database)
    return Erased(**counts)


def scrub(database: Database) -> None:
    """Rewrite the tables, so that no file keeps what was deleted: no free page and no write-ahead log."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in (events, searches):
                connection.execute(text(f"VACUUM (FULL) {table.name}"))
        return
    raw = database.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        deadline = time.monotonic() + _WAIT_S
        while True:
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return
            if time.monotonic() > deadline:
                raise LockedError(f"{database.where} is read without a pause.", cure="Erase again when it is quiet.")
            time.sleep(0.05)
    finally:
        raw.close()


def _conditions(connection: Connection, table: Table, pseudonym: str) -> Iterator[Any]:
    """Conditions that together hold for the person's rows in one table.

    Theirs is what carries their id; what nobody else's id is on, of a session or client where they were known; and
    the searches that their events name.
    """
    own = [column for column in table.c if column.name in {"user_id", "client_id", "session_id"}]
    yield or_(*(column == pseudonym for column in own))
    nobodys = table.c.user_id.is_(None)
    for name, others in (("session_id", (events, searches)), ("client_id", (events,))):
        if name in table.c:
            known = {
                each
                for other in others
                for each in connection.execute(
                    select(other.c[name]).where(other.c.user_id == pseudonym, other.c[name].is_not(None)).distinct()
                ).scalars()
            } - {pseudonym}
            yield from (and_(nobodys, part) for part in _among(table.c[name], known))
    if table is searches:
        mine = or_(events.c.user_id == pseudonym, events.c.client_id == pseudonym, events.c.session_id == pseudonym)
        named = connection.execute(select(events.c.query_id).where(mine, events.c.query_id.is_not(None)).distinct())
        yield from (and_(nobodys, part) for part in _among(searches.c.query_id, named.scalars()))


def _among(column: Column[Any], values: Iterable[str]) -> Iterator[Any]:
    listed: Sequence[str] = sorted(set(values))
    for start in range(0, len(listed), _CHUNK):
        yield column.in_(listed[start : start + _CHUNK])
