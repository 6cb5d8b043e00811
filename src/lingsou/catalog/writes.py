"""Writing products inside one transaction: what changed, what did not, and which sequence number each change gets.

Every function locks the counter first. Writers therefore take turns from reading the old state to committing the
new one, and a reader never sees a sequence number before a smaller one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from lingsou.catalog.rows import VOLATILE_COLUMNS, Encoded, Volatile, patched
from lingsou.catalog.tables import counter, documents, products

CHUNK = 500
"""Values in one IN list, well below every database's limit of parameters."""


@dataclass(frozen=True)
class WriteResult:
    """What a write did. `sequence` is the last of the write, or of the store where nothing changed."""

    sequence: int
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: tuple[str, ...] = ()
    """The ids that a patch or delete did not find."""


@dataclass(frozen=True)
class Stored:
    """What is compared against: one row without its document."""

    number: int
    content_hash: str
    volatile: Volatile
    deleted: bool


class Counter:
    """Sequence and product numbers of one write transaction; holds the lock that makes writers take turns."""

    def __init__(self, connection: Connection):
        self._connection = connection
        row = connection.execute(select(counter).where(counter.c.id == 1).with_for_update()).one()
        self.sequence: int = row.sequence
        self.number: int = row.number

    def next_sequence(self) -> int:
        """The position of one more change."""
        self.sequence += 1
        return self.sequence

    def next_number(self) -> int:
        """The internal id of one more product; no number is ever skipped."""
        self.number += 1
        return self.number

    def save(self) -> None:
        """Write back what was given out."""
        self._connection.execute(
            update(counter).where(counter.c.id == 1).values(sequence=self.sequence, number=self.number)
        )


_STORED = (
    products.c.id,
    products.c.number,
    products.c.content_hash,
    products.c.deleted,
    *(products.c[name] for name in VOLATILE_COLUMNS),
)
_BY_IDS = select(*_STORED).where(products.c.id.in_(bindparam("ids", expanding=True)))
_THIS_NUMBER = products.c.number == bindparam("this")
_SET_VOLATILE: dict[str, Any] = {name: bindparam(name) for name in (*VOLATILE_COLUMNS, "sequence")}
_UPDATE_VOLATILE = update(products).where(_THIS_NUMBER).values(_SET_VOLATILE)
_UPDATE_CONTENT = (
    update(products)
    .where(_THIS_NUMBER)
    .values(
        {
            **_SET_VOLATILE,
            "content_hash": bindparam("content_hash"),
            "content_sequence": bindparam("sequence"),
            "deleted": False,
        }
    )
)
_TOMBSTONE: dict[str, Any] = {"content_hash": "", "deleted": True, **dict.fromkeys(VOLATILE_COLUMNS)}
_DROP_DOCUMENT = delete(documents).where(documents.c.number == bindparam("this"))
# Both databases know ON CONFLICT, SQLAlchemy only in each dialect's own construct.
_PUT_DOCUMENT = text(
    "INSERT INTO documents (number, document) VALUES (:number, :document)"
    " ON CONFLICT (number) DO UPDATE SET document = excluded.document"
)


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut ids into lists that fit one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def find(connection: Connection, ids: Iterable[str]) -> dict[str, Stored]:
    """What is stored under these ids, tombstones too."""
    found: dict[str, Stored] = {}
    for chunk in chunks([each for each in ids if "\0" not in each]):
        for product_id, number, content_hash, deleted, *volatile in connection.execute(_BY_IDS, {"ids": chunk}):
            found[product_id] = Stored(number, content_hash, tuple(volatile), deleted)
    return found


def live_numbers(connection: Connection, ids: Iterable[str]) -> list[int]:
    """The numbers of those ids that are products now."""
    return [stored.number for stored in find(connection, ids).values() if not stored.deleted]


