"""Repairs to be reviewed: one new value for one field of one product, applied, refused, and taken back again.

Product, field, old and new value make a suggestion, so that finding the same again changes nothing that was decided.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal

import orjson
from pydantic import Field, JsonValue
from sqlalchemy import ColumnElement, Connection, Row, bindparam, false, func, insert, select, update

from lingsou.catalog import tables
from lingsou.catalog.field_values import value_of, with_value
from lingsou.catalog.quality_tables import quality_suggestions
from lingsou.catalog.store import Store
from lingsou.core.errors import ConflictError, NotFoundError
from lingsou.core.types import Frozen, Instant, Product

State = Literal["open", "applied", "refused", "undone", "stale"]
STATES: tuple[State, ...] = ("open", "applied", "refused", "undone", "stale")

AUTOMATIC = "automatic"
"""Whose name stands in the history where the shop's own confidence decided."""
BATCH = 500
_SPEAKS = {"check", "severity", "problem", "evidence", "confidence"}
_SHOWN = 120

_TABLE = quality_suggestions
_THIS = update(_TABLE).where(_TABLE.c.id == bindparam("this"))
_DECIDE = _THIS.values({name: bindparam(name) for name in ("state", "history")})
_RENEW = _THIS.values({name: bindparam(name) for name in (*sorted(_SPEAKS), "state", "history", "run")})
_OPEN: tuple[State, ...] = ("open",)
_NOT_APPLIED: tuple[State, ...] = ("open", "refused", "undone", "stale")
_GIVEN_AGAIN: tuple[State, ...] = ("applied", "stale")
"""States that end when the checks find the old value again: a feed has brought it back."""


class Decision(Frozen):
    """One step in the life of a suggestion."""

    state: State
    author: str = Field(description="name of the key, `command line`, `automatic`, or `run N`")
    at: Instant


class Proposal(Frozen):
    """What a check would write."""

    product_id: str
    field: str
    old: JsonValue = Field(description="as in a product's JSON; `null`: the product has none")
    new: JsonValue
    check: str
    severity: str
    problem: str
    evidence: str
    confidence: float = Field(ge=0, le=1)


class Suggestion(Proposal):
    """A repair and what became of it."""

    id: str = Field(description="digest of product, field, old and new value")
    run: int = Field(description="the last run that found it")
    state: State
    history: tuple[Decision, ...] = Field((), description="decisions, first to last")


class Chosen(Frozen):
    """Which suggestions are meant; what is left out limits nothing."""

    state: State | None = None
    check: str | None = None
    field: str | None = None
    product_id: str | None = None
    min_confidence: float = Field(0.0, ge=0, le=1)


