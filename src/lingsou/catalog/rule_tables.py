"""The tables of merchandising rules: one draft, and every version ever published. `lingsou.rules` reads and writes."""

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, insert

from lingsou.core.database import Schema, metadata

rule_draft = Table(
    "rule_draft",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("changed_at", Text, nullable=False),
    Column("document", Text, nullable=False),
)
"""One row: the rules being worked on, as JSON. Whoever changes rules locks it first, so changes take turns."""

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("published_at", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("restores", BigInteger),
    Column("document", Text, nullable=False),
)
"""Published sets, never changed afterwards. `restores` is set where an undo brought an older one back."""


def _begin_empty(connection: Connection) -> None:
    connection.execute(insert(rule_draft).values(id=1, revision=0, author="", changed_at="", document="[]"))


RULES_SCHEMA = Schema("rules", (rule_draft, rule_versions), populate=_begin_empty)
