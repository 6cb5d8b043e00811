"""The quarantine: products that a gate held back, why, and what became of them.

Rows are held in the transaction that writes the rest of their batch, so a killed load leaves each row of a batch where
it belongs, or nowhere. A product is held at most once: a newer version of it, good or bad, takes the older one's place.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

import orjson
from pydantic import Field
from sqlalchemy import Connection, Select, bindparam, delete, false, func, insert, or_, select, update

from lingsou.catalog import writes
from lingsou.catalog.quarantine_tables import quarantine, quarantine_counter, quarantine_reasons
from lingsou.catalog.rows import encode_all
from lingsou.catalog.writes import Counter, WriteResult
from lingsou.core.database import Database
from lingsou.core.errors import ConflictError, NotFoundError
from lingsou.core.types import VOLATILE_FIELDS, Frozen, Instant, Product

KEPT_FOR = timedelta(days=90)
"""How long an entry that was dropped or replaced can be looked up. What was released is remembered for good."""

State = Literal["held", "released", "dropped", "replaced"]
STATES: tuple[State, ...] = get_args(State)


class Reason(Frozen):
    """One finding for which a product is held back."""

    check: str = Field(description="id of the check")
    severity: Literal["error", "warning", "info"]
    problem: str = Field(description="what is wrong, in the words of `lingsou check`")
    field: str = Field(description="field of the product, e.g. `title` or `attributes.colour`")
    evidence: str = Field(description="short excerpt")
    repair: str = Field(description="what the shop can do")
    confidence: float = Field(ge=0, le=1, description="how sure the check is")


class Held(NamedTuple):
    """A product on its way into quarantine."""

    product: Product
    reasons: tuple[Reason, ...]
    source: str
    """Name of the feed, or `http`."""
    row: int
    """Row of the feed, or place in the list that was sent, from 1."""


class Entry(Frozen):
    """A product in quarantine, or one that was there."""

    id: int = Field(description="of the entry, not of the product")
    product_id: str
    state: State = Field(
        description="`held`; `released`: loaded as it is; `dropped`: forgotten; `replaced`: a newer load, a delete, or "
        "the end of a full load made it obsolete"
    )
    source: str = Field(description="name of the feed, or `http`")
    row: int | None = Field(description="row of the feed, or place in the list that was sent, from 1")
    held_at: Instant
    closed_at: Instant | None = Field(None, description="when it was released, dropped or replaced")
    closed_by: str = Field("", description="who released or dropped it: the name of the API key, or `command line`")
    reasons: tuple[Reason, ...]
    product: Product


class Page(Frozen):
    """Some entries, oldest first."""

    entries: tuple[Entry, ...]
    total: int = Field(description="entries of that state and check, on all pages")
    next: int | None = Field(description="`after` of the next page; none: this is the last one")


class ReasonCount(Frozen):
    """How many products are held for one problem."""

    check: str
    problem: str
    count: int


_HELD = quarantine.c.state == "held"
_SOME_HELD = select(quarantine.c.number).where(_HELD).limit(1)
_VERSIONS = select(quarantine.c.product_id, quarantine.c.number, quarantine.c.digest, quarantine.c.state).where(
    quarantine.c.product_id.in_(bindparam("ids", expanding=True)),
    quarantine.c.state.in_(bindparam("states", expanding=True)),
    or_(_HELD, quarantine.c.digest.in_(bindparam("digests", expanding=True))),  # older versions may be many
)
_OPEN: tuple[State, ...] = ("held", "replaced")
"""States without a decision of a person."""
_THIS = quarantine.c.number == bindparam("this")
_AGAIN = (
    update(quarantine)
    .where(_THIS)
    .values(
        state="held",
        closed_at=None,
        met=bindparam("met"),
        source=bindparam("source"),
        feed_row=bindparam("feed_row"),
        document=bindparam("new_document"),
    )
)
_WRITE = update(quarantine).where(_THIS).values(document=bindparam("new_document"))
_REPLACE = update(quarantine).where(_THIS).values(state="replaced", closed_at=bindparam("now"))
_FLEETING = set(VOLATILE_FIELDS) - {"price"} | {"created_at", "updated_at"}
"""Fields that another load may well bring with another value: who released a product need not decide again for them.
The price is not among them, since it may be what is wrong."""
_ROW = (
    quarantine.c.number,
    quarantine.c.product_id,
    quarantine.c.state,
    quarantine.c.source,
    quarantine.c.feed_row,
    quarantine.c.held_at,
    quarantine.c.closed_at,
    quarantine.c.closed_by,
    quarantine.c.document,
)


def hold(connection: Connection, held: Sequence[Held]) -> None:
    """Put products into quarantine, in order. One that was held so before gets its entry back, with its newest stock.

    The caller holds the lock of the store's `Counter`.
    """
    if not held:
        return
    number: int = connection.execute(select(quarantine_counter.c.number)).scalar_one()
    digests = [_digest(each) for each in held]
    _forget_old(connection)  # first, so that no entry is given back that is gone a moment later
    current, versions = _known(connection, {(each.product.id, own) for each, own in zip(held, digests, strict=True)})
    now = _moment(datetime.now(UTC))
    new: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    again: dict[int, dict[str, Any]] = {}
    replaced: set[int] = set()
    for each, digest in zip(held, digests, strict=True):
        number += 1
        product_id, document = each.product.id, each.product.model_dump_json(exclude_defaults=True)
        place = {"met": number, "source": each.source.encode(errors="replace").decode(), "feed_row": each.row}
        own = versions.setdefault((product_id, digest), number)
        if own == number:
            values = {"product_id": product_id, "state": "held", "held_at": now, "digest": digest, "document": document}
            new.append({"number": number, **values, **place})
            reasons += _reason_rows(number, each.reasons)
        else:
            again[own] = {"this": own, "new_document": document, **place}
        older = current.get(product_id, own)
        if older != own:
            replaced.add(older)
        replaced.discard(own)
        current[product_id] = own
    _execute_many(connection, insert(quarantine), new)
    _execute_many(connection, insert(quarantine_reasons), reasons)
    _execute_many(connection, _AGAIN, list(again.values()))
    _execute_many(connection, _REPLACE, [{"this": each, "now": now} for each in replaced])
    connection.execute(update(quarantine_counter).values(number=number))


def supersede(connection: Connection, ids: Iterable[str]) -> None:
    """A newer version of these products was written, or they were deleted: what is held of them is obsolete."""
    if connection.execute(_SOME_HELD).first() is None:
        return
    close = update(quarantine).values(state="replaced", closed_at=_moment(datetime.now(UTC)))
    for chunk in _askable(ids):
        connection.execute(close.where(_HELD, quarantine.c.product_id.in_(chunk)))


def amend(connection: Connection, batch: Mapping[str, Mapping[str, Any]]) -> None:
    """Set volatile fields (id → field → value) of what is held, so that a release brings no older value back.

    The caller holds the lock of the store's `Counter`.
    """
    if connection.execute(_SOME_HELD).first() is None:
        return
    changed: list[dict[str, Any]] = []
    own = select(quarantine.c.number, quarantine.c.product_id, quarantine.c.document).where(_HELD)
    for chunk in _askable(batch):
        for number, product_id, document in connection.execute(own.where(quarantine.c.product_id.in_(chunk))):
            product = Product.model_validate_json(document).model_copy(update=dict(batch[product_id]))
            changed.append({"this": number, "new_document": product.model_dump_json(exclude_defaults=True)})
    _execute_many(connection, _WRITE, changed)


def mark(connection: Connection) -> int:
    """The point that entries met from now on lie behind."""
    number: int = connection.execute(select(quarantine_counter.c.number)).scalar_one()
    return number


def supersede_before(connection: Connection, point: int) -> None:
    """What was not met since `mark` gave `point` is no longer in a feed that is the whole catalogue."""
    close = update(quarantine).values(state="replaced", closed_at=_moment(datetime.now(UTC)))
    connection.execute(close.where(_HELD, quarantine.c.met <= point))


class Quarantine:
    """What is held back, to be looked through, released or dropped. Thread-safe, as the store is.

    All raise what the store raises when its database cannot be read or written.
    """

    def __init__(self, database: Database, currency: str):
        self._database = database
        self._currency = currency

    def page(self, *, state: State = "held", check: str | None = None, after: int = 0, limit: int = 50) -> Page:
        """At most `limit` entries behind the entry `after`, oldest first."""
        which = self._which(state, check)
        with self._database.snapshot() as connection:
            total = connection.execute(select(func.count()).select_from(which.subquery())).scalar_one()
            wanted = which.where(quarantine.c.number > after).order_by(quarantine.c.number).limit(limit + 1)
            numbers = [number for (number,) in connection.execute(wanted)]
            entries = self._entries(connection, numbers[:limit])
        return Page(entries=entries, total=total, next=numbers[limit - 1] if len(numbers) > limit else None)

    def get(self, number: int) -> Entry:
        """One entry.

        Raises:
            NotFoundError: there is none, or it was closed long ago.
        """
        with self._database.read() as connection:
            return self._named(connection, [number])[0]

    def counts(self) -> tuple[ReasonCount, ...]:
        """Held products by problem, the most frequent first; one with several problems counts in each."""
        many = func.count(quarantine_reasons.c.number.distinct())
        columns = quarantine_reasons.c.check_id, quarantine_reasons.c.problem
        wanted = select(*columns, many).join(quarantine).where(_HELD).group_by(*columns)
        with self._database.read() as connection:
            found = [ReasonCount(check=check, problem=problem, count=count) for check, problem, count in
                     connection.execute(wanted)]  # fmt: skip
        return tuple(sorted(found, key=lambda each: (-each.count, each.check, each.problem)))

    def released_before(self, held: Iterable[Held]) -> set[str]:
        """Ids of those that somebody released before, but for their stock and the like: no second decision is due."""
        digests = {(each.product.id, _digest(each)) for each in held}
        with self._database.read() as connection:
            return {product_id for product_id, *_ in _versions(connection, digests, ("released",))}

    def held(self, check: str | None = None, limit: int = 1_000) -> list[int]:
        """The first entries that are held, all or those of a check, by number."""
        with self._database.read() as connection:
            wanted = self._which("held", check).order_by(quarantine.c.number).limit(limit)
            return [number for (number,) in connection.execute(wanted)]

    def release(self, numbers: Sequence[int], by: str) -> WriteResult:
        """Load products as they are, whatever is wrong with them; all of them or none.

        Raises:
            NotFoundError: there is no such entry.
            ConflictError: one is no longer held.
        """
        with self._database.write() as connection:
            Counter(connection)
            entries = self._closing(connection, numbers)
            self._close(connection, entries, "released", by)
            return writes.upsert(connection, encode_all([each.product for each in entries], self._currency))

    def drop(self, numbers: Sequence[int], by: str) -> None:
        """Forget products; what is stored of them stays as it is. All of them or none.

        Raises:
            NotFoundError: there is no such entry.
            ConflictError: one is no longer held.
        """
        with self._database.write() as connection:
            Counter(connection)
            self._close(connection, self._closing(connection, numbers), "dropped", by)

    def _which(self, state: State, check: str | None) -> Select[Any]:
        which = select(quarantine.c.number).where(quarantine.c.state == state)
        if check is None:
            return which
        if "\0" in check:
            return which.where(false())  # PostgreSQL refuses to compare NUL
        reasons = select(quarantine_reasons.c.number).where(quarantine_reasons.c.check_id == check)
        return which.where(quarantine.c.number.in_(reasons))

    def _entries(self, connection: Connection, numbers: Sequence[int]) -> tuple[Entry, ...]:
        """The entries of these numbers that there are, in their order."""
        reasons: dict[int, list[Reason]] = {}
        found: dict[int, Any] = {}
        for start in range(0, len(numbers), writes.CHUNK):
            part = numbers[start : start + writes.CHUNK]
            own = select(quarantine_reasons).where(quarantine_reasons.c.number.in_(part))
            for row in connection.execute(own.order_by(quarantine_reasons.c.position)).mappings():
                values = {name: row[name] for name in Reason.model_fields if name != "check"}
                reasons.setdefault(row["number"], []).append(Reason(check=row["check_id"], **values))
            for entry in connection.execute(select(*_ROW).where(quarantine.c.number.in_(part))):
                found[entry.number] = entry
        return tuple(_entry(found[each], reasons.get(each, ())) for each in numbers if each in found)

    def _named(self, connection: Connection, numbers: Sequence[int]) -> tuple[Entry, ...]:
        entries = self._entries(connection, list(dict.fromkeys(numbers)))
        missing = set(numbers) - {each.id for each in entries}
        if missing:
            raise NotFoundError(
                f"There is no entry {min(missing)} in quarantine.", field="id", cure="See them: lingsou quarantine list"
            )
        return entries

    def _closing(self, connection: Connection, numbers: Sequence[int]) -> tuple[Entry, ...]:
        entries = self._named(connection, numbers)
        for each in entries:
            if each.state != "held":
                when = f"{each.closed_at:%Y-%m-%d %H:%M} UTC"
                raise ConflictError(
                    f"Entry {each.id}, product '{each.product_id}', was {each.state} at {when}.",
                    cure="See what is held now: lingsou quarantine list",
                )
        return entries

    def _close(self, connection: Connection, entries: Sequence[Entry], state: State, by: str) -> None:
        closed = {"state": state, "closed_at": _moment(datetime.now(UTC)), "closed_by": by}
        _execute_many(
            connection, update(quarantine).where(_THIS).values(**closed), [{"this": each.id} for each in entries]
        )


def _known(
    connection: Connection, wanted: Collection[tuple[str, str]]
) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """What is held of these products, and which of these versions is held or was replaced, by id and digest."""
    current: dict[str, int] = {}
    versions: dict[tuple[str, str], int] = {}
    for product_id, number, digest, state in _versions(connection, wanted, _OPEN):
        versions[product_id, digest] = number
        if state == "held":
            current[product_id] = number
    return current, versions


def _versions(connection: Connection, wanted: Collection[tuple[str, str]], states: Sequence[State]) -> Iterator[Any]:
    """Id, number, digest and state of these versions (id and digest), and of whatever is held of the same products."""
    digests: dict[str, list[str]] = {}
    for product_id, digest in wanted:
        digests.setdefault(product_id, []).append(digest)
    for chunk in writes.chunks(list(digests)):
        own = [digest for product_id in chunk for digest in digests[product_id]]
        yield from connection.execute(_VERSIONS, {"ids": chunk, "digests": own, "states": states}).all()


def _askable(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """Ids in lists that fit one statement, without those that PostgreSQL refuses to compare and nothing can have."""
    return writes.chunks([each for each in ids if "\0" not in each])


def _reason_rows(number: int, reasons: Sequence[Reason]) -> Iterator[dict[str, Any]]:
    for position, reason in enumerate(reasons):
        row = reason.model_dump(exclude={"check"})
        yield row | {"number": number, "position": position, "check_id": reason.check}


def _entry(row: Any, reasons: Iterable[Reason]) -> Entry:
    return Entry(
        id=row.number,
        product_id=row.product_id,
        state=row.state,
        source=row.source,
        row=row.feed_row,
        held_at=datetime.fromisoformat(row.held_at),
        closed_at=datetime.fromisoformat(row.closed_at) if row.closed_at else None,
        closed_by=row.closed_by or "",
        reasons=tuple(reasons),
        product=Product.model_validate_json(row.document),
    )


def _digest(held: Held) -> str:
    """Equal for the same product with the same findings, wherever in a feed it stands and whatever its stock."""
    document = held.product.model_dump_json(exclude_defaults=True, exclude=_FLEETING)
    said = orjson.dumps([document, *(each.model_dump(exclude={"evidence"}) for each in held.reasons)])
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def _forget_old(connection: Connection) -> None:
    long_ago = _moment(datetime.now(UTC) - KEPT_FOR)
    old = (quarantine.c.closed_at < long_ago) & (quarantine.c.state != "released")
    numbers = select(quarantine.c.number).where(old)
    connection.execute(delete(quarantine_reasons).where(quarantine_reasons.c.number.in_(numbers)))
    connection.execute(delete(quarantine).where(old))


def _execute_many(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _moment(when: datetime) -> str:
    # Fixed width, so that text order is time order.
    return when.isoformat(timespec="microseconds")
