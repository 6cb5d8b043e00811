"""The tables of the catalogue and their upgrades.

Volatile values stand in `products`, texts in `documents`: a price change then rewrites a row of a hundred bytes,
not the description beside it (measured: 1.8 to 3.6 times as many updates a second).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    insert,
    text,
)

from lingsou.core.database import Migration, Schema, metadata

Number = BigInteger().with_variant(Integer, "sqlite")

products = Table(
    "products",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("content_hash", Text, nullable=False),
    Column("price_e4", BigInteger),
    Column("stock", Integer),
    Column("rating", Double),
    Column("review_count", Integer),
    Column("sales", Integer),
    Column("sequence", BigInteger, nullable=False),
    Column("content_sequence", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Index("products_sequence", "sequence", unique=True),
)
"""One row for each id ever seen; a deleted product stays as a tombstone, so that the log can tell of it."""

documents = Table(
    "documents",
    metadata,
    Column("number", Number, ForeignKey("products.number"), primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)
"""The fields that are not volatile, as JSON; none for a tombstone."""

counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""One row: the last sequence and number given out. Whoever writes locks it first, so writers take turns."""

loads = Table(
    "loads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("touched_at", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("products", BigInteger, nullable=False),
)
"""Full loads under way: the last sequence and the count of products when each began."""

load_seen = Table(
    "load_seen",
    metadata,
    Column("load_id", Text, ForeignKey("loads.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
)
"""The products that a full load has named so far."""

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("problems", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="written"),
    Column("quarantined", BigInteger, nullable=False, server_default="0"),
    Index("tasks_created_at", "created_at"),
)
"""What became of each write request. Since version 2; `state` since version 3, `quarantined` since 4."""


def _add_tasks(connection: Connection) -> None:
    connection.execute(
        text(
            "CREATE TABLE tasks (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, created_at TEXT NOT NULL,"
            " accepted BIGINT NOT NULL, rejected BIGINT NOT NULL, problems TEXT NOT NULL, sequence BIGINT NOT NULL)"
        )
    )
    connection.execute(text("CREATE INDEX tasks_created_at ON tasks (created_at)"))


def _let_tasks_run(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE tasks ADD COLUMN state TEXT NOT NULL DEFAULT 'written'"))


def _count_what_was_held(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE tasks ADD COLUMN quarantined BIGINT NOT NULL DEFAULT 0"))


def _start_counting(connection: Connection) -> None:
    connection.execute(insert(counter).values(id=1, sequence=0, number=0))


CATALOG_SCHEMA = Schema(
    "catalog",
    tables=(products, documents, counter, loads, load_seen, tasks),
    migrations=(
        Migration(2, "a record of each write request", _add_tasks),
        Migration(3, "tasks that go on after their request", _let_tasks_run),
        Migration(4, "how many products of a request were held back", _count_what_was_held),
    ),
    populate=_start_counting,
)
