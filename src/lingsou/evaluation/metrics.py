"""Ranking metrics: array kernels behind documented functions, one value per query; means are the caller's.

Two arrays describe a set of queries. Row i of each belongs to query i.

    grades  float (queries, depth)   grade of the product at each rank; NaN: not judged, or past the end
    judged  float (queries, width)   grades of everything judged for the query, in any order; NaN pads

A product is relevant when its grade is above 0. Grades below 0 count as 0.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError, InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def ndcg(grades: Floats, judged: Floats, k: int) -> Floats:
    """Normalised discounted cumulative gain at `k`, with gain 2^grade − 1 and discount log2(rank + 1).

    The ideal ranking is made of all judged products, found or not. Unjudged products gain nothing.
    0 where nothing is relevant.

    Source: Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002;
    the exponential gain is of Burges et al., "Learning to rank using gradient descent", ICML 2005.
    """
    _check(grades, k)
    best = -np.sort(-_gains(judged), axis=1)
    return _share(_dcg(_gains(grades), k), _dcg(best, k))


def condensed_ndcg(grades: Floats, judged: Floats, k: int) -> Floats:
    """`ndcg` of the ranking without its unjudged products, for judgements that are incomplete.

    Source: Sakai, "Alternatives to Bpref", SIGIR 2007.
    """
    return ndcg(condense(grades), judged, k)


def judged_share(grades: Floats, retrieved: Integers, k: int) -> Floats:
    """Share of the first `k` results that anybody judged; `retrieved` (queries,) is the length of each list.

    A list shorter than `k` is divided by its length; an empty one gives 0. A low share means that the other
    metrics say little.
    """
    _check(grades, k)
    return _share((~np.isnan(grades[:, :k])).sum(axis=1), np.minimum(retrieved, k))


def mrr(grades: Floats, k: int) -> Floats:
    """Reciprocal rank of the first relevant product within `k`; 0 when there is none.

    Source: Voorhees, "The TREC-8 question answering track report", TREC 1999.
    """
    _check(grades, k)
    relevant = _relevant(grades[:, :k])
    if not relevant.shape[1]:
        return np.zeros(len(grades))
    return np.where(relevant.any(axis=1), 1.0 / (relevant.argmax(axis=1) + 1), 0.0)


def recall(grades: Floats, judged: Floats, k: int) -> Floats:
    """Share of all relevant products that stand within the first `k`; 0 where none is relevant.

    Source: Manning, Raghavan & Schütze, "Introduction to Information Retrieval", 2008, section 8.3.
    """
    _check(grades, k)
    return _share(_relevant(grades[:, :k]).sum(axis=1), _relevant(judged).sum(axis=1))


def precision(grades: Floats, k: int) -> Floats:
    """Relevant products within the first `k`, divided by `k` even where the list is shorter.

    Source: as `recall`, section 8.4.
    """
    _check(grades, k)
    return np.asarray(_relevant(grades[:, :k]).sum(axis=1) / k)


def average_precision(grades: Floats, judged: Floats) -> Floats:
    """Precision at the rank of each relevant product, summed, over the number of relevant products.

    Those not found contribute 0. Source: Buckley & Voorhees, "Evaluating evaluation measure stability", SIGIR 2000.
    """
    relevant = _relevant(grades)
    at_rank = relevant.cumsum(axis=1) / np.arange(1, grades.shape[1] + 1)
    return _share((at_rank * relevant).sum(axis=1), _relevant(judged).sum(axis=1))


def condense(grades: Floats) -> Floats:
    """Each row with its judged entries first, in their order; the NaNs follow."""
    order = np.argsort(np.isnan(grades), axis=1, kind="stable")
    return np.take_along_axis(grades, order, axis=1)


@dataclass(frozen=True)
class RankedGrades:
    """A run seen through its judgements: the two arrays of this module, and the length of each list."""

    grades: Floats
    judged: Floats
    retrieved: Integers


_KERNELS: dict[str, Callable[[RankedGrades, int], Floats]] = {
    "ndcg": lambda ranked, k: ndcg(ranked.grades, ranked.judged, k),
    "judged": lambda ranked, k: judged_share(ranked.grades, ranked.retrieved, k),
    "mrr": lambda ranked, k: mrr(ranked.grades, k),
    "recall": lambda ranked, k: recall(ranked.grades, ranked.judged, k),
    "precision": lambda ranked, k: precision(ranked.grades, k),
    "ap": lambda ranked, _: average_precision(ranked.grades, ranked.judged),
}
_NAME = re.compile(r"(?P<kind>[a-z]+)(?:@(?P<k>[1-9][0-9]{0,5}))?(?P<condensed>_condensed)?")


@dataclass(frozen=True)
class Metric:
    """A metric by name: `ndcg@10`, `ndcg@10_condensed`, `judged@10`, `mrr@10`, `recall@100`, `precision@5`, `ap`."""

    name: str
    kind: Literal["ndcg", "judged", "mrr", "recall", "precision", "ap"]
    k: int | None
    condensed: bool

    def __call__(self, ranked: RankedGrades) -> Floats:
        """The value of each query, shape (queries,)."""
        if self.condensed:
            ranked = RankedGrades(condense(ranked.grades), ranked.judged, ranked.retrieved)
        return _KERNELS[self.kind](ranked, self.k or 0)


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ConfigurationError: no such metric; `ap` takes no cut-off, the others need one.
    """
    found = _NAME.fullmatch(name)
    kind = found["kind"] if found else ""
    k = int(found["k"]) if found and found["k"] else None
    condensed = bool(found and found["condensed"])
    if kind not in _KERNELS or (kind == "ap") != (k is None) or (kind == "judged" and condensed):
        raise ConfigurationError(
            f"There is no metric '{name}'.",
            cure="Use ndcg@K, mrr@K, recall@K, precision@K or ap, each also with _condensed, or judged@K.",
        )
    return Metric(name, kind, k, condensed)  # type: ignore[arg-type]  # membership was checked above


def _check(grades: Floats, k: int) -> None:
    if grades.ndim != 2:
        raise InputError(f"grades have {grades.ndim} dimensions.", cure="Pass an array (queries, depth).")
    if k < 1:
        raise InputError(f"The cut-off is {k}.", cure="Use a cut-off of at least 1.")


def _relevant(grades: Floats) -> NDArray[np.bool_]:
    return np.nan_to_num(grades, nan=0.0) > 0


def _gains(grades: Floats) -> Floats:
    return np.asarray(np.exp2(np.maximum(np.nan_to_num(grades, nan=0.0), 0.0)) - 1.0)


def _dcg(gains: Floats, k: int) -> Floats:
    cut = gains[:, :k]
    return np.asarray(cut @ (1.0 / np.log2(np.arange(2, cut.shape[1] + 2))))


def _share(part: Floats | Integers, whole: Floats | Integers) -> Floats:
    """`part / whole`, 0 where `whole` is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
