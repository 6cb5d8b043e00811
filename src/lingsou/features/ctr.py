"""How often shoppers who look at a product click it, and who click it buy it; the bias of places taken out."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def debiased(batch: RankingBatch) -> Floats:
    """Over all searches."""
    return np.full(len(batch), np.nan) if batch.events is None else batch.events.ctr()


def of_query(batch: RankingBatch) -> Floats:
    """In searches of the same words."""
    return np.full(len(batch), np.nan) if batch.events is None else batch.events.query_ctr()


def conversion(batch: RankingBatch) -> Floats:
    """Purchases for each click."""
    return np.full(len(batch), np.nan) if batch.events is None else batch.events.conversion()


DEBIASED = Feature(
    "ctr-debiased",
    debiased,
    "clicks for each look, over all searches, position bias taken out",
    "每次浏览的点击率（所有搜索，已消除位置偏差）",
    praise=("shoppers often choose it", "购物者常常选择它"),
)
OF_QUERY = Feature(
    "query-ctr",
    of_query,
    "clicks for each look in searches of the same words, position bias taken out",
    "同一查询中每次浏览的点击率（已消除位置偏差）",
    praise=("shoppers with this search often choose it", "搜索相同内容的购物者常常选择它"),
)
CONVERSION = Feature(
    "conversion",
    conversion,
    "purchases for each click, smoothed",
    "每次点击的购买率（平滑）",
    praise=("who looks at it often buys it", "浏览者多会购买"),
)
