"""Variety among the first results: maximal marginal relevance over brand and category.

Source: Carbonell & Goldstein, "The use of MMR, diversity-based reranking", SIGIR 1998.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product

Floats = NDArray[np.float64]
DEPTH = 50
"""Places that are diversified."""


def diversify(
    order: NDArray[np.intp], scores: Floats, products: Sequence[Product], strength: float
) -> NDArray[np.intp]:
    """Reorder the first `DEPTH`: each next product is the best by (1 − strength) relevance − strength likeness.

    Relevance is the score between the lowest and highest of them, 0 to 1; likeness to a product already placed is 0.5
    for the same brand and 0.5 for the same category, the largest counts. Strength 0 changes nothing.
    """
    head = order[:DEPTH]
    if not strength or len(head) < 3:
        return order
    own = scores[head]
    spread = float(own.max() - own.min()) or 1.0
    relevance = (own - own.min()) / spread
    brands = _codes([products[place].brand.casefold() for place in head.tolist()])
    categories = _codes([" > ".join(products[place].category) for place in head.tolist()])
    likeness = np.zeros(len(head))
    left = np.ones(len(head), np.bool_)
    chosen: list[int] = []
    for _ in range(len(head)):
        worth = np.where(left, (1 - strength) * relevance - strength * likeness, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        same = 0.5 * (brands == brands[best]) * (brands[best] >= 0)
        same = same + 0.5 * (categories == categories[best]) * (categories[best] >= 0)
        likeness = np.maximum(likeness, same)
    return np.concatenate([head[chosen], order[DEPTH:]])


def _codes(names: Sequence[str]) -> NDArray[np.int64]:
    """A number for each name; −1 for none."""
    known: dict[str, int] = {}
    return np.asarray([known.setdefault(name, len(known)) if name else -1 for name in names], np.int64)
