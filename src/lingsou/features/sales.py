"""How often a product is bought."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def sales(batch: RankingBatch) -> Floats:
    """Ln (1 + units sold); NaN where unknown."""
    return np.asarray(np.log1p(batch.numbers("sales")))


SALES = Feature("sales", sales, "ln (1 + units sold)", "销量的对数", 1, ("it sells well", "销量好"))
