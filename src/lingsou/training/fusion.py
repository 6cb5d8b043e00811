"""The weight of words beside meaning, fitted to judgements, with cross-validation by query.

A product's score depends on the weight w in one place: score(w) = score(w₀) + (w − w₀) · BM25 / ceiling. So one answer
a query, deep enough, gives its order under every weight, and a fit needs no search again. What is fitted is the mean of
nDCG@10 and MRR@10. As both move in steps, they are first averaged over neighbouring weights: a peak that a single query
makes is no reason to go there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.folds import folds
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.metrics import mrr, ndcg
from lingsou.evaluation.significance import Comparison, compare
from lingsou.retrieval.engine import EngineResult

Floats = NDArray[np.float64]

WEIGHTS: Floats = np.geomspace(0.02, 5.0, 60)
"""The weights that are tried, from nearly meaning alone to nearly words alone, each a tenth above the one before."""

DEPTH = 1_000
CUT_OFF = 10
PARTS, REPEATS = 5, 20
_REACH = 4
"""Neighbouring weights on either side that a value is averaged over, nearer ones counting more."""


@dataclass(frozen=True)
class JudgedAnswer:
    """One query's answer in columns of length n, best first, and what was judged of it.

    `others` is the score without the words (similarity, boosts, identifiers), `shares` BM25 over its ceiling, `grades`
    the grade of each product (NaN: not judged); `judged` [m] are all grades of the query, found or not.
    """

    others: Floats
    shares: Floats
    grades: Floats
    judged: Floats

    @classmethod
    def of(cls, result: EngineResult, graded: dict[str, float], weight: float) -> "JudgedAnswer":
        """From an answer that was ordered with `weight`.

        Raises:
            InputError: the engine does not say what a fit needs to know.
        """
        found = result.candidates
        if len(found.ids) and not ({"lexical", "vector"} <= found.legs.keys() and result.lexical_ceiling > 0):
            raise InputError(
                "The answers do not hold the scores of words and of meaning.",
                cure="Fit with an encoder that opens, on an index that has its vectors: lingsou doctor",
            )
        shares = found.legs["lexical"] / result.lexical_ceiling if len(found.ids) else np.empty(0)
        grades = np.array([graded.get(id_, np.nan) for id_ in found.ids], np.float64)
        return cls(found.scores - weight * shares, shares, grades, np.array(list(graded.values()), np.float64))

    def top(self, weight: float) -> Floats:
        """Grades of the first ten products under a weight, NaN past the end."""
        order = np.argsort(-(self.others + weight * self.shares), kind="stable")[:CUT_OFF]
        return np.pad(self.grades[order], (0, CUT_OFF - len(order)), constant_values=np.nan)


@dataclass(frozen=True)
class Fit:
    """A fitted weight, and what it is worth on queries that it was not fitted to.

    `before` and `after` [queries] are the metric of each query with the weight of now, and with weights fitted without
    that query (mean of `REPEATS` cross-validations).
    """

    weight: float
    before: Floats
    after: Floats
    gain: Comparison


def answers(
    judgements: Judgements, search: Callable[[str, int], EngineResult], weight: float
) -> Iterator[JudgedAnswer]:
    """One answer for each query that has a relevant product, in order."""
    for query in judgements.relevant_queries():
        yield JudgedAnswer.of(search(query, DEPTH), dict(judgements.grades[query]), weight)


def quality(judged: list[JudgedAnswer], weights: Floats) -> Floats:
    """Mean of nDCG@10 and MRR@10 of each query under each weight: [queries, weights]."""
    width = max(len(each.judged) for each in judged)
    known = np.stack([np.pad(each.judged, (0, width - len(each.judged)), constant_values=np.nan) for each in judged])
    columns = []
    for weight in weights.tolist():
        tops = np.stack([each.top(weight) for each in judged])
        columns.append((ndcg(tops, known, CUT_OFF) + mrr(tops, CUT_OFF)) / 2)
    return np.stack(columns, axis=1)


def smoothed(table: Floats) -> Floats:
    """A table [queries, weights] averaged over neighbouring weights."""
    kernel = np.bartlett(2 * _REACH + 3)[1:-1]
    padded = np.pad(table, ((0, 0), (_REACH, _REACH)), mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=1) @ (kernel / kernel.sum()))


def best(table: Floats) -> int:
    """Which of `WEIGHTS` is best over the queries of a table [queries, weights], neighbours considered."""
    return int(smoothed(table.mean(axis=0, keepdims=True)).argmax())


def out_of_fold(table: Floats, *, parts: int = PARTS, repeats: int = REPEATS, seed: int = 7) -> Floats:
    """Each query's value [queries] under weights fitted without it: the mean of `repeats` cross-validations."""
    values = np.zeros((repeats, len(table)))
    for repeat in range(repeats):
        part = folds(len(table), parts, seed + repeat)
        for held_out in range(parts):
            mask = part == held_out
            values[repeat, mask] = table[mask, best(table[~mask])]
    return np.asarray(values.mean(axis=0))


def fit(judged: list[JudgedAnswer], weight: float) -> Fit:
    """Fit the weight and compare it with the one of now.

    Raises:
        InputError: too few queries to cross-validate.
    """
    table = quality(judged, WEIGHTS)
    before, after = quality(judged, np.array([weight]))[:, 0], out_of_fold(table)
    return Fit(round(float(WEIGHTS[best(table)]), 3), before, after, compare(after, before))
