"""Runs: what a system returned for each query, and their evaluation against judgements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lingsou.core.errors import InputError
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.metrics import Floats, RankedGrades, metric
from lingsou.evaluation.significance import Interval, bootstrap_interval


@dataclass(frozen=True)
class Run:
    """Query → product ids, best first, no id twice; `scores`, where kept, run parallel to them."""

    ranking: Mapping[str, Sequence[str]]
    scores: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for query, ids in self.ranking.items():
            if len(set(ids)) != len(ids):
                twice = next(name for number, name in enumerate(ids) if name in ids[:number])
                raise InputError(
                    f"The run holds product '{twice}' twice for the query '{query}'.", cure="Rank each product once."
                )
        for query, values in self.scores.items():
            if len(values) != len(self.ranking.get(query, ())):
                raise InputError(
                    f"The query '{query}' has {len(values)} scores for {len(self.ranking.get(query, ()))} products.",
                    cure="Give one score for each product.",
                )


@dataclass(frozen=True)
class Evaluation:
    """Per-query values: `values[metric][i]` belongs to `queries[i]`."""

    queries: tuple[str, ...]
    values: Mapping[str, Floats]

    def means(self) -> dict[str, float]:
        """The mean of each metric over the queries."""
        return {name: float(values.mean()) for name, values in self.values.items()}

    def intervals(self, seed: int = 7) -> dict[str, Interval]:
        """Mean and 95 % bootstrap interval of each metric."""
        return {name: bootstrap_interval(values, seed=seed) for name, values in self.values.items()}

    def summary(self, seed: int = 7) -> dict[str, float | list[float]]:
        """`<metric>`: mean and `<metric>_ci`: [low, high] for every metric, and `queries`: their number."""
        found: dict[str, float | list[float]] = {"queries": float(len(self.queries))}
        for name, interval in self.intervals(seed).items():
            found |= {name: interval.value, f"{name}_ci": [interval.low, interval.high]}
        return found


def evaluate(run: Run, judgements: Judgements, metrics: Sequence[str]) -> Evaluation:
    """Evaluate `run` on the queries that have a relevant product; a query that the run lacks scores 0.

    Raises:
        ConfigurationError: an unknown metric name.
        InputError: no query has a relevant product.
    """
    wanted = [metric(name) for name in metrics]
    queries = judgements.relevant_queries()
    if not queries:
        raise InputError("No query has a relevant product.", cure="Give judgements with a grade above 0.")
    ranked = ranked_grades(run, judgements, queries)
    return Evaluation(queries, {each.name: each(ranked) for each in wanted})


def ranked_grades(run: Run, judgements: Judgements, queries: Sequence[str]) -> RankedGrades:
    """The arrays that metrics take, one row for each of `queries`."""
    lists = [run.ranking.get(query, ()) for query in queries]
    graded = [judgements.grades.get(query, {}) for query in queries]
    found = [[known.get(name, np.nan) for name in ids] for ids, known in zip(lists, graded, strict=True)]
    return RankedGrades(
        grades=_padded(found),
        judged=_padded([list(known.values()) for known in graded]),
        retrieved=np.array([len(ids) for ids in lists], dtype=np.int64),
    )


def _padded(rows: Sequence[Sequence[float]]) -> Floats:
    table = np.full((len(rows), max((len(row) for row in rows), default=0)), np.nan)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
