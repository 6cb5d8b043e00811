"""Intervals and tests of significance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.evaluation.significance import bootstrap_interval, compare, randomisation_p


def test_interval_of_equal_values_has_no_width() -> None:
    interval = bootstrap_interval([0.25] * 8)
    assert (interval.value, interval.low, interval.high) == (0.25, 0.25, 0.25)


def test_interval_agrees_with_the_normal_approximation_on_many_values() -> None:
    values = np.random.default_rng(1).random(400)
    interval = bootstrap_interval(values)
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.002)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.002)


def test_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        interval = bootstrap_interval(rng.random(50), resamples=400, seed=trial)
        covered += interval.low <= 0.5 <= interval.high
    assert 175 <= covered <= 199  # 95 % of 200 is 190


def test_same_seed_same_interval_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random(30)
    whole = bootstrap_interval(values, seed=4)
    assert bootstrap_interval(values, seed=4) == whole
    monkeypatch.setattr("lingsou.evaluation.significance._CELLS", 1_000)
    assert bootstrap_interval(values, seed=4) == whole


def test_exact_p_of_three_queries() -> None:
    # a is better on all three: of the 8 sign patterns only + + + and − − − reach the sum, 2 of 8
    assert randomisation_p([0.5, 0.7, 0.9], [0.4, 0.5, 0.6]) == pytest.approx(2 / 8)


def test_no_difference_has_p_one() -> None:
    assert randomisation_p([0.1] * 5, [0.1] * 5) == 1.0
    assert randomisation_p([0.1] * 50, [0.1] * 50) == 1.0


def test_p_of_a_clear_difference_is_the_smallest_that_sampling_can_give() -> None:
    values = np.linspace(0, 0.5, 60)
    comparison = compare(values + 0.3, values)
    assert comparison.p == pytest.approx(1 / 10_001)
    assert comparison.difference.low > 0.29


def test_sampled_and_exact_p_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    a, b = rng.random(12) + 0.1, rng.random(12)
    exact = randomisation_p(a, b)
    monkeypatch.setattr("lingsou.evaluation.significance._EXACT", 0)
    assert randomisation_p(a, b) == pytest.approx(exact, abs=0.02)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_intervals_enclose_the_mean_and_the_test_is_symmetric(values: list[float]) -> None:
    interval = bootstrap_interval(values, resamples=500)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
    zeros = [0.0] * len(values)
    assert randomisation_p(values, zeros, resamples=200) == randomisation_p(zeros, values, resamples=200)


def test_refusals() -> None:
    with pytest.raises(InputError, match="finite"):
        bootstrap_interval([])
    with pytest.raises(InputError, match="finite"):
        bootstrap_interval([0.1, float("nan")])
    with pytest.raises(InputError, match="confidence"):
        bootstrap_interval([0.1], confidence=95)
    with pytest.raises(InputError, match="paired"):
        compare([0.1, 0.2], [0.1])
