"""Re-ranking of each query's own judged products: the measure of everything that is trained on pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.evaluation.metrics import mrr, ndcg
from lingsou.training.examples import PairSet

Floats = NDArray[np.float64]
LEAST_PRODUCTS = 5
"""Smaller pools are left out where there are larger ones: any order of two products is half right."""


@dataclass(frozen=True)
class PoolResult:
    """One value for each query that can be done well or badly: those whose grades are not all equal."""

    queries: NDArray[np.int64]
    """Numbers of the queries measured, in the set."""
    ndcg: Floats
    """nDCG@10, gain 2^grade − 1."""
    mrr: Floats
    """Reciprocal rank of the first product of the query's best grade, at 10."""

    def values(self) -> dict[str, float]:
        """The means; 0 where nothing could be measured."""
        return {"ndcg@10": _mean(self.ndcg), "mrr@10": _mean(self.mrr)}

    def slices(self, pairs: PairSet) -> dict[str, dict[str, float]]:
        """The means for each value of each slice of `pairs`; a query's value is that of its first row."""
        first = np.full(len(pairs.queries), len(pairs), np.int64)
        np.minimum.at(first, pairs.query, np.arange(len(pairs)))
        found: dict[str, dict[str, float]] = {}
        for name, column in pairs.slices.items():
            values = np.array([column[first[query]] for query in self.queries])
            for value in dict.fromkeys(values.tolist()):
                own = values == value
                found[f"{name}: {value}"] = {"ndcg@10": _mean(self.ndcg[own]), "mrr@10": _mean(self.mrr[own])}
        return found


def rank_pools(pairs: PairSet, scores: NDArray[np.floating], least: int = LEAST_PRODUCTS) -> PoolResult:
    """Rank each query's rows by `scores` [rows], equal ones in the set's order.

    Queries with fewer than `least` rows are left out, unless that leaves nothing.
    """
    measured = _measurable(pairs, least)
    if not len(measured):
        measured = _measurable(pairs, 2)
    order = np.lexsort((-scores, pairs.query))
    starts = np.searchsorted(pairs.query[order], np.arange(len(pairs.queries) + 1))
    depth = int(np.diff(starts).max(initial=1))
    ranked = np.full((len(measured), depth), np.nan)
    for place, query in enumerate(measured):
        rows = order[starts[query] : starts[query + 1]]
        ranked[place, : len(rows)] = pairs.grades[rows]
    best = np.where(ranked == np.nanmax(ranked, axis=1, keepdims=True), 1.0, 0.0) if len(ranked) else ranked
    return PoolResult(measured, ndcg(ranked, ranked, 10), mrr(np.where(np.isnan(ranked), np.nan, best), 10))


def _measurable(pairs: PairSet, least: int) -> NDArray[np.int64]:
    """Queries of at least `least` rows whose grades differ."""
    count = np.bincount(pairs.query, minlength=len(pairs.queries))
    low, high = np.full(len(count), np.inf), np.full(len(count), -np.inf)
    np.minimum.at(low, pairs.query, pairs.grades)
    np.maximum.at(high, pairs.query, pairs.grades)
    return np.flatnonzero((count >= least) & (low < high)).astype(np.int64)


def recall_of_pairs(
    pairs: PairSet, queries: NDArray[np.float32], texts: NDArray[np.float32], k: int = 10
) -> Mapping[str, float]:
    """`recall@k` and `mrr@k` of each query's relevant texts among all texts of the set, by dot product.

    Args:
        pairs: grades above 0 are relevant.
        queries: vectors `[queries, d]`.
        texts: vectors `[texts, d]`.
        k: depth.
    """
    wanted: list[set[int]] = [set() for _ in pairs.queries]
    for query, text, grade in zip(pairs.query.tolist(), pairs.text.tolist(), pairs.grades.tolist(), strict=True):
        if grade > 0:
            wanted[query].add(text)
    asked = [number for number, each in enumerate(wanted) if each]
    recalls, reciprocal = [], []
    for first in range(0, len(asked), 256):
        part = asked[first : first + 256]
        scores = queries[part] @ texts.T
        top = _top(scores, min(k, texts.shape[0]))
        for row, query in enumerate(part):
            hits = [text in wanted[query] for text in top[row].tolist()]
            recalls.append(sum(hits) / len(wanted[query]))
            reciprocal.append(1.0 / (hits.index(True) + 1) if any(hits) else 0.0)
    return {f"recall@{k}": _mean(np.array(recalls)), f"mrr@{k}": _mean(np.array(reciprocal))}


def _top(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    if k < scores.shape[1]:
        found = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        scores = np.take_along_axis(scores, found, axis=1)
    else:
        found = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.take_along_axis(found, np.argsort(-scores, axis=1, kind="stable"), axis=1).astype(np.int64)


def _mean(values: Sequence[float] | Floats) -> float:
    return float(np.mean(values)) if len(values) else 0.0
