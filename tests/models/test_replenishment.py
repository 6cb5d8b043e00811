import numpy as np
import pytest

from lingsou.models.replenishment import replenishment


def coffee() -> object:
    """Item 0 is bought every 30 days by nearly all; item 1, a kettle, by nobody twice."""
    random = np.random.default_rng(0)
    pauses = 30 * np.exp(random.normal(0, 0.2, 400))
    return replenishment(np.zeros(400, np.int64), pauses, np.array([200, 200]), np.array([180, 0]))


def test_the_chance_peaks_when_it_runs_out() -> None:
    model = replenishment(
        np.zeros(400, np.int64),
        30 * np.exp(np.random.default_rng(0).normal(0, 0.2, 400)),
        np.array([200, 200]),
        np.array([180, 0]),
    )
    items = np.zeros(4, np.int64)
    early, due, late, never = model.chance(items, np.array([3.0, 28.0, 45.0, 400.0]), 7.0)
    assert early < 0.01
    assert due > 0.4
    assert never < late < 1
    assert never < 0.01, "whoever stays away for a year does not come back"
    kettle = model.chance(np.array([1]), np.array([28.0]), 7.0)[0]
    assert kettle < 0.05 * due


def test_one_pause_hardly_moves_an_item_from_the_shop() -> None:
    """Nine pauses of 10 days, one of 1,000: (log 1000 + 5 · mean) / 6."""
    items = np.array([0] * 9 + [1])
    pauses = np.array([10.0] * 9 + [1000.0])
    model = replenishment(items, pauses, np.array([9, 1]), np.array([9, 1]))
    mean = np.log(pauses).mean()
    assert model.mean[1] == pytest.approx((np.log(1000) + 5 * mean) / 6)
    assert model.share[1] == pytest.approx(1.0)


def test_without_any_repeat_there_is_no_chance() -> None:
    model = replenishment(np.zeros(0, np.int64), np.zeros(0), np.array([3]), np.array([0]))
    assert model.chance(np.array([0]), np.array([30.0]), 7.0)[0] == 0
