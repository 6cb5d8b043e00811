"""The tables of events and searches, in a database that product writes never wait for."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, event

from lingsou.core.database import Database, Schema, metadata, sqlite_url
from lingsou.core.settings import DataFolder, Settings

Number = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("bot", Boolean, nullable=False),
    Column("action", Text, nullable=False),
    Column("action_name", Text, nullable=False),
    Column("application", Text),
    Column("query_id", Text),
    Column("user_id", Text),
    Column("client_id", Text),
    Column("session_id", Text),
    Column("object_id", Text),
    Column("object_id_field", Text),
    Column("ordinal", Integer),
    Column("rating", Double),
    Column("quantity", Integer),
    Column("price", Double),
    Column("message_type", Text),
    Column("message", Text),
    Column("attributes", Text),
    Index("events_time", "time"),
    Index("events_user", "user_id"),
    Index("events_session", "session_id"),
    Index("events_query", "query_id"),
    Index("events_object", "object_id"),
)
"""One row for each event; times in milliseconds since 1970, ids of people as pseudonyms, attributes as JSON."""

searches = Table(
    "searches",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("query_id", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("took_ms", Double, nullable=False),
    Column("page", BigInteger, nullable=False),
    Column("filters", Text, nullable=False),
    Column("relaxed", Boolean, nullable=False),
    Column("user_id", Text),
    Column("session_id", Text),
    Column("device", Text),
    Column("locale", Text),
    Index("searches_time", "time"),
    Index("searches_user", "user_id"),
    Index("searches_query", "query_id"),
)
"""One row for each search over HTTP: the text masked and normalised, the names of the filtered fields, no values."""

EVENTS_SCHEMA = Schema("events", (events, searches))


def events_url(folder: DataFolder, settings: Settings) -> str:
    """Where events live: `events.url`, else the store's database if that has a URL, else a SQLite file of their own."""
    chosen = settings.events.url or settings.store.url
    return chosen.get_secret_value() if chosen else sqlite_url(folder.events)


def open_database(url: str) -> Database:
    """The database of events at a URL, made if absent.

    Raises:
        ConfigurationError, StorageError: as `Database.open` and `Database.prepare`.
    """
    database = Database.open(url)
    if database.is_sqlite:
        event.listen(database.engine, "connect", _overwrite_what_is_deleted)
    try:
        database.prepare(EVENTS_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _overwrite_what_is_deleted(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA secure_delete = ON")
