"""Walks on the graph of items as a source."""

import numpy as np
import pytest

from lingsou.recommend.interactions import interactions, items_of, sequences
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.item_walk import ItemWalk, ItemWalkSettings
from lingsou.testing.recommender import CHECKS, Check

PLAIN = ItemWalkSettings(age=None, power=0.0, stay=0.0, second=0.5)
ITEMS = items_of([[]] * 5)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Check) -> None:
    check(ItemWalk)


def test_one_step_and_half_of_two() -> None:
    source = ItemWalk(PLAIN)
    source.fit(sequences([[0, 1], [1, 2], [2, 3]], 5), ITEMS)
    # From 1: to 0 and 2 in one step; to 1 in two ways of two steps, and to 3.
    assert source.score(sequences([[1]], 5))[0].tolist() == pytest.approx([1, 1, 1, 0.5, 0])
    # Clicks before the last count 0.6.
    assert recommend(source, sequences([[3, 0]], 5), 1).items.tolist() == [[1]]
    assert source.because(sequences([[3, 0]], 5), np.array([[1, 2, 4]])).tolist() == [[0, 3, -1]]


def test_neighbours_are_near_ones() -> None:
    source = ItemWalk(ItemWalkSettings(age=None, power=0.0, stay=0.0, second=0.0, window=2))
    source.fit(sequences([[0, 1, 2, 3]], 5), ITEMS)
    assert source.score(sequences([[0]], 5))[0].tolist() == pytest.approx([0, 1, 0.5, 0, 0])


def test_late_sessions_count_more() -> None:
    source = ItemWalk(ItemWalkSettings(age=0.2, power=0.0, stay=0.0, second=0.0))
    # A hundred sessions 0, 1, then a hundred sessions 0, 2.
    source.fit(sequences([[0, 1]] * 100 + [[0, 2]] * 100, 5), ITEMS)
    scores = source.score(sequences([[0]], 5))[0]
    assert scores[2] / scores[1] == pytest.approx(np.exp(0.5 / 0.2), rel=1e-3)


def test_an_update_adds_the_new_pairs_once() -> None:
    grown, whole = ItemWalk(PLAIN), ItemWalk(PLAIN)
    grown.fit(sequences([[0, 1]], 5), ITEMS)
    for clicks in ([3], [3, 4], [3, 4, 0]):
        grown.update(sequences([clicks], 5), np.array([1]), ITEMS)
    whole.fit(sequences([[0, 1], [3, 4, 0]], 5), ITEMS)
    asked = sequences([[0], [4]], 5)
    assert np.allclose(grown.score(asked), whole.score(asked))


def test_what_is_kept_on_the_disk_says_the_same() -> None:
    source, restored = ItemWalk(), ItemWalk()
    source.fit(sequences([[0, 1, 2], [1, 3]], 5), ITEMS)
    restored.restore(source.state())
    asked = sequences([[1], [3, 2]], 5)
    assert np.allclose(source.score(asked), restored.score(asked))


def test_a_pause_parts_neighbours() -> None:
    past = interactions(np.zeros(3, np.int64), np.array([0, 1, 2]), np.array([0, 60_000, 7_200_000]), n_items=5)
    source, late = ItemWalk(PLAIN), ItemWalk(PLAIN)
    source.fit(past, ITEMS)
    assert not source.score(sequences([[2]], 5)).any()
    late.fit(past.until_last(1), ITEMS)
    late.update(past, np.array([1]), ITEMS)
    assert not late.score(sequences([[2]], 5)).any()
