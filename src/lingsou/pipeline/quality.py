"""One run of the quality checks over the store: findings, scores, trend, and the repairs that they suggest."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from filelock import FileLock, Timeout

from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import AUTOMATIC, BATCH, Proposal, SuggestionStore, suggestion_id
from lingsou.core.database import Database, get_meta, set_meta
from lingsou.core.errors import LingsouError, LockedError, MissingExtraError, ProductError
from lingsou.core.settings import DataFolder
from lingsou.core.types import Product
from lingsou.pipeline.stored_vectors import StoredVectors
from lingsou.quality import drift
from lingsou.quality.audit import registered_audits
from lingsou.quality.check import EXAMPLES, Finding
from lingsou.quality.columns import columns_of
from lingsou.quality.drift import Snapshot, compare, snapshot
from lingsou.quality.edits import proposal_of
from lingsou.quality.profile import Profile
from lingsou.quality.report import CheckReport, run_audits, run_checks, summed
from lingsou.quality.runs import CheckOutcome, QualityRun, RunStore, Skipped
from lingsou.quality.schema import SchemaRows
from lingsou.quality.scores import ScoreBook, score

_LOCK = "quality.lock"
_LOCK_KEY = 0x7175616C697479  # "quality": the advisory lock that keeps machines with one PostgreSQL apart
_SCORED_AT_ONCE = 500
_SNAPSHOT = "quality_snapshot"


class StoppedError(LingsouError):
    """The run was told to stop; nothing of it counts."""


@contextmanager
def quality_lock(folder: DataFolder, database: Database, wait_s: float = 0.5) -> Iterator[None]:
    """Let one run at a time write, by a file in the folder and, since a database in PostgreSQL may belong to several
    folders, by a lock in that. A killed holder's lock is free at once; any thread may leave the block.

    Raises:
        LockedError: another run is under way.
    """
    lock = FileLock(folder.root / _LOCK, thread_local=False)
    try:
        lock.acquire(timeout=wait_s)  # whoever only asks whether it is held has it for a moment
    except Timeout as error:
        raise _under_way() from error
    try:
        with database.session_lock(_LOCK_KEY, wait_s) as free:
            if not free:
                raise _under_way()
            yield
    finally:
        lock.release()


def is_running(folder: DataFolder, database: Database) -> bool:
    """Whether a run is under way, in whichever process on whichever machine."""
    try:
        with quality_lock(folder, database, wait_s=0):
            return False
    except LockedError:
        return True


def run_quality(
    store: Store,
    profile: Profile,
    *,
    author: str,
    deep: bool = False,
    seller: str = "",
    examples: int = EXAMPLES,
    stopped: Callable[[], bool] = lambda: False,
) -> QualityRun:
    """Check every product of the store, keep what was found, and apply the repairs that the profile trusts.

    Memory does not grow with the catalogue, beyond what each check needs; with `deep`, its texts are held in memory
    (`lingsou.quality.columns`). The caller holds `quality_lock`.

    Args:
        store: the store to read and to write.
        profile: what counts, how grave it is, which repairs are applied at once.
        author: who asked for the run.
        deep: let audits take part; one whose packages are missing is skipped, and the run says so.
        seller: field that names the seller of a product, `attributes.NAME` or a field; empty: the usual names.
        examples: findings kept of each kind in the report.
        stopped: asked now and then; true ends the run.

    Raises:
        StoppedError: `stopped` said so.
    """
    clock, began, sequence = time.monotonic(), datetime.now(UTC), store.sequence()
    runs, suggestions, book = RunStore(store.database), SuggestionStore(store), ScoreBook(seller)
    number, before = runs.begin(), runs.last()
    notes = _Notes(store, runs, suggestions, profile, number, began, sequence)

    def counted() -> Iterator[tuple[int, Product]]:
        for row, product in _numbered(store, stopped):
            book.count(product)
            yield row, product

    report = run_checks(counted(), checks=profile.checks_to_run(examples, notes.take), examples=examples)
    results = [each for each in report.checks if each.id != SchemaRows.id]  # the store holds valid products only
    skipped: list[Skipped] = []
    taken: Snapshot | None = None
    if deep:
        earlier = _snapshot_of(store)
        stored = StoredVectors(store.database, earlier.vectors.encoder if earlier and earlier.vectors else "")
        columns = columns_of(stored.watch(_numbered(store, stopped)))
        taken = snapshot(columns, stored.profile())
        if profile.wants(drift.CHECK):
            moved = compare(earlier, taken) if earlier else []
            results.append(summed(drift.CHECK, drift.COST, moved, examples))
        for audit in (each for each in registered_audits() if profile.wants(each.id)):
            if stopped():
                raise _stopped()
            try:
                results += run_audits(columns, audits=[audit], examples=examples, sink=notes.take)
            except MissingExtraError as error:
                skipped.append(Skipped(id=audit.id, reason=error.message, cure=error.cure))
    notes.flush()
    _score(store, runs, book, number, stopped)
    suggestions.expire(number, [each.id for each in results], sequence)
    applied = suggestions.apply_open(notes.trusted, AUTOMATIC)
    shown = profile.applied(CheckReport(rows=report.rows, rejected=0, checks=tuple(results)))
    alike = before is not None and before.deep == deep
    run = QualityRun(
        number=number,
        began_at=began,
        took_s=time.monotonic() - clock,
        author=author,
        profile=profile.name,
        deep=deep,
        products=report.rows,
        scores=book.scores(),
        checks=_compared(runs, shown, number, before),
        skipped=tuple(skipped),
        applied=applied.get("applied", 0),
        compared_with=before.number if before else None,
        score_before=before.scores.all if before and alike else None,
    )
    runs.finish(run, sequence)
    if taken is not None:
        with store.database.write() as connection:
            set_meta(connection, _SNAPSHOT, taken.model_dump_json())
    return run


def _snapshot_of(store: Store) -> Snapshot | None:
    """What the catalogue was like at the last run that was deep."""
    with store.database.read() as connection:
        before = get_meta(connection, _SNAPSHOT)
    return None if before is None else Snapshot.model_validate_json(before)


class _Notes:
    """Takes findings as they are made, and keeps them and what they suggest, some hundred at a time."""

    def __init__(
        self,
        store: Store,
        runs: RunStore,
        suggestions: SuggestionStore,
        profile: Profile,
        run: int,
        began: datetime,
        sequence: int,
    ):
        self._store, self._runs, self._suggestions, self._profile = store, runs, suggestions, profile
        self._run, self._began, self._sequence = run, began, sequence
        self._waiting: list[Finding] = []
        self.trusted: list[str] = []
        """Ids of suggestions that the profile applies at once."""

    def take(self, finding: Finding) -> None:
        """Note a finding, as grave as the profile says; not one that it has turned off."""
        treatment = self._profile.treatment(finding.check, finding.problem)
        if treatment.on is False or not finding.product_id:
            return
        if treatment.severity and treatment.severity != finding.severity:
            finding = finding.model_copy(update={"severity": treatment.severity})
        self._waiting.append(finding)
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        self._runs.add(self._run, waiting)
        edited = [each for each in waiting if each.edit]
        # What was changed since the run began may have been read before: its repair would undo that change.
        products = self._store.get([each.product_id for each in edited], until=self._sequence)
        proposals = []
        for finding in edited:
            product = products.get(finding.product_id)
            proposal = _proposed(finding, product) if product else None
            if proposal is not None:
                proposals.append(proposal)
                if self._profile.repairs(finding):
                    self.trusted.append(suggestion_id(proposal))
        self._suggestions.record(self._run, proposals, self._began)


def _proposed(finding: Finding, product: Product) -> Proposal | None:
    try:
        return proposal_of(finding, product)
    except ProductError as error:
        log = structlog.get_logger("lingsou.quality")
        log.warning("a repair does not fit its field", check=finding.check, product=product.id, error=str(error))
        return None


def _numbered(store: Store, stopped: Callable[[], bool]) -> Iterator[tuple[int, Product]]:
    row = 0
    for batch in store.products():
        if stopped():
            raise _stopped()
        for product in batch:
            row += 1
            yield row, product


def _score(store: Store, runs: RunStore, book: ScoreBook, run: int, stopped: Callable[[], bool]) -> None:
    batch: dict[str, float] = {}

    def keep() -> None:
        if stopped():
            raise _stopped()
        runs.put_scores(run, list(batch.items()))
        for product_id, product in store.get(list(batch)).items():
            book.lower(product, batch[product_id])
        batch.clear()

    for product_id, own in runs.findings_by_product(run):
        batch[product_id] = score(own)
        if len(batch) >= _SCORED_AT_ONCE:
            keep()
    keep()


def _compared(runs: RunStore, report: CheckReport, number: int, before: QualityRun | None) -> tuple[CheckOutcome, ...]:
    if before is None:
        return tuple(CheckOutcome(**dict(each)) for each in report.checks)
    totals = {each.id: sum(each.counts.values()) for each in before.checks}
    new, gone = runs.difference(number, before.number)
    return tuple(
        CheckOutcome(**dict(each), before=totals[each.id], new=new.get(each.id, 0), gone=gone.get(each.id, 0))
        if each.id in totals
        else CheckOutcome(**dict(each))
        for each in report.checks
    )


def _under_way() -> LockedError:
    return LockedError("A run of the quality checks is under way.", cure="Wait until it has ended.")


def _stopped() -> StoppedError:
    return StoppedError("The run was stopped.", cure="Start it again.")
