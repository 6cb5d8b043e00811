"""Whether a product can be had."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def stock(batch: RankingBatch) -> Floats:
    """Ln (1 + units on hand); NaN where the shop does not track it."""
    return np.asarray(np.log1p(batch.numbers("stock")))


STOCK = Feature("stock", stock, "ln (1 + units on hand)", "库存数量的对数", 1, ("it is in stock", "有现货"))
