"""Copying a whole store: into a SQLite file while it is in use, and from one kind of database to the other."""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, delete, insert, select

from lingsou.core.database import Database, Schema, meta, metadata, schema_versions, sqlite_url
from lingsou.core.errors import ConfigurationError, ConflictError

BATCH = 1_000


def copy_to_sqlite(
    database: Database, target: Path, schemas: Sequence[Schema], elsewhere: Collection[str] = ()
) -> None:
    """Write the database as it is at one moment into a new SQLite file, without holding up writers.

    Raises:
        ConflictError: the file exists.
        ConfigurationError: the database holds tables that neither `schemas` nor `elsewhere` names.
    """
    if target.exists():
        raise ConflictError(f"{target} exists.", cure="Name a file that does not exist yet.")
    if database.is_sqlite:
        _copy_file(database, target)
        return
    copy = Database.open(sqlite_url(target))
    try:
        copy.prepare(*schemas)
        with database.snapshot() as source, copy.write() as sink:
            copy_tables(source, sink, schemas, elsewhere)
    finally:
        copy.close()


def _copy_file(database: Database, target: Path) -> None:
    with database.read() as connection, closing(sqlite3.connect(target)) as copy:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        # In one step: copying piece by piece starts again whenever another process writes, and might never end.
        raw.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")


def copy_tables(
    source: Connection,
    sink: Connection,
    schemas: Sequence[Schema],
    elsewhere: Collection[str] = (),
    *,
    facts: bool = True,
) -> None:
    """Replace every row in `sink` by the rows of `source`, streaming; both at the newest schema versions.

    Args:
        source: where from.
        sink: where to.
        schemas: whose tables.
        elsewhere: names of schemas in the same database that another copy takes care of.
        facts: copy what is known of the store as a whole too, such as its identity.

    Raises:
        ConfigurationError: `source` holds tables that nobody takes care of, which would be lost.
    """
    unknown = schema_versions(source).keys() - {schema.name for schema in schemas} - set(elsewhere)
    if unknown:
        raise ConfigurationError(
            f"The store holds '{', '.join(sorted(unknown))}' tables, which this version of Lingsou does not know.",
            cure="Use the version of Lingsou, and the plug-ins, that made it.",
        )
    ours = {table for schema in schemas for table in schema.tables}
    tables: list[Table] = [table for table in metadata.sorted_tables if table in ours]  # parents first
    for table in reversed(tables):
        sink.execute(delete(table))
    for table in tables:
        rows = source.execution_options(yield_per=BATCH).execute(select(table))
        for part in rows.mappings().partitions():
            sink.execute(insert(table), [dict(row) for row in part])
    if facts:
        about_the_store = meta.c.key.not_like("schema.%")  # both have the same versions, and perhaps other schemas
        sink.execute(delete(meta).where(about_the_store))
        known = source.execute(select(meta).where(about_the_store)).mappings()
        sink.execute(insert(meta), [dict(row) for row in known])
