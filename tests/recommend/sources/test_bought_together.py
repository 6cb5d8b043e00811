import numpy as np
import pytest

from lingsou.models.association import log_likelihood_ratio
from lingsou.recommend.interactions import KINDS, Interactions, interactions, items_of, sequences
from lingsou.recommend.sources.bought_together import BoughtTogether, BoughtTogetherSettings

BUY, CLICK = KINDS.index("purchase"), KINDS.index("click")
ITEMS = items_of([[] for _ in range(5)])


def baskets(*contents: list[int]) -> Interactions:
    """Each basket of a user of its own."""
    users = np.repeat(np.arange(len(contents)), list(map(len, contents)))
    items = np.concatenate([np.array(each, np.int64) for each in contents])
    return interactions(users, items, np.zeros(len(items), np.int64), np.full(len(items), BUY, np.int8), n_items=5)


def test_evidence_is_that_of_the_table_of_baskets() -> None:
    """0 and 1 are in 10 baskets together, never alone; 2 and 3 come as chance has it."""
    rows = baskets(*[[0, 1]] * 10, *[[2]] * 10, *[[3]] * 10, *[[2, 3]] * 10)
    source = BoughtTogether()
    source.fit(rows, ITEMS)
    asked = sequences([[0]], 5)
    wanted = log_likelihood_ratio(np.array([10.0]), np.array([10.0]), np.array([10.0]), 40)[0]
    assert source.score(asked)[0].tolist() == [0, pytest.approx(wanted), 0, 0, 0]
    assert source.lift(0, 1) == pytest.approx(4)
    assert source.lift(2, 3) == 0
    assert source.because(asked, np.array([[1, 2]])).tolist() == [[0, -1]]


def test_a_single_basket_proves_nothing() -> None:
    source = BoughtTogether()
    source.fit(baskets([0, 1], *[[2]] * 3), ITEMS)
    assert not source.score(sequences([[0]], 5)).any()


def test_a_pause_ends_a_basket_and_clicks_fill_none() -> None:
    """One user buys 0 and 1 at once twenty times, days apart; 2 is clicked along."""
    times = np.repeat(np.arange(20) * 86_400_000, 3)
    items, kinds = np.tile([0, 1, 2], 20), np.tile([BUY, BUY, CLICK], 20).astype(np.int8)
    others = baskets(*[[3]] * 20)
    rows = interactions(
        np.concatenate([np.zeros(60, np.int64), 1 + others.users]),
        np.concatenate([items, others.items]),
        np.concatenate([times, others.times]),
        np.concatenate([kinds, others.kinds]),
        n_items=5,
    )
    source = BoughtTogether()
    source.fit(rows, ITEMS)
    scores = source.score(sequences([[0]], 5))[0]
    assert scores[1] > 0
    assert scores[2] == 0
    patient = BoughtTogether(BoughtTogetherSettings(pause_ms=10**12))
    patient.fit(rows, ITEMS)
    assert not patient.score(sequences([[0]], 5)).any(), "one basket of everything proves nothing"
