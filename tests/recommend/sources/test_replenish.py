from dataclasses import replace

import numpy as np

from lingsou.recommend.interactions import KINDS, Interactions, interactions, items_of
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.popularity import DAY_MS
from lingsou.recommend.sources.replenish import Replenish

BUY = KINDS.index("purchase")
ITEMS = items_of([[], [], []])


def shop() -> Interactions:
    """30 shoppers buy coffee (0) every 30 days or so, four times, and a kettle (1) once; all click on 2 every day."""
    random = np.random.default_rng(1)
    users, items, days, kinds = [], [], [], []
    for user in range(30):
        coffee = np.cumsum(30 + random.normal(0, 3, 4))
        for item, moments, kind in ((0, coffee, BUY), (1, [5.0], BUY), (2, range(100), 1)):
            for day in moments:
                users.append(user)
                items.append(item)
                days.append(day)
                kinds.append(kind)
    times = (np.array(days) * DAY_MS).astype(np.int64)
    return interactions(np.array(users), np.array(items), times, np.array(kinds, np.int8), n_items=3)


def bought(day: float) -> Interactions:
    """A shopper who bought coffee and a kettle on day 0 and asks on `day`."""
    kinds = np.array([BUY, BUY], np.int8)
    rows = interactions(np.zeros(2, np.int64), np.array([0, 1]), np.zeros(2, np.int64), kinds, n_items=3)
    return replace(rows, now=int(day * DAY_MS))


def test_coffee_comes_again_when_it_runs_out_and_a_kettle_does_not() -> None:
    source = Replenish()
    source.fit(shop(), ITEMS)
    early, due = source.score(bought(5))[0], source.score(bought(27))[0]
    assert early[0] < 0.05 < 0.5 < due[0]
    assert due[1] < 0.2 * due[0]
    assert due[2] == 0, "it was never bought"
    assert recommend(source, bought(27), 1, seen=True).items.tolist() == [[0]]
    assert recommend(source, bought(27), 1).items.tolist() == [[-1]]
    assert source.because(bought(27), np.array([[0, 2]])).tolist() == [[0, -1]]


def test_two_orders_of_one_evening_are_one() -> None:
    source = Replenish()
    twice = interactions(
        np.zeros(2, np.int64), np.array([0, 0]), np.array([0, 3_600_000]), np.full(2, BUY, np.int8), n_items=3
    )
    source.fit(twice, ITEMS)
    assert not source.score(bought(30)).any()
