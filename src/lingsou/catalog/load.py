"""Load a feed into the store: full, upsert, patch or delete."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from lingsou.catalog.feeds import Row, RowProblem, open_feed
from lingsou.catalog.fullload import FullLoad
from lingsou.catalog.mapper import Mapper
from lingsou.catalog.mapping import Mapping
from lingsou.catalog.quarantine import Held, Quarantine, Reason
from lingsou.catalog.rejects import Rejects
from lingsou.catalog.values import shown
from lingsou.catalog.writes import WriteResult
from lingsou.core.errors import ConfigurationError, ProductError, StorageError
from lingsou.core.types import VOLATILE_FIELDS, Product, ProductPatch

Mode = Literal["full", "upsert", "patch", "delete"]
BATCH = 1_000


class ProductStore(Protocol):
    """What a load needs of the store."""

    quarantine: Quarantine

    def upsert(self, batch: Sequence[Product], held: Sequence[Held] = ()) -> WriteResult:
        """Add or replace; put those `held` into quarantine."""
        ...

    def patch(self, patches: Sequence[ProductPatch]) -> WriteResult:
        """Set volatile fields."""
        ...

    def delete(self, ids: Sequence[str]) -> WriteResult:
        """Remove."""
        ...

    def begin_load(self) -> FullLoad:
        """Begin a load that is the whole catalogue."""
        ...


Gate = Callable[[int, Product], Sequence[Reason]]
"""Told each product with its row, in order; why it must not pass, or nothing."""


@dataclass(frozen=True)
class Progress:
    """How far a load has come."""

    bytes_done: int
    """position in the file as it lies on the disk, compressed or not"""
    bytes_total: int
    rows: int


@dataclass(frozen=True)
class LoadReport:
    """What a load did."""

    mode: Mode
    rows: int
    """rows read, good and bad"""
    accepted: int
    """rows that became a write"""
    added: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    quarantined: int
    """rows that the gate held back; `accepted`, `rejected` and these make up `rows`"""
    duplicates: int
    """rows whose id came earlier in the same feed; the last one holds"""
    missing: int
    """ids of a patch or delete that the store does not have"""
    complete: bool
    """false: the feed was damaged part-way, so a full load deleted nothing"""
    rejects_file: Path | None
    seconds: float
    by_reason: dict[str, int]
    """rejected rows by what was wrong"""
    held_by: dict[str, int]
    """rows held back by check and problem; one with several problems counts in each"""


@dataclass
class _Counts:
    rows: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
    complete: bool = True
    held_by: Counter[str] = field(default_factory=Counter)

    def add(self, result: WriteResult) -> None:
        self.added += result.added
        self.updated += result.updated
        self.unchanged += result.unchanged
        self.deleted += result.deleted
        self.missing += len(result.missing)


def load_feed(
    store: ProductStore,
    path: Path,
    *,
    mapping: Mapping,
    mode: Mode,
    rejects_dir: Path,
    gate: Gate | None = None,
    progress: Callable[[Progress], None] | None = None,
    batch: int = BATCH,
    format: str | None = None,  # noqa: A002 (the name that a caller expects)
    encoding: str | None = None,
    max_delete_share: float = 0.5,
    force: bool = False,
) -> LoadReport:
    """Read `path` and write it to the store in batches; what was written stays if a later row fails.

    A full load deletes, at the end, the products that are not in the feed; a product whose row was rejected or held
    back stays as stored where the row's id can be read. A feed that is damaged part-way deletes nothing.

    In the modes full and upsert each product passes the `gate`; what that holds back goes into quarantine, in one
    transaction with the rest of its batch.

    Raises:
        FeedError: nothing of the file can be read.
        ConfigurationError: the mapping lacks a field that the mode needs; unknown format.
        ConflictError: a full load would delete more than `max_delete_share` of the store, and not `force`.
        StorageError: the store, or the rejects file, cannot be written; the message counts what was.
    """
    started = time.perf_counter()
    feed, mapper = open_feed(path, format), mapping.mapper
    _require(mapper, mode)
    counts = _Counts()
    total, position = path.stat().st_size, 0

    def moved(done: int) -> None:
        nonlocal position
        position = done

    with ExitStack() as stack:
        rejects = stack.enter_context(Rejects(rejects_dir, path.name.split(".")[0]))
        load = stack.enter_context(store.begin_load()) if mode == "full" else None
        writer = _Writer(store, load, mapper, mode, counts, rejects, gate, path.name)
        try:
            for number, row in feed.rows(path, encoding=encoding, on_bytes=moved):
                counts.rows += 1
                writer.take(number, row)
                if counts.rows % batch == 0:
                    writer.flush()
                    if progress:
                        progress(Progress(position, total, counts.rows))
            writer.flush()
            if load and counts.complete:
                counts.deleted = load.finish(max_delete_share=max_delete_share, force=force).deleted
        except StorageError as error:
            raise type(error)(
                f"{error.message} Before that, {counts.accepted:,} of {counts.rows:,} rows were loaded; they stay.",
                cure=error.cure or "Mend that, then load the feed again: what is loaded already costs little.",
            ) from error
        if progress:
            progress(Progress(total, total, counts.rows))
        return LoadReport(
            mode=mode,
            rows=counts.rows,
            accepted=counts.accepted,
            added=counts.added,
            updated=counts.updated,
            unchanged=counts.unchanged,
            deleted=counts.deleted,
            rejected=rejects.count,
            quarantined=counts.quarantined,
            duplicates=counts.duplicates,
            missing=counts.missing,
            complete=counts.complete,
            rejects_file=rejects.path,
            seconds=time.perf_counter() - started,
            by_reason=rejects.top(),
            held_by=dict(counts.held_by.most_common()),
        )


def _require(mapper: Mapper, mode: Mode) -> None:
    mapper.require("id", *(["title"] if mode in ("full", "upsert") else []))
    if mode == "patch" and not set(VOLATILE_FIELDS) & set(mapper.mapping.fields):
        names = ", ".join(VOLATILE_FIELDS)
        raise ConfigurationError(
            f"A patch changes {names}; the mapping names no column for any of them.", cure="Map one."
        )


Item = Product | ProductPatch | str
"""What a row becomes: a product to write, a patch, or an id to delete."""


class _Writer:
    """Converts rows and writes them in batches, each as its mode demands."""

    def __init__(
        self,
        store: ProductStore,
        load: FullLoad | None,
        mapper: Mapper,
        mode: Mode,
        counts: _Counts,
        rejects: Rejects,
        gate: Gate | None,
        source: str,
    ):
        self.load, self.mapper, self.counts, self.rejects = load, mapper, counts, rejects
        self.convert: Callable[[Row], Item | RowProblem]
        self.write: Callable[[list[Any], Sequence[Held]], WriteResult]
        if mode == "patch":
            self.convert, self.write = mapper.patch, lambda items, _: store.patch(items)
        elif mode == "delete":
            self.convert, self.write = self._named, lambda items, _: store.delete(items)
        else:
            self.convert, self.write = mapper.product, load.upsert if load else store.upsert
        self.patching = mode == "patch"
        self.gate, self.source, self.quarantine = gate, source, store.quarantine
        self.held: dict[str, Held] = {}
        self.waiting: list[tuple[int, str, Item]] = []
        self.kept: list[str] = []
        self.seen: set[str] = set()

    def take(self, number: int, row: Row | RowProblem) -> None:
        """Put one row in the next batch, or among the rejects."""
        item = row if isinstance(row, RowProblem) else self.convert(row)
        if isinstance(item, RowProblem):
            self._reject(number, item, self.mapper.id(item.data) if isinstance(item.data, dict) else None)
            return
        key = item if isinstance(item, str) else item.id
        if key in self.seen:
            self.counts.duplicates += 1
        self.seen.add(key)
        if key in self.held:
            self._count_held(self.held.pop(key))  # of two rows with one id the last holds, whichever of them passes
        if self.gate and isinstance(item, Product) and (reasons := self.gate(number, item)):
            self.held[key] = Held(item, tuple(reasons), self.source, number)
            return
        self.waiting.append((number, key, item))

    def flush(self) -> None:
        """Write what waits."""
        if self.held:
            for key in self.quarantine.released_before(self.held.values()):
                released = self.held.pop(key)
                self.waiting.append((released.row, key, released.product))
        if self.waiting or self.held:
            self._write(self.waiting, tuple(self.held.values()))
            for each in self.held.values():
                self._count_held(each)
            self.waiting, self.held = [], {}
        if self.load and self.kept:
            self.load.keep(self.kept)
            self.kept = []

    def _count_held(self, held: Held) -> None:
        self.counts.quarantined += 1
        self.counts.held_by.update({f"{reason.check}: {reason.problem}" for reason in held.reasons})

    def _write(self, part: list[tuple[int, str, Item]], held: Sequence[Held]) -> None:
        try:
            result = self.write([item for _, _, item in part], held)
        except ProductError as error:
            # The store takes a batch whole or not at all: halve it until the product it cannot keep stands alone.
            if len(part) > 1:
                middle = len(part) // 2
                self._write(part[:middle], held)
                self._write(part[middle:], ())
                return
            if held:
                self._write([], held)
            number, key, item = part[0]
            data = {"id": key} if isinstance(item, str) else item.model_dump(exclude_defaults=True)
            field = error.field or ""
            self._reject(number, RowProblem("not storable", error.message, error.cure or "", field, data), key)
            return
        self.counts.add(result)
        self.counts.accepted += len(part)
        if self.patching and result.missing:
            numbers = {key: number for number, key, _ in part}
            cure = "Load the product first: a patch changes only what is stored."
            for key in result.missing:
                reason = f"there is no product {shown(key)} in the store"
                self._reject(numbers[key], RowProblem("not in the store", reason, cure, "id", {"id": key}), key)
                self.counts.accepted -= 1

    def _reject(self, number: int, problem: RowProblem, key: str | None) -> None:
        self.counts.complete &= not problem.fatal
        self.rejects.add(number, problem, key)
        if self.load and key is not None:
            self.kept.append(key)

    def _named(self, row: Row) -> str | RowProblem:
        missing = RowProblem("id: missing", "the row has no readable id", "Give its id.", "id", row)
        return self.mapper.id(row) or missing
