"""When and with what the shopper asks: the same for all candidates, so that other features can weigh differently.

The shopper's own clock is not known, so hours and days are those of UTC; NaN without consent to a personal order or
where the context does not say.
"""

import math

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch

_PHONES = ("mobile", "phone", "android", "ios", "手机", "移动")


def _constant(batch: RankingBatch, value: float) -> Floats:
    known = batch.context.personalise and batch.context.time is not None
    return np.full(len(batch), value if known else np.nan)


def hour(batch: RankingBatch) -> Floats:
    """0 to 24."""
    return _constant(batch, batch.time.hour + batch.time.minute / 60)


def weekend(batch: RankingBatch) -> Floats:
    """1 on Saturday and Sunday."""
    return _constant(batch, float(batch.time.weekday() >= 5))


def season(batch: RankingBatch) -> Floats:
    """Cosine of the day in the year: 1 on New Year's Day, −1 in early July."""
    return _constant(batch, math.cos(2 * math.pi * (batch.time.timetuple().tm_yday - 1) / 365.25))


def phone(batch: RankingBatch) -> Floats:
    """1 for a phone, 0 for another device."""
    device = batch.context.device
    if not device or not batch.context.personalise:
        return np.full(len(batch), np.nan)
    return np.full(len(batch), float(any(name in device.lower() for name in _PHONES)))


HOUR = Feature("hour", hour, "hour of the day, UTC", "一天中的小时（UTC）")
WEEKEND = Feature("weekend", weekend, "whether it is Saturday or Sunday, UTC", "是否周末（UTC）")
SEASON = Feature("season", season, "cosine of the day in the year", "一年中日期的余弦")
PHONE = Feature("phone", phone, "whether the shopper uses a phone", "是否使用手机")
