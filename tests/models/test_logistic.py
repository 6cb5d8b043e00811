"""Logistic regression and its calibration, against cases worked by hand and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.label_metrics import calibration_error
from lingsou.models.logistic import (
    Linear,
    fit_logistic,
    likeliest_temperature,
    minimise,
    out_of_fold_logits,
    softmax,
)


def clouds(seed: int, n: int = 300, d: int = 6, k: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    return rng.normal(size=(k, d))[labels] + rng.normal(size=(n, d)), labels


@pytest.mark.parametrize("l2", [0.01, 1.0, 30.0])
def test_agrees_with_scikit_learn(l2: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, labels = clouds(1)
    ours = fit_logistic(x, labels, 4, l2=l2, tolerance=1e-8)
    theirs = linear_model.LogisticRegression(C=1 / l2, tol=1e-10, max_iter=5_000).fit(x, labels)
    assert np.abs(ours.weight - theirs.coef_).max() < 1e-4
    assert np.abs(softmax(ours.logits(x)) - theirs.predict_proba(x)).max() < 1e-5


def test_two_rows_by_hand() -> None:
    """At x = ±1 with labels 1 and 0, weight w of class 1 (−w of class 0) solves 2 (1 − σ(2w)) = l2 · w."""
    found = fit_logistic(np.array([[1.0], [-1.0]]), np.array([1, 0]), 2, l2=1.0, tolerance=1e-10)
    w = float(found.weight[1, 0])
    assert found.weight[0, 0] == pytest.approx(-w)
    assert 2 * (1 - 1 / (1 + np.exp(-2 * w))) == pytest.approx(w, abs=1e-6)
    assert found.bias == pytest.approx([0, 0], abs=1e-6)


def test_without_information_it_tells_the_shares() -> None:
    found = fit_logistic(np.zeros((10, 2)), np.array([0] * 7 + [1] * 3), 2, l2=1.0, tolerance=1e-9)
    assert softmax(found.logits(np.zeros(2))) == pytest.approx([0.7, 0.3], abs=1e-5)


def test_the_same_rows_give_the_same_weights() -> None:
    x, labels = clouds(2)
    first, second = (fit_logistic(x, labels, 4, l2=0.1) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)


@pytest.mark.parametrize(
    ("x", "labels", "k", "l2"),
    [
        (np.zeros((0, 2)), np.zeros(0, np.int64), 2, 1.0),
        (np.zeros((2, 2)), np.array([0, 2]), 2, 1.0),
        (np.zeros((2, 2)), np.array([0, -1]), 2, 1.0),
        (np.zeros((2, 2)), np.array([0]), 2, 1.0),
        (np.zeros((2, 2)), np.array([0, 1]), 2, 0.0),
    ],
)
def test_what_does_not_fit_is_refused(x: NDArray[np.float64], labels: NDArray[np.int64], k: int, l2: float) -> None:
    with pytest.raises(InputError, match="do not fit together"):
        fit_logistic(x, labels, k, l2=l2)


def test_minimise_finds_the_bottom_of_a_bowl() -> None:
    """(x − 3)² · 100 + (y + 1)² is lowest at (3, −1), however unlike the two directions are."""
    scale, bottom = np.array([100.0, 1.0]), np.array([3.0, -1.0])

    def bowl(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return float((scale * (at - bottom) ** 2).sum()), 2 * scale * (at - bottom)

    assert minimise(bowl, np.zeros(2), 1e-8, 100) == pytest.approx(bottom)


def test_a_fit_that_is_too_sure_is_cooled() -> None:
    """Logits ±4 that are right three times of four: honest is ±ln 3 / 2 for a gap of ln 3, so 8 / ln 3."""
    labels = np.array([0, 0, 0, 1] * 50)
    logits = np.tile([4.0, -4.0], (200, 1))
    temperature = likeliest_temperature(logits, labels)
    assert temperature == pytest.approx(8 / np.log(3), rel=1e-2)
    chances = softmax(logits / temperature)
    assert calibration_error(labels == 0, chances.max(axis=1)) < 0.01
    assert calibration_error(labels == 0, softmax(logits).max(axis=1)) == pytest.approx(0.25, abs=0.01)


def test_out_of_fold_rows_have_not_been_seen() -> None:
    """Labels by lot: a fit knows its own rows by heart, and of others nothing."""
    rng = np.random.default_rng(3)
    x, labels = rng.normal(size=(60, 60)), rng.integers(0, 2, 60)
    inside = fit_logistic(x, labels, 2, l2=1e-3).logits(x).argmax(axis=1) == labels
    outside = out_of_fold_logits(x, labels, 2, l2=1e-3).argmax(axis=1) == labels
    assert inside.all()
    assert outside.mean() < 0.75


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=6))
def test_softmax_is_a_distribution(logits: list[float]) -> None:
    chances = softmax(np.array(logits))
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()


def test_linear_takes_one_row_or_many() -> None:
    head = Linear(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.0, 1.0]))
    assert head.logits(np.array([3.0, 4.0])).tolist() == [3, 9]
    assert head.logits(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[3, 9], [0, 1]]
