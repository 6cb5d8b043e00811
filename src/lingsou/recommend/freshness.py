"""Places for new products in a recommended list: what few have seen yet cannot gather evidence otherwise."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product

NEW_DAYS = 30.0
"""A product is new for so long after `created_at`."""


def freshen(
    order: NDArray[np.intp], products: Sequence[Product], now: datetime, n: int, share: float
) -> NDArray[np.intp]:
    """Let the best new products further behind take the last of the first n places, up to a share of them.

    New ones that stand there by themselves count, so at most ⌊share · n⌋ places are given, and all that is brought
    forward was a candidate. What gives way follows right behind; all else keeps its order.

    Args:
        order: places of `products`, best first, [m].
        products: the candidates, [m].
        now: the moment of asking.
        n: how many are shown.
        share: of them, 0 to 1.
    """
    ages = [None if product.created_at is None else (now - product.created_at).days for product in products]
    new = np.asarray([age is not None and age < NEW_DAYS for age in ages], np.bool_)[order]
    room = int(share * n) - int(new[:n].sum())
    brought = n + np.flatnonzero(new[n:])[: max(room, 0)]
    if not len(brought):
        return order
    old = np.flatnonzero(~new[:n])
    giving = old[len(old) - min(len(brought), len(old)) :]
    kept = np.setdiff1d(np.arange(min(n, len(order))), giving)
    rest = np.setdiff1d(np.arange(n, len(order)), brought)
    return np.asarray(order[np.concatenate([kept, brought, giving, rest])])
