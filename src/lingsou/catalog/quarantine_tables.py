"""The tables of the quarantine: products that were held back, and why.

`lingsou.catalog.quarantine` reads and writes.
"""

from sqlalchemy import Column, Connection, Double, ForeignKey, Index, Integer, Table, Text, insert

from lingsou.catalog.tables import Number
from lingsou.core.database import Schema, metadata

quarantine_counter = Table(
    "quarantine_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Number, nullable=False),
)
"""One row: the last number given to an entry or to a write that met one again."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("product_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("met", Number, nullable=False),
    Column("source", Text, nullable=False),
    Column("feed_row", Integer),
    Column("held_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("closed_by", Text),
    Column("digest", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("quarantine_product", "product_id", "state"),
    Index("quarantine_state", "state", "number"),
    Index("quarantine_closed", "closed_at"),
)
"""One row for each version of a product that was held back; at most one of a product is `held`. `met` is the number
under which it last came in, so that the end of a full load knows what its feed no longer has."""

quarantine_reasons = Table(
    "quarantine_reasons",
    metadata,
    Column("number", Number, ForeignKey("quarantine.number"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("check_id", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("repair", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Index("quarantine_reasons_check", "check_id", "number"),
)


def _begin_empty(connection: Connection) -> None:
    connection.execute(insert(quarantine_counter).values(id=1, number=0))


QUARANTINE_SCHEMA = Schema("quarantine", (quarantine_counter, quarantine, quarantine_reasons), populate=_begin_empty)
