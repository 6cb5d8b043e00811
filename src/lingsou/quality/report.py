"""Run the checks over a stream of rows, and sum up what they found as plain data."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from lingsou.core.errors import ProductError
from lingsou.core.types import Frozen, Product
from lingsou.quality.audit import Audit, findings, registered_audits
from lingsou.quality.check import EXAMPLES, SEVERITIES, Check, Finding, Kind, Severity, Sink, registered_checks
from lingsou.quality.columns import Columns
from lingsou.quality.schema import SchemaRows

FailOn = Literal["error", "warning", "never"]


class ProblemCount(Frozen):
    """How often one problem was found in one field."""

    severity: Severity
    field: str
    problem: str
    count: int


class CheckResult(Frozen):
    """What one check found."""

    id: str
    cost: str = Field(description="what such problems cost the shop")
    counts: Mapping[Severity, int] = Field(description="findings of each severity, all three named")
    problems: tuple[ProblemCount, ...] = Field(description="the same by kind; gravest first, then most frequent")
    examples: tuple[Finding, ...] = Field(description="the first few findings of each kind, in the order of `problems`")


class CheckReport(Frozen):
    """What all checks found in one feed."""

    rows: int = Field(description="rows read")
    rejected: int = Field(description="rows that are not a valid product")
    checks: tuple[CheckResult, ...] = Field(description="`schema` first, then by id; also those that found nothing")

    def count(self, severity: Severity) -> int:
        """Findings of that severity over all checks."""
        return sum(check.counts[severity] for check in self.checks)

    def exit_code(self, fail_on: FailOn = "error") -> int:
        """0: clean; 1: a finding of severity `fail_on` or graver. 2 is left for a feed that cannot be read."""
        failing: dict[FailOn, tuple[Severity, ...]] = {
            "error": ("error",),
            "warning": ("error", "warning"),
            "never": (),
        }
        return int(any(self.count(severity) for severity in failing[fail_on]))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON knows it."""
        return self.model_dump(mode="json")


def run_checks(
    rows: Iterable[tuple[int, Product | ProductError]],
    *,
    checks: Sequence[Check] | None = None,
    examples: int = EXAMPLES,
    sink: Sink | None = None,
) -> CheckReport:
    """Run `checks` (every registered one by default) over `rows`, which are read once and not kept.

    Args:
        rows: row number of the feed and the product in it, or what was wrong with it.
        checks: new instances; a check serves one run.
        examples: findings kept of each kind, when the checks are made here.
        sink: given every finding about a product or a row, when the checks are made here.

    Raises:
        FeedError: whatever `rows` raises; the report needs the whole feed.
    """
    running = registered_checks(examples, sink) if checks is None else checks
    schema = SchemaRows(examples, sink)
    total = rejected = 0
    observers = [check.observe for check in running]
    for row, product in rows:
        total += 1
        if isinstance(product, ProductError):
            rejected += 1
            schema.observe(row, product)
            continue
        for observe in observers:
            observe(row, product)
    if not total:
        schema.observe_nothing()

    results = [_result(schema.id, schema.cost, schema.tally.findings(), schema.tally.counts())]
    results += [result_of(check) for check in running]
    return CheckReport(rows=total, rejected=rejected, checks=tuple(results))


def result_of(check: Check) -> CheckResult:
    """What a check found, which thereby ends."""
    findings = check.finish()  # before counts, which it completes
    return _result(check.id, check.cost, findings, check.counts())


def run_audits(
    columns: Columns,
    *,
    audits: Sequence[Audit] | None = None,
    examples: int = EXAMPLES,
    sink: Sink | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> tuple[CheckResult, ...]:
    """What `audits` (every registered one by default) flag in a whole catalogue, as the results of checks.

    Args:
        columns: the catalogue.
        audits: new instances.
        examples: flags kept of each problem, the surest.
        sink: given every flag as a finding.
        progress: told the id of each audit before it begins.

    Raises:
        MissingExtraError: the packages that an audit learns with are not installed.
    """
    results = []
    for audit in registered_audits() if audits is None else audits:
        progress(audit.id)
        counts: Counter[Kind] = Counter()
        kept: list[Finding] = []
        for flags in audit.judge(columns):
            kind = Kind(flags.problem.severity, flags.field, flags.problem.text)
            counts[kind] += len(flags)
            for number, finding in enumerate(findings(audit, columns, flags)):
                if number < examples:
                    kept.append(finding)
                if sink is not None:
                    sink(finding)
                elif number >= examples:
                    break
        results.append(_result(audit.id, audit.cost, kept, counts))
    return tuple(results)


def summed(name: str, cost: str, found: Sequence[Finding], examples: int = EXAMPLES) -> CheckResult:
    """Findings that are all there already, as the result of a check."""
    counts = Counter(Kind(each.severity, each.field, each.problem) for each in found)
    first: Counter[Kind] = Counter()
    kept = []
    for each in found:
        kind = Kind(each.severity, each.field, each.problem)
        if first[kind] < examples:
            kept.append(each)
        first[kind] += 1
    return _result(name, cost, kept, counts)


def _result(name: str, cost: str, findings: Sequence[Finding], counts: Mapping[Kind, int]) -> CheckResult:
    order = sorted(counts, key=lambda kind: (SEVERITIES.index(kind.severity), -counts[kind], kind.field, kind.problem))
    place = {kind: number for number, kind in enumerate(order)}
    by_severity = Counter(dict.fromkeys(SEVERITIES, 0))
    for kind, number in counts.items():
        by_severity[kind.severity] += number
    return CheckResult(
        id=name,
        cost=cost,
        counts=dict(by_severity),
        problems=tuple(ProblemCount(**kind._asdict(), count=counts[kind]) for kind in order),
        # Beyond the first thousand kinds, fields are counted together: then a finding's own has no place.
        examples=tuple(
            sorted(findings, key=lambda each: place.get(Kind(each.severity, each.field, each.problem), len(place)))
        ),
    )
