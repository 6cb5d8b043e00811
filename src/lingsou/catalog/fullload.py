"""A full load: the feed is the whole catalogue, and what it does not name is deleted at the end.

The products seen are staged in the database, not in memory. Nothing is deleted before `finish`, and a load that
is never finished changes nothing but what it upserted.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, text, update

from lingsou.catalog import writes
from lingsou.catalog.quarantine import Held, hold, mark, supersede, supersede_before
from lingsou.catalog.rows import encode_all
from lingsou.catalog.tables import load_seen, loads, products
from lingsou.catalog.writes import Counter, WriteResult
from lingsou.core.database import Database
from lingsou.core.errors import ConflictError, NotFoundError
from lingsou.core.types import Product

ABANDONED_AFTER = timedelta(hours=24)
"""A load that was not touched for so long belongs to a process that died."""
NOTES_AT_ONCE = 1_000

_SEE = text("INSERT INTO load_seen (load_id, number) VALUES (:load_id, :number) ON CONFLICT DO NOTHING")


class FullLoad:
    """One full load under way. Use as a context manager, so that leaving it early drops its notes."""

    def __init__(self, database: Database, currency: str):
        self._database = database
        self._currency = currency
        self._id = uuid.uuid4().hex
        self._kept: list[str] = []
        with database.write() as connection:
            _forget(connection, loads.c.touched_at < _moment(datetime.now(UTC) - ABANDONED_AFTER))
            now = Counter(connection)
            self._before = mark(connection)
            connection.execute(
                insert(loads).values(
                    id=self._id,
                    touched_at=_moment(datetime.now(UTC)),
                    sequence=now.sequence,
                    products=_count(connection),
                )
            )

    def upsert(self, batch: Sequence[Product], held: Sequence[Held] = ()) -> WriteResult:
        """Write products and note them as seen, in one transaction; those `held` go into quarantine.

        What is stored of a product that is held counts as seen: better an older version in the shop than none.
        """
        rows = encode_all(batch, self._currency)
        with self._database.write() as connection:
            result = writes.upsert(connection, rows)
            supersede(connection, rows)
            hold(connection, held)
            self._see(connection, [*rows, *self._kept, *(each.product.id for each in held)])
        self._kept.clear()
        return result

    def keep(self, ids: Iterable[str]) -> None:
        """Note products as seen without writing them, such as those whose row in the feed was rejected.

        Notes are gathered and written with the next batch, so that one call a row costs no transaction each.
        """
        self._kept.extend(ids)
        if len(self._kept) >= NOTES_AT_ONCE:
            with self._database.write() as connection:
                Counter(connection)
                self._see(connection, self._kept)
            self._kept.clear()

    def finish(self, max_delete_share: float = 0.5, force: bool = False) -> WriteResult:
        """Delete what was not seen; the result counts these deletions alone. What was held back before is replaced.

        A product that someone else wrote since the load began is newer than the feed and stays.

        Raises:
            ConflictError: more than `max_delete_share` (0 to 1) of the products there were at the beginning would
                go. Nothing was deleted, and the load may be finished again with `force`.
            NotFoundError: the load was finished or cleaned up before.
        """
        with self._database.write() as connection:
            count = Counter(connection)
            load = connection.execute(select(loads).where(loads.c.id == self._id)).one_or_none()
            if load is None:
                raise _gone()
            self._see(connection, self._kept)
            seen = select(load_seen.c.number).where(
                load_seen.c.load_id == self._id, load_seen.c.number == products.c.number
            )
            unseen = (products.c.content_sequence <= load.sequence) & ~seen.exists()
            doomed = _count(connection, unseen)
            if not force and doomed > max_delete_share * load.products:
                raise ConflictError(
                    f"This full load would delete {doomed:,} of {load.products:,} products "
                    f"({doomed / max(load.products, 1):.0%}); the limit is {max_delete_share:.0%}.",
                    cure="Check that the feed is complete and its ids are as before; if so, load it with force.",
                )
            deleted = writes.remove_where(connection, count, unseen) if doomed else 0
            supersede_before(connection, self._before)
            _forget(connection, loads.c.id == self._id)
        return WriteResult(count.sequence, deleted=deleted)

    def abandon(self) -> None:
        """Drop the load's notes; what it upserted stays, nothing is deleted."""
        with self._database.write() as connection:
            _forget(connection, loads.c.id == self._id)

    def __enter__(self) -> "FullLoad":
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def _see(self, connection: Connection, ids: Iterable[str]) -> None:
        touched = update(loads).where(loads.c.id == self._id).values(touched_at=_moment(datetime.now(UTC)))
        if not connection.execute(touched).rowcount:
            raise _gone()
        numbers = writes.live_numbers(connection, ids)
        if numbers:
            connection.execute(_SEE, [{"load_id": self._id, "number": number} for number in numbers])


def _gone() -> NotFoundError:
    return NotFoundError("This full load is over: it was finished, abandoned or left idle.", cure="Begin it again.")


def _forget(connection: Connection, which: object) -> None:
    old = select(loads.c.id).where(which)  # type: ignore[arg-type]
    connection.execute(delete(load_seen).where(load_seen.c.load_id.in_(old)))
    connection.execute(delete(loads).where(which))  # type: ignore[arg-type]


def _count(connection: Connection, *conditions: object) -> int:
    live = select(func.count()).select_from(products).where(products.c.deleted.is_(False), *conditions)  # type: ignore[arg-type]
    return connection.execute(live).scalar_one()


def _moment(when: datetime) -> str:
    return when.isoformat(timespec="microseconds")
