"""The price beside what the best candidates cost."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def from_norm(batch: RankingBatch) -> Floats:
    """Ln price less the median of the leaders': 0.7 is twice, −0.7 half of what is usual for the query."""
    usual = batch.prices[batch.leaders]
    usual = usual[~np.isnan(usual)]
    return np.asarray(batch.prices - np.median(usual)) if len(usual) else np.full(len(batch), np.nan)


def distance(batch: RankingBatch) -> Floats:
    """How far from it in either direction."""
    return np.abs(from_norm(batch))


def level(batch: RankingBatch) -> Floats:
    """Ln (1 + price)."""
    return batch.prices


FROM_NORM = Feature(
    "price-norm", from_norm, "ln of the price over the query's usual price", "价格与该查询常见价格之比的对数"
)
DISTANCE = Feature(
    "price-distance",
    distance,
    "distance of the price from the query's usual price, either way",
    "价格偏离该查询常见价格的程度",
    praise=("its price is what such products usually cost", "价格处于同类商品的常见区间"),
)
LEVEL = Feature("price", level, "ln (1 + price)", "价格的对数")
