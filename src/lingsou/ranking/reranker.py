"""Models that read the query and a product's text together, and how their scores join the ranker's.

Such a model (a cross-encoder) sees what no feature says, and costs a forward pass for each product: so only the first
few products of a list are read, within a time budget, and only their order among themselves changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
KIND = "reranker"
_LONGEST = 400


@runtime_checkable
class Reranker(Protocol):
    """Scores texts for a query. Safe to share between threads; equal pairs always get equal scores."""

    version: str
    """Names the model in answers and logs."""

    def score(self, query: str, texts: Sequence[str], deadline: float) -> Floats | None:
        """One finite number for each text [n], higher is better, on a scale of the model's own.

        None when they cannot all be had by `deadline`, in seconds of `time.perf_counter`: the model looks at the clock
        at least every few milliseconds and gives up.
        """
        ...


RerankerFactory = Callable[[Path], Reranker]
"""What a plug-in registers: given the folder of a stored version, whose files were verified, the model."""


def document_text(product: Product) -> str:
    """What a reranker reads of a product: title, brand unless the title names it, category; at most 400 characters.

    Models are trained on this very text (`lingsou.training`), so a change here asks for new ones.
    """
    parts = [product.title]
    if product.brand and product.brand.casefold() not in product.title.casefold():
        parts.append(product.brand)
    parts += product.category[-1:]
    return ". ".join(parts)[:_LONGEST]


@dataclass(frozen=True)
class Reranked:
    """An order of n candidates after k of them were read. What was not read keeps its place.

    `read` [k] are those candidates in the order they had, `text_scores` [k] the model's scores of them, `shares` [k, 2]
    what the ranker and the model each add to the sum that they are now ordered by. `before` [n] and `order` [n] are the
    orders, best first; `scores` [n] are on the ranker's scale and fall along `order`: those of `read` changed owners.
    """

    version: str
    weight: float
    read: Places
    text_scores: Floats
    shares: Floats
    before: Places
    order: Places
    scores: Floats


def to_read(order: Places, exact: NDArray[np.bool_], depth: int) -> Places:
    """The candidates among the first `depth` of `order` whose place may change: all but exact identifiers."""
    head = order[:depth]
    return head[~exact[head]]


def rerank(
    order: Places, scores: Floats, read: Places, text_scores: Floats, *, weight: float, version: str
) -> Reranked:
    """Reorder `read` by (1 − weight) · the ranker's score + weight · the model's.

    Each score is first taken less the mean over `read`, and divided by the standard deviation there, so that two scales
    that have nothing to do with each other become one. Equal sums stay in the order they had.

    Args:
        order: candidates [n], best first by `scores`.
        scores: the ranker's [n].
        read: some of the candidates [k], in the order of `order`.
        text_scores: the model's [k].
        weight: 0 to 1.
        version: of the model.
    """
    shares = np.column_stack([(1 - weight) * _normal(scores[read]), weight * _normal(text_scores)])
    better = read[np.lexsort((np.arange(len(read)), -shares.sum(axis=1)))]
    moved, owned = order.copy(), scores.copy()
    moved[np.isin(order, read)] = better
    owned[better] = scores[read]
    return Reranked(version, weight, read, text_scores, shares, order, moved, owned)


def _normal(values: Floats) -> Floats:
    """Less their mean, over their standard deviation; all alike: zeros."""
    centred = values - values.mean()
    spread = float(centred.std())
    return centred / spread if spread > 0 else np.zeros_like(centred)
