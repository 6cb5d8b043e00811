"""Settings are chosen by what shoppers did next, and only if that is more than chance."""

import numpy as np
import pytest

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.recommender import Recommended
from lingsou.recommend.sources.transitions import Transitions
from lingsou.recommend.tuning import gains, tune

ITEMS = items_of([[]] * 30)


def test_the_gain_of_one_answer() -> None:
    """First, third, beyond the cut-off, not at all."""
    found = Recommended(np.array([[7, 1, 2], [1, 2, 7], [1, 2, 7], [1, 2, 3]]), np.ones((4, 3), np.float32))
    assert gains(found, np.full(4, 7)).tolist() == [1, 0.5, 0.5, 0]
    assert gains(found, np.full(4, 7), 2).tolist() == [1, 0, 0, 0]


def test_a_setting_that_matters_is_found() -> None:
    """Shoppers go up by one; on the way back they never go: to count it can only hurt."""
    random = np.random.default_rng(1)
    starts = random.integers(0, 30, 400)
    rows = [[int((start + step) % 30) for step in range(5)] for start in starts]
    source = Transitions()
    source.grid = {"decay": (0.5, 1.5), "backward": (0.3, 1.0, 0.0)}  # type: ignore[misc]
    train = sequences([row[:-1] for row in rows], 30)
    best = tune(source, train, ITEMS, train, np.array([row[-1] for row in rows]))
    assert best == pytest.approx(1)
    assert source.settings.decay == 0.5
    assert source.settings.backward in (0.3, 0.0)


def test_chance_changes_nothing() -> None:
    """Everybody goes anywhere: whatever does a little better on some is not believed."""
    random = np.random.default_rng(2)
    rows = random.integers(0, 30, (300, 5))
    source = Transitions()
    source.grid = {"backward": (0.3, 0.29, 0.31)}  # type: ignore[misc]
    before = source.settings
    tune(source, sequences(rows[:, :-1].tolist(), 30), ITEMS, sequences(rows[:, :-1].tolist(), 30), rows[:, -1])
    assert source.settings == before
