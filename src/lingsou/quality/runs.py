"""Runs of the checks over the store: what each reported, the findings and scores of the last, the trend."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from pydantic import Field
from sqlalchemy import delete, func, insert, select, update

from lingsou.catalog.quality_tables import quality_findings, quality_runs, quality_scores, quality_suggestions
from lingsou.catalog.tables import products
from lingsou.core.database import Database
from lingsou.core.errors import NotFoundError
from lingsou.core.types import Frozen, Instant
from lingsou.quality.check import Finding, Severity
from lingsou.quality.report import CheckResult
from lingsou.quality.scores import BEST, Scores

KEPT_RUNS = 100
_MOST_OF_ONE = 200
"""Findings shown of one product."""


class CheckOutcome(CheckResult):
    """What one check found, beside what it found in the run before."""

    before: int | None = Field(None, description="findings in the run before; none: it did not take part in that")
    new: int | None = Field(None, description="findings about single products that were not there before")
    gone: int | None = Field(None, description="those that are not there any more")


class Skipped(Frozen):
    """A check that could not take part."""

    id: str
    reason: str
    cure: str | None = None


class QualityRun(Frozen):
    """What one run found in the store."""

    number: int
    began_at: Instant
    took_s: float = Field(ge=0)
    author: str = Field(description="who asked for it")
    profile: str = Field(description="name of the profile that says what counts")
    deep: bool = Field(description="audits took part, which learn from the whole catalogue")
    products: int
    scores: Scores
    checks: tuple[CheckOutcome, ...] = Field(description="by id; also those that found nothing")
    skipped: tuple[Skipped, ...] = Field((), description="audits that could not take part")
    applied: int = Field(0, description="suggestions that were sure enough to be applied at once")
    compared_with: int | None = Field(None, description="number of the run before; none: this is the first")
    score_before: float | None = Field(None, description="mean score then; none also where that run was not as deep")

    def count(self, severity: Severity) -> int:
        """Findings of that severity over all checks."""
        return sum(check.counts[severity] for check in self.checks)


class RunPoint(Frozen):
    """One run in the trend."""

    number: int
    began_at: Instant
    deep: bool
    products: int
    score: float
    errors: int
    warnings: int
    infos: int


class ProductQuality(Frozen):
    """What the last run says of one product."""

    product_id: str
    run: int
    score: float = Field(ge=0, le=100)
    changed: bool = Field(description="the product is newer than the run")
    findings: tuple[Finding, ...]


class RunStore:
    """Runs in the shop's database. Whoever begins one holds the lock of runs (`lingsou.pipeline.quality`)."""

    def __init__(self, database: Database):
        self._database = database

    def begin(self) -> int:
        """The number of a new run; what a run that never ended has left is removed."""
        with self._database.write() as connection:
            last = connection.execute(select(func.max(quality_runs.c.number))).scalar() or 0
            for table in (quality_findings, quality_scores):
                connection.execute(delete(table).where(table.c.run > last))
            # What that run suggested stays until this one, of the same number, has looked for it in vain.
            suggestions = quality_suggestions
            connection.execute(update(suggestions).where(suggestions.c.run > last).values(run=last))
            return int(last) + 1

    def add(self, run: int, findings: Sequence[Finding]) -> None:
        """Keep findings about single products."""
        rows = [{"run": run, **each.model_dump(exclude={"row", "edit"})} for each in findings if each.product_id]
        if rows:
            with self._database.write() as connection:
                connection.execute(insert(quality_findings), rows)

    def findings_by_product(self, run: int) -> Iterator[tuple[str, list[tuple[Severity, float]]]]:
        """Severities and confidences of each product that has findings, streamed."""
        table = quality_findings
        wanted = select(table.c.product_id, table.c.severity, table.c.confidence).where(table.c.run == run)
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=1_000).execute(wanted.order_by(table.c.product_id))
            for product_id, own in groupby(rows, key=lambda row: row.product_id):
                yield product_id, [(row.severity, row.confidence) for row in own]

    def put_scores(self, run: int, scores: Sequence[tuple[str, float]]) -> None:
        """Keep scores by product id."""
        rows = [{"run": run, "product_id": product_id, "score": score} for product_id, score in scores]
        if rows:
            with self._database.write() as connection:
                connection.execute(insert(quality_scores), rows)

    def difference(self, run: int, before: int) -> tuple[dict[str, int], dict[str, int]]:
        """By check: findings of `run` that `before` does not have, and the other way round.

        A finding is the same if product, check, field and problem are.
        """
        with self._database.snapshot() as connection:
            new, gone = (
                {row.check: row.number for row in connection.execute(_only(*pair))}
                for pair in ((run, before), (before, run))
            )
        return new, gone

    def finish(self, run: QualityRun, sequence: int) -> None:
        """Put a run in the place of the one before.

        Args:
            run: as it is to be reported.
            sequence: of the change log when it began.
        """
        row = {
            "number": run.number,
            "began_at": run.began_at.isoformat(timespec="microseconds"),
            "deep": run.deep,
            "products": run.products,
            "score": run.scores.all,
            "errors": run.count("error"),
            "warnings": run.count("warning"),
            "infos": run.count("info"),
            "sequence": sequence,
            "report": run.model_dump_json(),
        }
        with self._database.write() as connection:
            connection.execute(insert(quality_runs), [row])
            for table in (quality_findings, quality_scores):
                connection.execute(delete(table).where(table.c.run != run.number))
            connection.execute(delete(quality_runs).where(quality_runs.c.number <= run.number - KEPT_RUNS))

    def last(self) -> QualityRun | None:
        """The last run; none before the first."""
        newest = select(quality_runs.c.report).order_by(quality_runs.c.number.desc()).limit(1)
        with self._database.read() as connection:
            report = connection.execute(newest).scalar()
        return None if report is None else QualityRun.model_validate_json(report)

    def trend(self, limit: int = KEPT_RUNS) -> list[RunPoint]:
        """The latest runs, newest first."""
        columns = [quality_runs.c[name] for name in RunPoint.model_fields]
        newest = select(*columns).order_by(quality_runs.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            return [RunPoint.model_validate(row) for row in connection.execute(newest).mappings()]

    def product(self, product_id: str) -> ProductQuality:
        """What the last run says of a product.

        Raises:
            NotFoundError: there is no such product, or no run yet.
        """
        findings, scores = quality_findings, quality_scores
        with self._database.snapshot() as connection:
            newest = select(quality_runs.c.number, quality_runs.c.sequence).order_by(quality_runs.c.number.desc())
            run = connection.execute(newest.limit(1)).one_or_none()
            if run is None:
                raise NotFoundError("The checks have not run yet.", cure="Run them: lingsou quality run.")
            known = select(products.c.sequence).where(products.c.id == product_id, products.c.deleted.is_(False))
            sequence = None if "\0" in product_id else connection.execute(known).scalar()
            if sequence is None:
                raise NotFoundError(f"There is no product '{product_id}'.", field="product_id", cure="Check the id.")
            own = select(findings).where(findings.c.run == run.number, findings.c.product_id == product_id)
            rows = connection.execute(own.limit(_MOST_OF_ONE)).mappings().all()
            held = select(scores.c.score).where(scores.c.run == run.number, scores.c.product_id == product_id)
            score = connection.execute(held).scalar()
        return ProductQuality(
            product_id=product_id,
            run=run.number,
            score=BEST if score is None else score,
            changed=sequence > run.sequence,
            findings=tuple(_finding(row) for row in rows),
        )


def _finding(row: Any) -> Finding:
    return Finding(row=None, **{name: value for name, value in row.items() if name != "run"})


def _only(run: int, other: int) -> Any:
    """Findings of `run` that `other` lacks, by check."""
    table, there = quality_findings, quality_findings.alias()
    same = (
        (there.c.run == other)
        & (there.c.product_id == table.c.product_id)
        & (there.c.check == table.c.check)
        & (there.c.field == table.c.field)
        & (there.c.problem == table.c.problem)
    )
    lacking = ~select(there.c.run).where(same).exists()
    return (
        select(table.c.check, func.count().label("number")).where(table.c.run == run, lacking).group_by(table.c.check)
    )
