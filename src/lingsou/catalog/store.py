"""The store: the truth about every product, and the log of its changes."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from lingsou.catalog import writes
from lingsou.catalog.fullload import FullLoad
from lingsou.catalog.judging_tables import JUDGING_SCHEMA
from lingsou.catalog.quality_tables import QUALITY_SCHEMA
from lingsou.catalog.quarantine import Held, Quarantine, amend, hold, supersede
from lingsou.catalog.quarantine_tables import QUARANTINE_SCHEMA
from lingsou.catalog.rows import VOLATILE_COLUMNS, decode, encode_all
from lingsou.catalog.rule_tables import RULES_SCHEMA
from lingsou.catalog.tables import CATALOG_SCHEMA, counter, documents, products
from lingsou.catalog.tasks import Problem, Task, create_task, get_task
from lingsou.catalog.transfer import copy_to_sqlite
from lingsou.catalog.vectors import VECTORS_SCHEMA
from lingsou.catalog.writes import WriteResult
from lingsou.core.database import Database, get_meta, sqlite_url
from lingsou.core.errors import StorageError
from lingsou.core.frozen import assembled
from lingsou.core.keys import KEYS_SCHEMA
from lingsou.core.settings import DataFolder, Settings
from lingsou.core.types import Change, Product, ProductPatch

SCHEMAS = (
    KEYS_SCHEMA,
    CATALOG_SCHEMA,
    VECTORS_SCHEMA,
    RULES_SCHEMA,
    JUDGING_SCHEMA,
    QUALITY_SCHEMA,
    QUARANTINE_SCHEMA,
)

_ROW = (products.c.number, products.c.id, documents.c.document, *(products.c[name] for name in VOLATILE_COLUMNS))
_LIVE = select(*_ROW).join(documents, documents.c.number == products.c.number)
_GET = _LIVE.where(products.c.id.in_(bindparam("ids", expanding=True)))
_PAGE = _LIVE.where(products.c.number > bindparam("after")).order_by(products.c.number).limit(bindparam("count"))
_CHANGES = (
    select(*_ROW, products.c.sequence, products.c.content_sequence, products.c.deleted)
    .outerjoin(documents, documents.c.number == products.c.number)
    .where(products.c.sequence > bindparam("after"))
    .order_by(products.c.sequence)
    .limit(bindparam("count"))
)


class Store:
    """Products, their change log, write tasks and API keys in one database.

    Thread-safe, and several processes may write at once. A write that has returned survives the death of the
    process. Every write is one transaction: all of it is kept, or nothing.

    All writes raise `LockedError` when another writer holds on for too long, `StorageFullError` when no space is
    left, and `StorageError` when the database is damaged or cannot be reached.
    """

    def __init__(self, database: Database, currency: str):
        self.database = database
        self.currency = currency
        self.quarantine = Quarantine(database, currency)

    @classmethod
    def open(cls, url: str, *, currency: str = "CNY", wait_seconds: float = 30.0) -> "Store":
        """Open the store at a SQLAlchemy URL; made if absent, upgraded if older.

        Args:
            url: `sqlite:///path` or `postgresql+psycopg://…`.
            currency: written into products that name none.
            wait_seconds: how long to wait for another writer.

        Raises:
            ConfigurationError: the URL does not fit, or the store is newer than this version.
            StorageError: it cannot be reached or is damaged.
        """
        database = Database.open(url, wait_seconds=wait_seconds)
        try:
            database.prepare(*SCHEMAS)
        except BaseException:
            database.close()
            raise
        return cls(database, currency)

    @classmethod
    def of(cls, folder: DataFolder, settings: Settings) -> "Store":
        """Open the store of a data folder: the database its settings name, else the SQLite file in it."""
        url = settings.store.url.get_secret_value() if settings.store.url else sqlite_url(folder.database)
        return cls.open(url, currency=settings.currency)

    def upsert(self, batch: Sequence[Product], held: Sequence[Held] = ()) -> WriteResult:
        """Add products, or replace them whole. Of several with one id the last wins.

        A product stored exactly so already counts as unchanged and enters no change in the log. Those `held` go into
        quarantine in the same transaction; an older version that is there of any product of the batch is replaced.

        Raises:
            ProductError: a value cannot be kept; nothing of the batch was written.
        """
        rows = encode_all(batch, self.currency)
        with self.database.write() as connection:
            result = writes.upsert(connection, rows)
            supersede(connection, rows)
            hold(connection, held)
            return result

    def patch(self, patches: Sequence[ProductPatch]) -> WriteResult:
        """Set volatile fields of what is stored, and of what is held back. Several patches of one product add up."""
        merged: dict[str, dict[str, Any]] = {}
        for each in patches:
            merged.setdefault(each.id, {}).update(each.values())
        with self.database.write() as connection:
            result = writes.patch(connection, merged)
            amend(connection, merged)
            return result

    def delete(self, ids: Sequence[str]) -> WriteResult:
        """Delete products by id; what is held back of them is no longer wanted either."""
        with self.database.write() as connection:
            result = writes.remove(connection, list(dict.fromkeys(ids)))
            supersede(connection, ids)
            return result

    def begin_load(self) -> FullLoad:
        """Begin a full load, at whose end what it did not name is deleted."""
        return FullLoad(self.database, self.currency)

    def get(self, ids: Sequence[str], until: int | None = None) -> dict[str, Product]:
        """The products of these ids; those that do not exist are left out, and those changed after sequence `until`."""
        with self.database.read() as connection:
            return _get(connection, ids, until)

    def edit(
        self, ids: Sequence[str], change: Callable[[Connection, dict[str, Product]], Sequence[Product]]
    ) -> WriteResult:
        """Read products and write what `change` makes of them in one transaction, in which nobody else writes.

        Raises:
            ProductError: a value cannot be kept; nothing was written, nor what `change` did on its connection.
        """
        with self.database.write() as connection:
            writes.Counter(connection)  # before the products are read: whoever holds it is the only writer
            return writes.upsert(connection, encode_all(change(connection, _get(connection, ids)), self.currency))

    def changes(self, after: int, limit: int) -> list[Change]:
        """At most `limit` changes later than sequence `after`, in order; the latest of each product alone."""
        with self.database.read() as connection:
            rows = connection.execute(_CHANGES, {"after": after, "count": limit}).all()
        found: list[Change] = []
        for number, product_id, document, *volatile, sequence, content_sequence, deleted in rows:
            product = None if deleted else decode(product_id, document, tuple(volatile))
            values = {
                "sequence": sequence,
                "content_sequence": content_sequence,
                "number": number,
                "id": product_id,
                "product": product,
            }
            found.append(assembled(Change, values))
        return found

    def pending(self, after: int) -> int:
        """How many changes are later than sequence `after`; the latest of each product alone counts."""
        with self.database.read() as connection:
            waiting = select(func.count()).select_from(products).where(products.c.sequence > after)
            return connection.execute(waiting).scalar_one()

    def products(self, batch: int = 1000) -> Iterator[list[Product]]:
        """Every product, by number, in lists of `batch`.

        Each list is consistent in itself. Between two lists others may write: to build a view of one moment, read
        `sequence()` first, and `changes()` since then afterwards.
        """
        after = 0
        while True:
            with self.database.read() as connection:
                rows = connection.execute(_PAGE, {"after": after, "count": batch}).all()
            if not rows:
                return
            yield [decode(product_id, document, tuple(volatile)) for _, product_id, document, *volatile in rows]
            after = rows[-1][0]

    def sequence(self) -> int:
        """The sequence number of the last committed change; 0 when there was none."""
        with self.database.read() as connection:
            sequence: int = connection.execute(select(counter.c.sequence)).scalar_one()
            return sequence

    def count(self) -> int:
        """How many products there are."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(documents)).scalar_one()

    def identity(self) -> str:
        """A random id made when the store was created or restored: an index of another identity is of no use."""
        with self.database.read() as connection:
            identity = get_meta(connection, "identity")
        if identity is None:
            raise StorageError("The store has lost its identity.", cure="Restore the newest backup: lingsou restore.")
        return identity

    def create_task(
        self,
        kind: str,
        *,
        accepted: int,
        sequence: int,
        rejected: int = 0,
        quarantined: int = 0,
        problems: Sequence[Problem] = (),
    ) -> Task:
        """Record a write request; `sequence` is that of its `WriteResult`."""
        return create_task(
            self.database,
            kind,
            accepted=accepted,
            sequence=sequence,
            rejected=rejected,
            quarantined=quarantined,
            problems=problems,
        )

    def task(self, task_id: str) -> Task:
        """A recorded write request.

        Raises:
            NotFoundError: no such task, or it is older than a week.
        """
        return get_task(self.database, task_id)

    def backup(self, target: Path, elsewhere: Collection[str] = ()) -> None:
        """Write all of the store as it is at one moment into a new SQLite file, while others go on writing.

        `elsewhere` names schemas of other packages in the same database, which are left out.

        Raises:
            ConflictError: the file exists.
            StorageFullError: no space is left for it.
        """
        copy_to_sqlite(self.database, target, SCHEMAS, elsewhere)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _get(connection: Connection, ids: Sequence[str], until: int | None = None) -> dict[str, Product]:
    found: dict[str, Product] = {}
    wanted = _GET if until is None else _GET.where(products.c.sequence <= until)
    for chunk in writes.chunks([each for each in dict.fromkeys(ids) if "\0" not in each]):
        # All at once: fetched one by one, rows cost as much again.
        for _, product_id, document, *volatile in connection.execute(wanted, {"ids": chunk}).all():
            found[product_id] = decode(product_id, document, tuple(volatile))
    return found
