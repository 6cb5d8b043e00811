"""How far a judging set has come, and what its grades say of the two configurations."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.evaluation.judge_agreement import Agreement, agreement
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.judging import Grading, JudgingSet, Pool, combined
from lingsou.evaluation.metrics import Floats, condensed_ndcg
from lingsou.evaluation.runs import Run, ranked_grades
from lingsou.evaluation.significance import Comparison, compare

DEEPEST = 10
"""nDCG looks at so many results, fewer where the set holds fewer."""


@dataclass(frozen=True)
class QueryStatus:
    """One query of a set."""

    position: int
    query: str
    products: int
    mine: int
    """How many of them the judge who asks has graded."""
    judged: int
    """How many anybody has graded."""
    a: float | None
    """nDCG of the first configuration without what nobody graded; none before a relevant product is known."""
    b: float | None

    @property
    def complete(self) -> bool:
        """Whether every product is graded by somebody."""
        return self.judged == self.products


@dataclass(frozen=True)
class SetReport:
    """A whole set, as one judge sees it."""

    queries: tuple[QueryStatus, ...]
    depth: int
    """Of the nDCG."""
    judges: tuple[tuple[str, int], ...]
    """(judge, products of the set graded), the busiest first."""
    agreement: Agreement | None
    compared: int
    """Queries that are complete and have a relevant product: those that the next three are about."""
    a: float | None
    b: float | None
    difference: Comparison | None
    """Of the second configuration to the first."""

    @property
    def products(self) -> int:
        """How many there are to grade."""
        return sum(each.products for each in self.queries)

    @property
    def mine(self) -> int:
        """How many the judge who asks has graded."""
        return sum(each.mine for each in self.queries)

    @property
    def next(self) -> int | None:
        """The first query that the judge who asks has not finished."""
        return next((each.position for each in self.queries if each.mine < each.products), None)


def statuses(
    judged: JudgingSet, pools: Sequence[Pool], gradings: Sequence[Grading], judge: str
) -> tuple[QueryStatus, ...]:
    """How far each query has come. `gradings` are those of its queries; outside the pools they are no progress."""
    inside = _inside(pools, gradings)
    mine = Counter(each.query for each in inside if each.judge == judge)
    anybody = Counter(query for query, _ in {(each.query, each.product_id) for each in inside})
    judgements = combined(gradings)
    relevant = set(judgements.relevant_queries())
    values_a, values_b = (_values(pools, side, judgements, depth_of(judged)) for side in ("a", "b"))
    return tuple(
        QueryStatus(
            position=place + 1,
            query=pool.query,
            products=len(pool.products),
            mine=mine[pool.query],
            judged=anybody[pool.query],
            a=float(values_a[place]) if pool.query in relevant else None,
            b=float(values_b[place]) if pool.query in relevant else None,
        )
        for place, pool in enumerate(pools)
    )


def report(judged: JudgingSet, pools: Sequence[Pool], gradings: Sequence[Grading], judge: str) -> SetReport:
    """Sum up a set, given what `statuses` takes."""
    queries = statuses(judged, pools, gradings, judge)
    done = [(each.a, each.b) for each in queries if each.complete and each.a is not None and each.b is not None]
    a, b = np.array(done).reshape(-1, 2).T
    return SetReport(
        queries=queries,
        depth=depth_of(judged),
        judges=tuple(Counter(each.judge for each in _inside(pools, gradings)).most_common()),
        agreement=agreement(gradings),
        compared=len(done),
        a=float(a.mean()) if done else None,
        b=float(b.mean()) if done else None,
        difference=compare(b, a) if done else None,
    )


def depth_of(judged: JudgingSet) -> int:
    """How many results its nDCG looks at."""
    return min(judged.depth, DEEPEST)


def _inside(pools: Sequence[Pool], gradings: Sequence[Grading]) -> list[Grading]:
    products = {pool.query: pool.products for pool in pools}
    return [each for each in gradings if each.product_id in products.get(each.query, ())]


def _values(pools: Sequence[Pool], side: str, judgements: Judgements, depth: int) -> Floats:
    """The nDCG of each query's list."""
    run = Run({pool.query: getattr(pool, side) for pool in pools})
    ranked = ranked_grades(run, judgements, [pool.query for pool in pools])
    if not ranked.judged.shape[1]:
        return np.zeros(len(pools))
    return condensed_ndcg(ranked.grades, ranked.judged, depth)
