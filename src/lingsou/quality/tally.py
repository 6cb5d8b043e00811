"""Count findings and keep the first of each kind, in memory that does not grow with the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

from lingsou.quality.check import EXAMPLES, Edit, Finding, Kind, Severity, Sink

MAX_KINDS = 1_000
OTHER_FIELDS = "(other fields)"


@dataclass(frozen=True)
class Problem:
    """A kind of defect as a check declares it; a finding may refine repair and confidence."""

    severity: Severity
    text: str
    repair: str
    confidence: float = 1.0


class Tally:
    """Counts findings by kind and keeps the first `examples` of each.

    A feed may hold any number of attribute names. From the 1,000th kind on, new ones are counted under one
    common field name, so that memory stays bounded.
    """

    def __init__(self, check: str, examples: int = EXAMPLES, sink: Sink | None = None):
        self._check = check
        self._examples = examples
        self._sink = sink
        self._counts: dict[Kind, int] = {}
        self._findings: dict[Kind, list[Finding]] = {}

    def add(
        self,
        problem: Problem,
        field: str,
        evidence: str,
        *,
        row: int | None = None,
        product_id: str = "",
        repair: str | None = None,
        confidence: float | None = None,
        edit: Edit | None = None,
        count: int = 1,
    ) -> None:
        """Count `count` findings, and keep this one if it is among the first of its kind; `count=0` only keeps it."""
        kind = Kind(problem.severity, field, problem.text)
        if kind not in self._counts and len(self._counts) >= MAX_KINDS:
            kind = kind._replace(field=OTHER_FIELDS)
        self._counts[kind] = self._counts.get(kind, 0) + count
        kept = self._findings.setdefault(kind, [])
        told = self._sink is not None and row is not None
        if len(kept) >= self._examples and not told:
            return
        finding = Finding(
            check=self._check,
            severity=problem.severity,
            problem=problem.text,
            product_id=product_id,
            row=row,
            field=field,
            evidence=evidence,
            repair=problem.repair if repair is None else repair,
            confidence=problem.confidence if confidence is None else confidence,
            edit=edit,
        )
        if len(kept) < self._examples:
            kept.append(finding)
        if self._sink is not None and told:
            self._sink(finding)

    def findings(self) -> list[Finding]:
        """What was kept, kind by kind in the order of their first appearance."""
        return [finding for kept in self._findings.values() for finding in kept]

    def counts(self) -> Mapping[Kind, int]:
        """Findings of each kind, in the order of their first appearance."""
        return self._counts


class Deferred:
    """Rows whose verdict waits for the end of the catalogue: their number, and the first of them."""

    def __init__(self, examples: int = EXAMPLES):
        self._keep = max(1, examples)
        self._first: list[tuple[int, str, str]] = []
        self.count = 0

    @property
    def full(self) -> bool:
        """Whether further rows are only counted, so that nobody reads their evidence."""
        return self.count >= self._keep

    def add(self, row: int, product_id: str, evidence: str = "") -> None:
        """Count a row; `evidence` may also come with the verdict."""
        self.count += 1
        if len(self._first) < self._keep:
            self._first.append((row, product_id, evidence))

    def report(self, tally: Tally, problem: Problem, field: str, evidence: str = "") -> None:
        """Add all of them to `tally` as `problem`."""
        uncounted = self.count - len(self._first)
        for row, product_id, own in self._first:
            tally.add(problem, field, own or evidence, row=row, product_id=product_id, count=1 + uncounted)
            uncounted = 0
