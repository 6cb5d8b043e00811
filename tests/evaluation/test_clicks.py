"""Simulated shoppers click as often as their model says."""

import numpy as np
import pytest

from lingsou.evaluation.clicks import Cascade, DynamicBayesian, PositionBased

SESSIONS = 200_000


def test_position_based_clicks_are_looks_times_attraction() -> None:
    attraction = np.tile([0.5, 0.5, 0.8], (SESSIONS, 1))
    rates = PositionBased.power_law(3).simulate(attraction, np.random.default_rng(1)).mean(axis=0)
    assert rates == pytest.approx([0.5, 0.25, 0.8 / 3], abs=0.005)


def test_cascade_ends_at_the_first_click() -> None:
    """P(click at 2) = (1 − 0.5) · 0.4."""
    clicks = Cascade().simulate(np.tile([0.5, 0.4], (SESSIONS, 1)), np.random.default_rng(1))
    assert clicks.sum(axis=1).max() == 1
    assert clicks.mean(axis=0) == pytest.approx([0.5, 0.2], abs=0.005)


def test_dynamic_bayesian_by_hand() -> None:
    """Half click the first; of these 0.7 · 0.5 leave; of the rest 0.9 go on: P(look at 2) = 0.9 · (1 − 0.5·0.35)."""
    clicks = DynamicBayesian(0.7, 0.9).simulate(np.tile([0.5, 1.0], (SESSIONS, 1)), np.random.default_rng(1))
    assert clicks.mean(axis=0) == pytest.approx([0.5, 0.9 * (1 - 0.5 * 0.35)], abs=0.005)
