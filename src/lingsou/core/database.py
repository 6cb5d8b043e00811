"""One database, SQLite or PostgreSQL: opening it, transactions, schema versions, errors in our own terms.

Tables of every package register on the shared `metadata`; each package's `Schema` names its tables and the
steps that lead an older layout to the newest.
"""

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lingsou.core.errors import ConfigurationError, LockedError, MissingExtraError, StorageError, StorageFullError

metadata = MetaData()
"""Every table of every package."""

meta = Table("lingsou_meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))
"""Facts about the store itself: `identity`, `created_at`, and `schema.<name>` → version."""

UPGRADE_LOCK = 0x6C696E67736F75  # "lingsou": the advisory lock under which PostgreSQL schemas are made and upgraded
SQLITE_FULL, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CORRUPT, SQLITE_NOTADB = 13, 5, 6, 11, 26


@dataclass(frozen=True)
class Migration:
    """One upgrade step. `apply` spells its DDL out: the tables in code move on, a step must not."""

    version: int
    purpose: str
    apply: Callable[[Connection], None]


@dataclass(frozen=True)
class Schema:
    """The tables of one package, and how an older layout becomes the newest (versions 2, 3, … in order)."""

    name: str
    tables: tuple[Table, ...]
    migrations: tuple[Migration, ...] = ()
    populate: Callable[[Connection], None] | None = None

    @property
    def version(self) -> int:
        """The newest version; 1 is the layout before any migration."""
        return self.migrations[-1].version if self.migrations else 1


class Database:
    """An engine with our transaction rules. Thread-safe; not to be carried across a fork."""

    def __init__(self, engine: Engine, where: str, wait_seconds: float):
        self.engine = engine
        self.where = where
        self._wait = wait_seconds
        self._writer = engine.execution_options(lingsou_write=True)

    @classmethod
    def open(cls, url: str, *, wait_seconds: float = 30.0) -> "Database":
        """Connect lazily to `url`; `wait_seconds` is how long to wait for another writer.

        Raises:
            ConfigurationError: the URL is malformed, names another kind of database, or memory only.
            MissingExtraError: PostgreSQL without its driver.
        """
        parsed = _parse(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, hide_parameters=True, max_overflow=-1)
            event.listen(engine, "connect", lambda raw, _: _configure_sqlite(raw, wait_seconds))
            event.listen(engine, "begin", _begin_sqlite)
            return cls(engine, str(parsed.database), wait_seconds)
        try:
            engine = create_engine(
                parsed, hide_parameters=True, pool_pre_ping=True, max_overflow=27, connect_args={"connect_timeout": 10}
            )
        except ModuleNotFoundError as error:
            raise MissingExtraError("psycopg", "postgres") from error
        # Never the whole URL: it carries a password.
        return cls(
            engine, f"PostgreSQL database '{parsed.database}' at {parsed.host or 'a local socket'}", wait_seconds
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads. Several statements in it see one state only on SQLite."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that reads one unchanging state, on both kinds of database."""
        engine = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        with self._translated(), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed, durably, at the end of the block, or undone as a whole.

        Raises:
            LockedError: another writer held on for longer than the wait.
            StorageFullError, StorageError: the database cannot keep it.
        """
        with self._translated(), self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SET LOCAL lock_timeout = {int(self._wait * 1000)}"))
            yield connection

    @contextmanager
    def session_lock(self, key: int, wait_s: float) -> Iterator[bool]:
        """Keep an advisory lock of PostgreSQL for the block, on a connection of its own; says whether it was free.

        It goes with its connection, so a killed holder's is free at once. On SQLite, whose file no other machine
        reads, it always is: lock a file beside it.
        """
        if self.is_sqlite:
            yield True
            return
        with self._translated(), self.engine.connect() as connection:
            # Not in a transaction, which would keep old rows from being cleaned away for as long as the block takes.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # from the pool: to close it gives the lock back, also after an error
            deadline = time.monotonic() + wait_s
            attempt = text("SELECT pg_try_advisory_lock(:key)")
            while not (free := bool(connection.execute(attempt, {"key": key}).scalar_one())):
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.05)
            yield free

    def prepare(self, *schemas: Schema) -> None:
        """Create what is absent and upgrade what is older, in one transaction; safe when many processes start at once.

        Raises:
            ConfigurationError: the store is newer than this version of Lingsou, or the tables are someone else's.
        """
        with self.read() as connection:
            if inspect(connection).has_table(meta.name):
                versions = schema_versions(connection)
                if all(versions.get(schema.name) == schema.version for schema in schemas):
                    return
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            metadata.create_all(connection, tables=[meta])
            versions = schema_versions(connection)
            if get_meta(connection, "identity") is None:
                set_meta(connection, "identity", uuid.uuid4().hex)
                set_meta(connection, "created_at", datetime.now(UTC).isoformat(timespec="seconds"))
            for schema in schemas:
                self._bring_up(connection, schema, versions.get(schema.name))

    def _bring_up(self, connection: Connection, schema: Schema, version: int | None) -> None:
        if version is None:
            taken = {table.name for table in schema.tables} & set(inspect(connection).get_table_names())
            if taken:
                raise ConfigurationError(
                    f"{self.where} already has tables of someone else's: {', '.join(sorted(taken))}.",
                    cure="Give Lingsou a database of its own.",
                )
            metadata.create_all(connection, tables=list(schema.tables), checkfirst=False)
            if schema.populate:
                schema.populate(connection)
        elif version > schema.version:
            raise ConfigurationError(
                f"{self.where} was written by a newer Lingsou: its '{schema.name}' tables are of version {version}, "
                f"this one knows {schema.version}.",
                cure="Upgrade Lingsou, or restore a backup made by this version.",
            )
        for migration in schema.migrations:
            if version is not None and migration.version > version:
                migration.apply(connection)
        set_meta(connection, f"schema.{schema.name}", str(schema.version))

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise LockedError(
                f"Every connection to {self.where} is busy.", cure="Try again; fewer requests at once help."
            ) from error
        except (DBAPIError, sqlite3.Error) as error:
            ours = _in_our_terms(error.orig if isinstance(error, DBAPIError) else error, self.where, self._wait)
            if ours is None:
                raise
            raise ours from error


def schema_versions(connection: Connection) -> dict[str, int]:
    """Schema name → stored version."""
    rows = connection.execute(select(meta).where(meta.c.key.like("schema.%")))
    return {row.key.removeprefix("schema."): int(row.value) for row in rows}


def get_meta(connection: Connection, key: str) -> str | None:
    """One fact about the store; none when it was never set."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Set one fact about the store."""
    if not connection.execute(update(meta).where(meta.c.key == key).values(value=value)).rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "The store's URL cannot be read.",
            field="store.url",
            cure="Write it as postgresql+psycopg://user:password@host:5432/database.",
        ) from error
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise ConfigurationError(
            f"The store cannot live in '{parsed.drivername}'.",
            field="store.url",
            cure="Use postgresql+psycopg://… or leave it out for SQLite in the data folder.",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ConfigurationError(
            "A store in memory would lose every write.", field="store.url", cure="Name a file: sqlite:///path/to/file."
        )
    return parsed


def _configure_sqlite(connection: Any, wait_seconds: float) -> None:
    connection.isolation_level = None  # transactions are begun by us, so that writers take their lock at once
    connection.execute(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
    _use_wal(connection, wait_seconds)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "cache_size = -16384", "journal_size_limit = 67108864"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any, wait_seconds: float) -> None:
    # The change to WAL needs the file alone and does not wait by itself, so processes that start together retry.
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    if mode != "wal":
        raise StorageError(
            "The file system does not allow several processes to share a SQLite file.",
            cure="Put the data folder on a local disk, or set store.url to a PostgreSQL database.",
        )


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("lingsou_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _in_our_terms(error: BaseException | None, where: str, wait: float) -> StorageError | LockedError | None:
    """What the driver's error means to a user; none when it is a fault of our own code."""
    if isinstance(error, sqlite3.Error):
        return _sqlite_in_our_terms(error, where, wait)
    return _postgres_in_our_terms(error, where, wait)


def _full(where: str) -> StorageFullError:
    return StorageFullError(
        f"No space is left for {where}; nothing of this write was kept.", cure="Free disk space and send it again."
    )


def _locked(where: str, wait: float) -> LockedError:
    return LockedError(
        f"Another process has been writing to {where} for longer than {wait:g} seconds.",
        cure="Try again; if it stays so, find the process that holds it.",
    )


def _damaged(where: str) -> StorageError:
    return StorageError(f"{where} is damaged or is not a store.", cure="Restore the newest backup: lingsou restore.")


def _sqlite_in_our_terms(error: sqlite3.Error, where: str, wait: float) -> StorageError | LockedError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == SQLITE_FULL:
        return _full(where)
    if code in {SQLITE_BUSY, SQLITE_LOCKED}:
        return _locked(where, wait)
    if code in {SQLITE_CORRUPT, SQLITE_NOTADB}:
        return _damaged(where)
    if isinstance(error, sqlite3.OperationalError) and code in {8, 10, 14, 23}:  # read-only, I/O, cannot open, denied
        return StorageError(
            f"{where} cannot be opened or written: {error}.", cure="Check that the folder exists and its permissions."
        )
    return None


def _postgres_in_our_terms(error: BaseException | None, where: str, wait: float) -> StorageError | LockedError | None:
    state: str | None = getattr(error, "sqlstate", None)
    if state is None or state[:2] in {"08", "28", "3D", "57"}:
        # A connection that fails or breaks has no state at all in the driver.
        if type(error).__name__ not in {"OperationalError", "ConnectionTimeout", "AdminShutdown", "CannotConnectNow"}:
            return None
        return StorageError(f"{where} cannot be reached.", cure="Start PostgreSQL, or correct store.url.")
    if state == "53100":
        return _full(where)
    if state in {"55P03", "40P01"}:
        return _locked(where, wait)
    if state.startswith("XX"):
        return _damaged(where)
    return None
