"""Replayed clicks: by hand, and against a simulator whose truth is known."""

import numpy as np
import pytest

from lingsou.evaluation.clicks import PositionBased
from lingsou.evaluation.replay import RANKS, LoggedSearch, exposure, replay

HALVING = np.asarray(0.5 ** np.arange(RANKS), np.float64)


def test_by_hand() -> None:
    log = [
        LoggedSearch("t", ("x", "y"), (1, 2), (False, True)),
        LoggedSearch("t", ("x", "y"), (1, 2), (True, False)),
        LoggedSearch("u", ("z", "deep"), (1, 11), (True, True)),
        LoggedSearch("not asked", ("x",), (1,), (True,)),
    ]
    found = replay(log, {"t": ["x", "y"], "u": ["z"]}, {"t": ["y", "x"], "u": ["other"]}, HALVING)
    assert found
    assert (found.searches, found.texts, found.clicks) == (3, 2, 3), "a click beyond the tenth place does not count"
    assert found.logged.value == 1
    assert [found.kept.a.value, found.kept.b.value] == pytest.approx([1, 2 / 3])
    assert found.estimate.a.value == pytest.approx(1), "as logged"
    assert found.estimate.b.value == pytest.approx((1 / 0.5 + 0.5 / 1) / 3)
    assert found.heaviest == 2
    assert found.estimate.difference.value == pytest.approx(2.5 / 3 - 1)


def test_nothing_to_replay() -> None:
    assert replay([], {}, {}, HALVING) is None
    assert replay([LoggedSearch("t", ("x",), (1,), (False,))], {"t": ["x"]}, {"t": ["x"]}, HALVING) is None


def test_exposure_counts_places() -> None:
    log = [
        LoggedSearch("t", ("x", "y"), (1, 2), (True, False)),
        LoggedSearch("t", ("x", "y"), (2, 1), (False, False)),
        LoggedSearch("u", ("x", "far"), (1, 11), (True, False)),
    ]
    seen = exposure(log)
    assert seen.shown.shape == (3, RANKS)
    assert seen.shown[0, :3].tolist() == [1, 1, 0]
    assert seen.clicked[0, :2].tolist() == [1, 0]
    assert seen.moved == 2


def test_the_estimate_finds_the_truth_of_another_order() -> None:
    """Thirty texts, each with ten products of known attraction, logged in random orders; b sorts by attraction."""
    random = np.random.default_rng(5)
    theta = PositionBased.power_law(RANKS)
    log, best, worst, truth_best, truth_worst = [], {}, {}, [], []
    for text in (f"t{n}" for n in range(30)):
        attraction = random.random(RANKS)
        order = np.argsort(-attraction)
        best[text], worst[text] = ([f"p{each}" for each in way] for way in (order, order[::-1]))
        truth_best.append(float(theta.examination @ attraction[order]))
        truth_worst.append(float(theta.examination @ attraction[order[::-1]]))
        for _ in range(200):
            shown = random.permutation(RANKS)
            clicks = theta.simulate(attraction[shown][None], random)[0]
            log.append(LoggedSearch(text, tuple(f"p{n}" for n in shown), tuple(range(1, RANKS + 1)), tuple(clicks)))
    found = replay(log, worst, best, theta.examination)
    assert found
    assert found.estimate.b.value == pytest.approx(np.mean(truth_best), rel=0.05)
    assert found.estimate.a.value == pytest.approx(np.mean(truth_worst), rel=0.05)
    assert found.estimate.difference.low > 0
    assert found.kept.difference.value == 0, "all ten products are kept by both: keeping alone cannot tell them apart"
