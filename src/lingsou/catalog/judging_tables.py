"""The tables of judging: sets of queries, what two configurations found for them, and every grade ever given.

`lingsou.evaluation.judging` reads and writes.
"""

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, Table, Text, insert

from lingsou.catalog.tables import Number
from lingsou.core.database import Schema, metadata

judging_counter = Table(
    "judging_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Number, nullable=False),
)
"""One row: the last number given to a set or a grade. Whoever writes locks it first, so writers take turns."""

judging_sets = Table(
    "judging_sets",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("a", Text, nullable=False),
    Column("b", Text, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

judging_queries = Table(
    "judging_queries",
    metadata,
    Column("set_number", Number, ForeignKey("judging_sets.number"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

judging_results = Table(
    "judging_results",
    metadata,
    Column("set_number", Number, ForeignKey("judging_sets.number"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("side", Text, primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("product_id", Text, nullable=False),
)
"""The ranked list of each side, `a` or `b`, for the query at `position`, as it was when the set was searched."""

judging_grades = Table(
    "judging_grades",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("query", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("grade", Integer, nullable=False),
    Column("graded_at", Text, nullable=False),
    Column("withdrawn_at", Text),
    Index("judging_grades_pair", "query", "product_id", "judge"),
)
"""Rows are only ever added; undoing sets `withdrawn_at`. Grades are of query and product: every set shares them."""


def _begin_empty(connection: Connection) -> None:
    connection.execute(insert(judging_counter).values(id=1, number=0))


JUDGING_SCHEMA = Schema(
    "judging",
    (judging_counter, judging_sets, judging_queries, judging_results, judging_grades),
    populate=_begin_empty,
)
