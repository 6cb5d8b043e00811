"""How usual a product's category and brand are among the best candidates, each counted by its squared score."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def share_among_leaders(keys: Sequence[Hashable], batch: RankingBatch) -> Floats:
    """The weight of the leaders that have the product's key, 0 to 1; NaN for a product without one."""
    weights: dict[Hashable, float] = defaultdict(float)
    for place, weight in zip(batch.leaders.tolist(), batch.leader_weights.tolist(), strict=True):
        weights[keys[place]] += weight
    return np.asarray([weights[key] if key else np.nan for key in keys], np.float64)


def category(batch: RankingBatch) -> Floats:
    """Share of its category."""
    return share_among_leaders([product.category for product in batch.products], batch)


def brand(batch: RankingBatch) -> Floats:
    """Share of its brand."""
    return share_among_leaders([product.brand.casefold() for product in batch.products], batch)


CATEGORY = Feature(
    "category-share",
    category,
    "share of its category among the best products for the query",
    "其类目在最佳商品中的占比",
    praise=("it is of the category that fits your search", "属于最符合搜索的类目"),
)
BRAND = Feature(
    "brand-share", brand, "share of its brand among the best products for the query", "其品牌在最佳商品中的占比"
)
