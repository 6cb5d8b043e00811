"""The report of the checks as one HTML file, with a plot, and what has changed since an earlier one."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Template

from lingsou.evaluation.pages import template
from lingsou.quality.check import SEVERITIES, Finding, Kind, Severity
from lingsou.quality.report import CheckReport, CheckResult

WIDTH, LABELS, ROW, BAR = 720.0, 170.0, 26.0, 16.0
_NUMBERS = 70.0
_LEAST = 1.5
"""Pixels of a count that would otherwise not be seen."""


@dataclass(frozen=True)
class Piece:
    """Findings of one severity, as part of a check's bar; x and width in pixels."""

    severity: Severity
    count: int
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """What one check found; lengths go by the square root of the count, so that few are seen beside many."""

    check: str
    count: int
    y: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Line:
    """One problem, now and before."""

    check: str
    severity: Severity
    field: str
    problem: str
    count: int
    before: int | None
    examples: tuple[Finding, ...]


def page(report: CheckReport, source: str, before: CheckReport | None = None) -> str:
    """The page; `source` says what was checked, `before` is an earlier report on the same."""
    lines = problems(report, before)
    return _template().render(
        report=report,
        source=source,
        before=before,
        counts={severity: report.count(severity) for severity in SEVERITIES},
        counts_before={severity: before.count(severity) for severity in SEVERITIES} if before else None,
        bars=bars(report),
        lines=[line for line in lines if line.count],
        gone=[line for line in lines if not line.count],
        costs={check.id: check.cost for check in report.checks},
        clean=[check.id for check in report.checks if not check.problems],
        width=WIDTH,
        row=ROW,
        bar=BAR,
        labels=LABELS,
    )


def problems(report: CheckReport, before: CheckReport | None = None) -> list[Line]:
    """Every problem of either report, gravest first, then most frequent; `before` is none without an earlier one."""
    then = {(check.id, _kind(each)): each.count for check in before.checks for each in check.problems} if before else {}
    lines = []
    seen = set()
    for check in report.checks:
        for each in check.problems:
            kind = _kind(each)
            seen.add((check.id, kind))
            examples = tuple(found for found in check.examples if _kind(found) == kind)
            earlier = then.get((check.id, kind), 0) if before else None
            lines.append(Line(check.id, *kind, each.count, earlier, examples))
    lines += [Line(check, *kind, 0, count, ()) for (check, kind), count in then.items() if (check, kind) not in seen]
    return sorted(lines, key=lambda line: (SEVERITIES.index(line.severity), -line.count, line.check, line.problem))


def bars(report: CheckReport) -> list[Bar]:
    """A bar for each check that found something, the longest first."""
    found = sorted((check for check in report.checks if check.problems), key=lambda each: (-_total(each), each.id))
    longest = max((_total(check) for check in found), default=1) ** 0.5
    drawn = []
    for place, check in enumerate(found):
        total = _total(check)
        length = (WIDTH - LABELS - _NUMBERS) * total**0.5 / longest
        pieces, x = [], LABELS
        for severity in SEVERITIES:
            if count := check.counts[severity]:
                width = max(length * count / total, _LEAST)
                pieces.append(Piece(severity, count, round(x, 1), round(width, 1)))
                x += width
        drawn.append(Bar(check.id, total, place * ROW, tuple(pieces)))
    return drawn


def _kind(each: object) -> Kind:
    return Kind(each.severity, each.field, each.problem)  # type: ignore[attr-defined]


def _total(check: CheckResult) -> int:
    return sum(check.counts.values())


@cache
def _template() -> Template:
    return template("check.html", Path(__file__).parent / "templates")