class SuggestionStore:
    """Suggestions in the shop's database. Each call is one transaction, those on many are one a batch."""

    def __init__(self, store: Store):
        self._store = store
        self._database = store.database

    def record(self, run: int, proposals: Sequence[Proposal], began: datetime) -> None:
        """Keep what a run found, at most `BATCH` at a time.

        Of a known suggestion confidence and evidence are renewed. It is open again where it was applied or stale
        before the run began, since the old value is back; what was refused or undone stays so.
        """
        found: dict[str, Proposal] = {}
        for each in sorted(proposals, key=attrgetter("confidence")):
            found[suggestion_id(each)] = each  # of several checks with one repair, the surest speaks
        with self._database.write() as connection:
            held = {row.id: row for row in connection.execute(_locked(found))}
            fresh = [_row(id_, each, run) for id_, each in found.items() if id_ not in held]
            if fresh:
                connection.execute(insert(_TABLE), fresh)
            if held:
                renewed = [_renewed(row, found[id_], run, began) for id_, row in held.items()]
                connection.execute(_RENEW, renewed)

    def expire(self, run: int, checks: Collection[str], until: int) -> int:
        """Open suggestions of these checks that the run no longer found become stale; returns how many.

        Those for products that were changed after sequence `until` stay: the run did not see these as they are now.
        """
        products = tables.products.c
        newer = select(products.id).where(products.id == _TABLE.c.product_id, products.sequence > until).exists()
        gone = (_TABLE.c.state == "open") & (_TABLE.c.run < run) & _TABLE.c.check.in_(list(checks)) & ~newer
        wanted = select(_TABLE).where(gone).order_by(_TABLE.c.id).limit(BATCH).with_for_update()
        count = 0
        while True:
            with self._database.write() as connection:
                rows = connection.execute(wanted).all()
                _write(connection, [_decided(row, "stale", f"run {run}") for row in rows])
            count += len(rows)
            if len(rows) < BATCH:
                return count

    def get(self, id_: str) -> Suggestion:
        """One suggestion.

        Raises:
            NotFoundError: there is none of this id.
        """
        with self._database.read() as connection:
            return _suggestion(_one(connection, id_))

    def listed(self, chosen: Chosen, *, page: int = 1, size: int = 50) -> tuple[int, list[Suggestion]]:
        """How many there are, and one page of them, the surest first."""
        where = _condition(chosen)
        order = select(_TABLE).where(where).order_by(_TABLE.c.confidence.desc(), _TABLE.c.id)
        with self._database.snapshot() as connection:
            total = connection.execute(select(func.count()).select_from(_TABLE).where(where)).scalar_one()
            rows = connection.execute(order.limit(size).offset((page - 1) * size)).all()
        return total, [_suggestion(row) for row in rows]

    def counts(self) -> dict[tuple[str, State], int]:
        """How many there are of each check and state."""
        grouped = select(_TABLE.c.check, _TABLE.c.state, func.count()).group_by(_TABLE.c.check, _TABLE.c.state)
        with self._database.read() as connection:
            return {(check, state): number for check, state, number in connection.execute(grouped)}

    def apply(self, id_: str, author: str) -> Suggestion:
        """Write the new value, if the field still has the old one.

        Raises:
            NotFoundError: no such suggestion.
            ConflictError: it is applied already; or the field has changed, and an open suggestion is stale from now on.
        """
        before = self.get(id_)
        if before.state == "applied":
            raise ConflictError("The suggestion is applied already.", cure="Undo it, if it was wrong.")
        self._apply([id_], author, _NOT_APPLIED)
        after = self.get(id_)
        if after.state != "applied":
            raise _changed(self._store.get([after.product_id]).get(after.product_id), after, after.old)
        return after

    def apply_open(self, ids: Sequence[str], author: str) -> Mapping[State, int]:
        """Apply those of these that are open, in batches; how many are applied, and how many proved stale."""
        done: Counter[State] = Counter()
        for start in range(0, len(ids), BATCH):
            done.update(self._apply(ids[start : start + BATCH], author, _OPEN))
        return done

    def refuse(self, id_: str, author: str) -> Suggestion:
        """Say that the old value is right: the checks will not suggest this again.

        Raises:
            NotFoundError: no such suggestion.
            ConflictError: it is not open any more.
        """
        with self._database.write() as connection:
            row = connection.execute(_locked([id_])).one_or_none() or _one(connection, id_)
            if row.state not in ("open", "stale"):
                raise ConflictError(f"The suggestion is {row.state}, not open.", cure="Undo that first.")
            _write(connection, [_decided(row, "refused", author)])
        return self.get(id_)

    def undo(self, id_: str, author: str) -> Suggestion:
        """Take back a decision: what was applied gets its old value, what was refused is open again.

        Raises:
            NotFoundError: no such suggestion.
            ConflictError: there is nothing to take back, or the field was changed since; nothing is done then.
        """
        known = self.get(id_)

        def restore(connection: Connection, products: dict[str, Product]) -> Sequence[Product]:
            row = connection.execute(_locked([id_])).one()
            if row.state == "refused":
                _write(connection, [_decided(row, "open", author)])
                return ()
            if row.state != "applied":
                raise ConflictError(
                    f"The suggestion is {row.state}: nothing is to be undone.", cure="Look at it again."
                )
            product = products.get(known.product_id)
            if product is None or value_of(product, known.field) != known.new:
                raise _changed(product, known, known.new)
            _write(connection, [_decided(row, "undone", author)])
            return (with_value(product, known.field, known.old),)

        self._store.edit([known.product_id], restore)
        return self.get(id_)

    def apply_all(self, chosen: Chosen, author: str) -> Mapping[State, int]:
        """Apply every open suggestion of `chosen`; how many are applied, and how many proved stale."""
        return self._all(chosen, lambda ids: self._apply(ids, author, _OPEN))

    def refuse_all(self, chosen: Chosen, author: str) -> Mapping[State, int]:
        """Refuse every open suggestion of `chosen`; returns how many."""

        def refuse(ids: Sequence[str]) -> Mapping[State, int]:
            with self._database.write() as connection:
                rows = [row for row in connection.execute(_locked(ids)).all() if row.state == "open"]
                _write(connection, [_decided(row, "refused", author) for row in rows])
            return {"refused": len(rows)}

        return self._all(chosen, refuse)

    def _all(self, chosen: Chosen, decide: Callable[[Sequence[str]], Mapping[State, int]]) -> Mapping[State, int]:
        where = _condition(chosen.model_copy(update={"state": "open"}))
        ids = select(_TABLE.c.id).where(where).order_by(_TABLE.c.confidence.desc(), _TABLE.c.id).limit(BATCH)
        done: Counter[State] = Counter()
        while True:  # what is decided is open no more
            with self._database.read() as connection:
                batch = list(connection.execute(ids).scalars())
            if not batch:
                return done
            done.update(decide(batch))

    def _apply(self, ids: Sequence[str], author: str, states: Collection[State]) -> Mapping[State, int]:
        with self._database.read() as connection:
            wanted = [row.product_id for row in connection.execute(_rows(ids))]
        done: Counter[State] = Counter()

        def write(connection: Connection, products: dict[str, Product]) -> Sequence[Product]:
            changed: dict[str, Product] = {}
            decided: list[dict[str, Any]] = []
            for row in sorted(connection.execute(_locked(ids)), key=lambda row: (-row.confidence, row.id)):
                if row.state not in states:
                    continue
                product = changed.get(row.product_id) or products.get(row.product_id)
                if product is None or value_of(product, row.field) != orjson.loads(row.old):
                    if row.state == "open":  # what a person has refused or taken back stays so: a run opens stale ones
                        decided.append(_decided(row, "stale", author))
                    continue
                changed[row.product_id] = with_value(product, row.field, orjson.loads(row.new))
                decided.append(_decided(row, "applied", author))
            _write(connection, decided)
            done.update(each["state"] for each in decided)
            return list(changed.values())

        self._store.edit(wanted, write)
        return done


