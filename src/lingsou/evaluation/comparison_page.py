"""The report of a comparison as one HTML file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Template

from lingsou.evaluation import plots
from lingsou.evaluation.comparison import PRIMARY, Comparison, MeanRow, Row
from lingsou.evaluation.pages import template
from lingsou.evaluation.replay import RANKS, Replayed
from lingsou.evaluation.significance import Interval
from lingsou.evaluation.slices import LEAST


@dataclass(frozen=True)
class Side:
    """One configuration and how it fared by itself."""

    name: str
    settings: Mapping[str, Any]
    p50_ms: float
    p95_ms: float
    late: int
    """Answers that lack plan, meaning or learned order although they belong to it."""


@dataclass(frozen=True)
class Shown:
    """A product in a list."""

    id: str
    title: str
    grade: float | None
    """None: nobody judged it."""


@dataclass(frozen=True)
class SideBySide:
    """One query with the first products of both."""

    query: str
    before: float
    after: float
    a: tuple[Shown, ...]
    b: tuple[Shown, ...]


@dataclass(frozen=True)
class Judged:
    """What judgements say."""

    judgements: int
    judgements_of_products_in_the_shop: int
    frequency_from: str
    """What told head from tail."""
    comparison: Comparison
    gains: tuple[SideBySide, ...]
    losses: tuple[SideBySide, ...]


@dataclass(frozen=True)
class Logged:
    """What the search log says."""

    days: float
    searches: int
    """Plain searches in these days."""
    texts: int
    asked: int
    """Texts that were asked again: the most frequent ones."""
    share: float
    """Of the searches, theirs."""
    overlap: Interval
    alikeness: Interval
    """Rank-biased overlap."""
    zero: Row
    """Texts without any result."""
    slices: tuple[MeanRow, ...]
    """Rank-biased overlap."""
    replayed: Replayed | None
    examination: tuple[float, ...]
    moved: int
    fitted: bool
    """The examination was estimated from the log, not assumed."""
    changed: tuple[SideBySide, ...]
    """The texts whose lists differ most; `before` and `after` are the numbers of results."""


@dataclass(frozen=True)
class Report:
    """Everything on the page."""

    a: Side
    b: Side
    provenance: Mapping[str, str]
    warnings: tuple[str, ...]
    judged: Judged | None
    logged: Logged | None


def page(report: Report) -> str:
    """The HTML."""
    judged = report.judged
    return _template().render(
        report=report,
        bars=plots.bars(judged.comparison.differences) if judged else None,
        whiskers=plots.whiskers(judged.comparison.slices) if judged else None,
        primary=PRIMARY,
        ranks=RANKS,
        least=LEAST,
        plot=plots,
        verdict=verdict(report),
    )


def verdict(report: Report) -> str:
    """The first sentence: whether b is better by the metric that was chosen beforehand."""
    if report.judged is None:
        return "Without judgements nobody can say which is better: the log tells how much differs, and where."
    row = next(row for row in report.judged.comparison.metrics if row.name == PRIMARY)
    difference, low, high = row.difference.value, row.difference.low, row.difference.high
    interval = f"by {difference:+.4f} {PRIMARY} (95 % interval {low:+.4f} to {high:+.4f}, p {row.p:.4f})"
    if not difference:
        return f"b and a have the same {PRIMARY} on {row.queries:,} queries."
    direction = "better" if difference > 0 else "worse"
    if row.p < 0.05:
        return f"b is {direction} than a {interval}."
    return f"b is not surely {direction} than a: it differs {interval}, which may be chance."


@cache
def _template() -> Template:
    return template("comparison.html")