def upsert(connection: Connection, batch: Mapping[str, Encoded]) -> WriteResult:
    """Add or replace whole products. One that is stored exactly so gets no new sequence number."""
    count = Counter(connection)
    stored = find(connection, batch)
    new: list[dict[str, Any]] = []
    content: list[dict[str, Any]] = []
    volatile: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    added = unchanged = 0
    for product in batch.values():
        old = stored.get(product.id)
        if old and not old.deleted and old.content_hash == product.content_hash:
            if old.volatile == product.volatile:
                unchanged += 1
            else:
                volatile.append(_row(product.volatile, count, this=old.number))
            continue
        added += old is None or old.deleted
        number = old.number if old else count.next_number()
        if old:
            content.append(_row(product.volatile, count, this=number, content_hash=product.content_hash))
        else:
            row = _row(product.volatile, count, number=number, id=product.id, content_hash=product.content_hash)
            row.update(content_sequence=row["sequence"], deleted=False)
            new.append(row)
        texts.append({"number": number, "document": product.document})
    _execute_many(connection, insert(products), new)
    _execute_many(connection, _UPDATE_CONTENT, content)
    _execute_many(connection, _UPDATE_VOLATILE, volatile)
    _execute_many(connection, _PUT_DOCUMENT, texts)
    updated = len(batch) - added - unchanged
    if added or updated:
        count.save()
    return WriteResult(count.sequence, added=added, updated=updated, unchanged=unchanged)


def patch(connection: Connection, batch: Mapping[str, Mapping[str, Any]]) -> WriteResult:
    """Set volatile fields (id → field → value). Values that are stored already get no new sequence number."""
    count = Counter(connection)
    stored = find(connection, batch)
    changed: list[dict[str, Any]] = []
    missing: list[str] = []
    for product_id, values in batch.items():
        old = stored.get(product_id)
        if old is None or old.deleted:
            missing.append(product_id)
            continue
        new = patched(old.volatile, values)
        if new != old.volatile:
            changed.append(_row(new, count, this=old.number))
    if changed:
        _execute_many(connection, _UPDATE_VOLATILE, changed)
        count.save()
    unchanged = len(batch) - len(missing) - len(changed)
    return WriteResult(count.sequence, updated=len(changed), unchanged=unchanged, missing=tuple(missing))


def remove(connection: Connection, ids: Sequence[str]) -> WriteResult:
    """Delete products by id, leaving tombstones for the change log."""
    count = Counter(connection)
    stored = find(connection, ids)
    missing = tuple(each for each in ids if each not in stored or stored[each].deleted)
    gone = [
        {"this": stored[each].number, "sequence": count.next_sequence()}
        for each in ids
        if each in stored and not stored[each].deleted
    ]
    if gone:
        tombstone = update(products).where(_THIS_NUMBER).values({**_TOMBSTONE, "sequence": bindparam("sequence")})
        _execute_many(connection, tombstone, gone)
        _execute_many(connection, _DROP_DOCUMENT, [{"this": row["this"]} for row in gone])
        count.save()
    return WriteResult(count.sequence, deleted=len(gone), missing=missing)


def remove_where(connection: Connection, count: Counter, condition: Any) -> int:
    """Delete every product that meets `condition`, in two statements whatever their number; returns how many."""
    doomed = (
        select(products.c.number, func.row_number().over(order_by=products.c.number).label("position"))
        .where(products.c.deleted.is_(False), condition)
        .subquery()
    )
    connection.execute(delete(documents).where(documents.c.number.in_(select(doomed.c.number))))
    removed = connection.execute(
        update(products)
        .where(products.c.number == doomed.c.number)
        .values({**_TOMBSTONE, "sequence": count.sequence + doomed.c.position})
    ).rowcount
    count.sequence += removed
    count.save()
    return removed


def _row(volatile: Volatile, count: Counter, **others: Any) -> dict[str, Any]:
    others.update(zip(VOLATILE_COLUMNS, volatile, strict=True), sequence=count.next_sequence())
    return others


def _execute_many(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