def suggestion_id(proposal: Proposal) -> str:
    """The same for the same product, field, old and new value."""
    parts = (proposal.product_id, proposal.field, proposal.old, proposal.new)
    return hashlib.blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def _condition(chosen: Chosen) -> ColumnElement[bool]:
    found = _TABLE.c.confidence >= chosen.min_confidence
    for name in ("state", "check", "field", "product_id"):
        wanted = getattr(chosen, name)
        if wanted is not None:
            found &= false() if "\0" in wanted else _TABLE.c[name] == wanted  # PostgreSQL refuses to compare NUL
    return found


def _rows(ids: Iterable[str]) -> Any:
    return select(_TABLE).where(_TABLE.c.id.in_([each for each in ids if "\0" not in each]))


def _locked(ids: Iterable[str]) -> Any:
    # In one order, so that no two writers wait for each other.
    return _rows(ids).order_by(_TABLE.c.id).with_for_update()


def _one(connection: Connection, id_: str) -> Row[Any]:
    row: Row[Any] | None = connection.execute(_rows([id_])).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no suggestion '{id_}'.", field="suggestion_id", cure="List them: GET /v1/quality/suggestions."
        )
    return row


def _renewed(row: Row[Any], found: Proposal, run: int, began: datetime) -> dict[str, Any]:
    # Of several checks with one repair the surest of this run speaks, in whichever batch it came.
    surer = row.run < run or found.confidence >= row.confidence
    speaks = found.model_dump(include=_SPEAKS) if surer else {name: getattr(row, name) for name in _SPEAKS}
    again = row.state in _GIVEN_AGAIN and not any(
        datetime.fromisoformat(step["at"]) >= began for step in orjson.loads(row.history)
    )
    decided = _decided(row, "open" if again else row.state, f"run {run}" if again else "")
    return {**speaks, **decided, "run": run}


def _decided(row: Row[Any], state: State, author: str) -> dict[str, Any]:
    """State and history after a decision; without an author as they are."""
    step = {"state": state, "author": author, "at": datetime.now(UTC).isoformat(timespec="microseconds")}
    history = orjson.dumps([*orjson.loads(row.history), step]).decode() if author else row.history
    return {"this": row.id, "state": state, "history": history}


def _write(connection: Connection, decided: Sequence[Mapping[str, Any]]) -> None:
    if decided:
        connection.execute(_DECIDE, decided)


def _row(id_: str, found: Proposal, run: int) -> dict[str, Any]:
    values = found.model_dump() | {name: orjson.dumps(getattr(found, name)).decode() for name in ("old", "new")}
    return values | {"id": id_, "run": run, "state": "open", "history": "[]"}


def _suggestion(row: Row[Any]) -> Suggestion:
    values = dict(row._mapping)
    loaded = {name: orjson.loads(values[name]) for name in ("old", "new", "history")}
    return Suggestion(**values | loaded)


def _changed(product: Product | None, suggestion: Suggestion, expected: JsonValue) -> ConflictError:
    what = f"There is no product '{suggestion.product_id}' any more."
    if product is not None:
        now = orjson.dumps(value_of(product, suggestion.field)).decode()
        was = orjson.dumps(expected).decode()
        what = f"{suggestion.field} of product '{suggestion.product_id}' is now {now[:_SHOWN]}, not {was[:_SHOWN]}."
    return ConflictError(what, field=suggestion.field, cure="Nothing was written. Run the checks again to see more.")
