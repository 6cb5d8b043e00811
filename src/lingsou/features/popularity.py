"""How much a product is clicked, put into carts and bought just now."""

import numpy as np

from lingsou.features.events_view import COUNTED
from lingsou.features.feature import Feature, Floats, RankingBatch


def _popularity(batch: RankingBatch, days: float) -> Floats:
    return np.full(len(batch), np.nan) if batch.events is None else batch.events.popularity(days)


def day(batch: RankingBatch) -> Floats:
    """Of a day."""
    return _popularity(batch, 1)


def week(batch: RankingBatch) -> Floats:
    """Of a week."""
    return _popularity(batch, 7)


def month(batch: RankingBatch) -> Floats:
    """Of a month."""
    return _popularity(batch, 30)


def views(batch: RankingBatch) -> Floats:
    """How often it was shown in a week, by search or otherwise."""
    if batch.events is None:
        return np.full(len(batch), np.nan)
    return np.asarray(np.log1p(batch.events.counts[:, COUNTED.index("impression"), 1]))


def trend(batch: RankingBatch) -> Floats:
    """Above 0: more popular today than in the month, a day's share of which is compared."""
    if batch.events is None:
        return np.full(len(batch), np.nan)
    return np.asarray(day(batch) - np.log1p(np.expm1(month(batch)) / 30))


_WHAT = "ln (1 + clicks, carts and purchases by worth), mean life"
_WAS = "点击、加购、购买的加权对数，平均寿命"
DAY = Feature("popularity-day", day, f"{_WHAT} 1 day", f"{_WAS} 1 天", 0, ("it is popular today", "今日热门"))
WEEK = Feature("popularity-week", week, f"{_WHAT} 7 days", f"{_WAS} 7 天", 0, ("it is popular this week", "本周热门"))
MONTH = Feature("popularity-month", month, f"{_WHAT} 30 days", f"{_WAS} 30 天", 0, ("it is popular", "热门商品"))
VIEWS = Feature("popularity-views", views, "ln (1 + times shown), mean life 7 days", "展示次数的对数，平均寿命 7 天")
TREND = Feature("popularity-trend", trend, "popularity of today over that of the month", "今日热度相对本月热度")
