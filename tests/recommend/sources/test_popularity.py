import numpy as np
import pytest

from lingsou.recommend.interactions import interactions, items_of
from lingsou.recommend.sources.popularity import (
    DAY_MS,
    Popularity,
    PopularitySettings,
    Trending,
    TrendingSettings,
)

ITEMS = items_of([[], [], []])


def test_what_happened_half_a_life_ago_counts_half() -> None:
    rows = interactions(np.zeros(3, np.int64), np.array([0, 1, 1]), np.array([0, 10, 10]) * DAY_MS, n_items=3)
    source = Popularity(PopularitySettings(half_life_days=10))
    source.fit(rows, ITEMS)
    assert source.score(rows)[0].tolist() == [0.5, 2, 0]


def test_an_update_is_as_a_fit() -> None:
    times = np.array([0, 3, 5, 9, 20, 11]) * DAY_MS
    rows = interactions(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2]), times, n_items=3)
    source, anew = Popularity(), Popularity()
    anew.fit(rows, ITEMS)
    source.fit(rows.until_last(2), ITEMS)
    source.update(rows, np.array([2, 2]), ITEMS)
    assert source.score(rows) == pytest.approx(anew.score(rows))


def trending(recent: list[int], before: list[int]) -> Trending:
    """So many events of each item on the last day, and 20 days before it."""
    items = np.concatenate([np.repeat(np.arange(3), recent), np.repeat(np.arange(3), before)])
    days = np.concatenate([np.full(sum(recent), 20), np.zeros(sum(before), np.int64)])
    rows = interactions(np.zeros(len(items), np.int64), items, days * DAY_MS, n_items=3)
    source = Trending(TrendingSettings(days=7, before_days=28))
    source.fit(rows, ITEMS)
    return source


def test_a_busy_week_makes_nothing_trend() -> None:
    assert not trending([100, 50, 20], [20, 10, 4])._bursts.any()


def test_one_more_sale_is_no_trend_and_a_burst_is() -> None:
    """Item 0 grew from 10 to 60 while the others stayed; item 2 from nothing to 2."""
    bursts = trending([60, 100, 2], [10, 100, 0])._bursts
    assert bursts[0] > 10.83
    assert bursts[1:].tolist() == [0, 0]


def test_an_update_forgets_what_is_too_old() -> None:
    source = trending([60, 100, 2], [10, 100, 0])
    later = interactions(np.zeros(1, np.int64), np.array([1]), np.array([200 * DAY_MS]), n_items=3)
    source.update(later, np.array([1]), ITEMS)
    assert len(source._times) == 1
    assert not source._bursts.any()
