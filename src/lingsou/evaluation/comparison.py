"""Two configurations on the same judged queries: metrics, slices, and what changed most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lingsou.core.errors import InputError
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.metrics import Floats
from lingsou.evaluation.runs import Evaluation, Run, evaluate
from lingsou.evaluation.significance import Interval, bootstrap_interval, compare, holm
from lingsou.evaluation.slices import LEAST, Slice

PRIMARY = "ndcg@10"
"""The metric that decides, and that slices, gains and losses are about: chosen before anything is measured."""

METRICS = (PRIMARY, "ndcg@10_condensed", "mrr@10", "precision@5", "recall@100", "judged@10")
DEPTH = 100
_SAME = 1e-9


@dataclass(frozen=True)
class Row:
    """One paired comparison."""

    name: str
    queries: int
    a: float
    b: float
    difference: Interval
    """Of the mean of b − a."""
    p: float
    """Of no difference, by the paired randomisation test."""
    corrected_p: float
    """The same after Holm, for all rows of its table."""


@dataclass(frozen=True)
class SliceRow:
    """A slice; without a row where it has too few queries."""

    dimension: str
    name: str
    queries: int
    row: Row | None


@dataclass(frozen=True)
class Change:
    """One query."""

    query: str
    a: float
    b: float

    @property
    def difference(self) -> float:
        """What b gains."""
        return self.b - self.a


@dataclass(frozen=True)
class Comparison:
    """Everything that judgements say of b against a."""

    queries: tuple[str, ...]
    metrics: tuple[Row, ...]
    slices: tuple[SliceRow, ...]
    differences: tuple[float, ...]
    """Of the primary metric, one for each query."""
    gains: tuple[Change, ...]
    """The largest first."""
    losses: tuple[Change, ...]


def compare_runs(
    a: Run, b: Run, judgements: Judgements, cuts: Sequence[Slice], *, shown: int = 10, seed: int = 7
) -> Comparison:
    """Compare two runs on the queries that have a relevant product. `cuts` are slices of just these, in their order.

    Raises:
        InputError: no query has a relevant product.
    """
    first, second = (evaluate(run, judgements, METRICS) for run in (a, b))
    left, right = first.values[PRIMARY], second.values[PRIMARY]
    changes = [
        Change(query, float(before), float(after))
        for query, before, after in zip(first.queries, left, right, strict=True)
    ]
    ordered = sorted(changes, key=lambda change: (-change.difference, change.query))
    return Comparison(
        queries=first.queries,
        metrics=_metric_rows(first, second, seed),
        slices=_slice_rows(left, right, cuts, seed),
        differences=tuple(change.difference for change in changes),
        gains=tuple(change for change in ordered if change.difference > _SAME)[:shown],
        losses=tuple(change for change in reversed(ordered) if change.difference < -_SAME)[:shown],
    )


def paired(values: Mapping[str, tuple[Floats, Floats]], seed: int = 7) -> tuple[Row, ...]:
    """Rows of one table, name → values of a and b on the same queries; their p are corrected for one another."""
    rows = []
    for name, (a, b) in values.items():
        if len(a) != len(b) or not len(a):
            raise InputError(f"'{name}' has {len(a)} and {len(b)} values.", cure="Give both for each of the queries.")
        found = compare(b, a, seed=seed)
        rows.append(Row(name, len(a), float(a.mean()), float(b.mean()), found.difference, found.p, found.p))
    return tuple(replace(row, corrected_p=float(p)) for row, p in zip(rows, holm([row.p for row in rows]), strict=True))


@dataclass(frozen=True)
class MeanRow:
    """One value a query, by slice: for what is of both lists at once, such as how alike they are."""

    dimension: str
    name: str
    queries: int
    mean: Interval | None
    """None where there are too few queries."""


def means(values: Floats, cuts: Sequence[Slice], seed: int = 7) -> tuple[MeanRow, ...]:
    """The mean of each slice."""
    return tuple(
        MeanRow(
            cut.dimension,
            cut.name,
            len(cut.places),
            bootstrap_interval(values[list(cut.places)], seed=seed) if len(cut.places) >= LEAST else None,
        )
        for cut in cuts
    )


def _metric_rows(first: Evaluation, second: Evaluation, seed: int) -> tuple[Row, ...]:
    return paired({name: (first.values[name], second.values[name]) for name in METRICS}, seed)


def _slice_rows(a: Floats, b: Floats, cuts: Sequence[Slice], seed: int) -> tuple[SliceRow, ...]:
    enough = {number: list(cut.places) for number, cut in enumerate(cuts) if len(cut.places) >= LEAST}
    compared = paired({str(number): (a[places], b[places]) for number, places in enough.items()}, seed)
    rows = dict(zip(enough, compared, strict=True))
    return tuple(
        SliceRow(cut.dimension, cut.name, len(cut.places), replace(rows[n], name=cut.name) if n in rows else None)
        for n, cut in enumerate(cuts)
    )
