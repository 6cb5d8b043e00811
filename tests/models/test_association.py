import numpy as np
import pytest

from lingsou.models.association import burst, lift, log_likelihood_ratio


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_the_example_of_the_paper() -> None:
    """Dunning's table for "the swiss": 110, 2442, 111, 29114 gives 270.72."""
    found = log_likelihood_ratio(array(110), array(110 + 2442), array(110 + 111), 110 + 2442 + 111 + 29114)
    assert found[0] == pytest.approx(270.72, abs=0.01)


def test_independence_has_no_evidence() -> None:
    assert log_likelihood_ratio(array(10), array(100), array(100), 1000)[0] == pytest.approx(0)
    assert lift(array(10), array(100), array(100), 1000)[0] == 1


def test_always_and_never_together() -> None:
    """Empty cells of the table add nothing and break nothing."""
    always, never = log_likelihood_ratio(array(50, 0), array(50, 50), array(50, 50), 100)
    assert always == pytest.approx(2 * 100 * np.log(2))
    assert never == pytest.approx(2 * 100 * np.log(2))


def test_a_burst_is_relative_to_all() -> None:
    """Half of all events are recent: 20 of 40 is nothing, 30 of 40 is; what fell or never was has none."""
    found = burst(array(20, 30, 10, 0, 8), array(20, 10, 30, 0, 0), 0.5)
    assert found[0] == 0
    assert found[1] == pytest.approx(2 * (30 * np.log(1.5) + 10 * np.log(0.5)))
    assert found[2:4].tolist() == [0, 0]
    assert found[4] == pytest.approx(2 * 8 * np.log(2))
