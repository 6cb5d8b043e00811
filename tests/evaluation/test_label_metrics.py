"""Metrics of labels agree with scikit-learn, and with cases worked by hand."""

import math

import numpy as np
import pytest
from sklearn import metrics as trusted  # type: ignore[import-untyped]

from lingsou.evaluation.label_metrics import (
    Counts,
    auc,
    calibration_error,
    confusion,
    log_loss,
    one_hot,
    span_counts,
)


@pytest.mark.parametrize("seed", range(5))
def test_f1_of_classes_agrees(seed: int) -> None:
    random = np.random.default_rng(seed)
    expected, found = random.integers(0, 6, (2, 40))  # of 7 classes, one never occurs
    counts = Counts.of(one_hot(expected, 7), one_hot(found, 7))
    assert counts.macro_f1 == pytest.approx(trusted.f1_score(expected, found, average="macro"))
    assert counts.micro_f1 == pytest.approx(trusted.f1_score(expected, found, average="micro"))
    assert (confusion(expected, found, 7)[:6, :6] == trusted.confusion_matrix(expected, found, labels=range(6))).all()


@pytest.mark.parametrize("seed", range(5))
def test_f1_of_labels_agrees(seed: int) -> None:
    random = np.random.default_rng(seed)
    expected, found = random.random((2, 30, 4)) < 0.4
    counts = Counts.of(expected, found)
    assert counts.macro_f1 == pytest.approx(trusted.f1_score(expected, found, average="macro"))
    assert counts.micro_f1 == pytest.approx(trusted.f1_score(expected, found, average="micro"))
    assert counts.precision == pytest.approx(trusted.precision_score(expected, found, average=None))
    assert counts.recall == pytest.approx(trusted.recall_score(expected, found, average=None))


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_log_loss_agree(seed: int) -> None:
    random = np.random.default_rng(seed)
    positive = random.random(50) < 0.3
    scores = np.round(random.random(50), 1)  # with many ties
    assert auc(positive, scores) == pytest.approx(trusted.roc_auc_score(positive, scores))
    inside = np.clip(scores, 0.01, 0.99)
    assert log_loss(positive, inside) == pytest.approx(trusted.log_loss(positive, inside))


def test_auc_by_hand() -> None:
    """Of the four pairs of a positive and a negative, two are in order, one is tied, one is wrong: 2.5 of 4."""
    assert auc(np.array([True, True, False, False]), np.array([0.9, 0.3, 0.3, 0.5])) == pytest.approx(0.625)


def test_auc_of_one_class_is_not_a_number() -> None:
    assert math.isnan(auc(np.array([True, True]), np.array([0.1, 0.2])))
    assert math.isnan(auc(np.array([False]), np.array([0.1])))


def test_a_label_of_minus_one_is_never_right() -> None:
    """Two rows, one of an unknown class: micro precision 1 of 2, recall 1 of 1."""
    counts = Counts.of(one_hot(np.array([0, -1]), 2), one_hot(np.array([0, 1]), 2))
    assert counts.micro_f1 == pytest.approx(2 / 3)
    assert confusion(np.array([0, -1]), np.array([0, 1]), 2).tolist() == [[1, 0], [0, 0]]


def test_nothing_expected_and_nothing_found_is_zero() -> None:
    nothing = np.zeros((3, 2), bool)
    assert (Counts.of(nothing, nothing).macro_f1, Counts.of(nothing, nothing).micro_f1) == (0.0, 0.0)


def test_spans_are_right_where_borders_and_kind_agree() -> None:
    expected = [{(0, 2, "brand"), (3, 5, "product")}, set()]
    found = [{(0, 2, "brand"), (3, 6, "product"), (3, 5, "brand")}, {(0, 1, "brand")}]
    counts = span_counts(expected, found)
    assert (int(counts.right), int(counts.found), int(counts.expected)) == (1, 4, 2)
    assert [float(counts.precision), float(counts.recall), float(counts.f1)] == pytest.approx([1 / 4, 1 / 2, 1 / 3])


def test_calibration_error_by_hand() -> None:
    """Two rows near 0.9, one of them right: off by 0.4; two near 0.5 of which one is right: off by nothing."""
    right = np.array([True, False, True, False])
    confidence = np.array([0.9, 0.9, 0.5, 0.5])
    assert calibration_error(right, confidence) == pytest.approx(0.5 * 0.4)
    assert calibration_error(np.array([True, False]), np.array([1.0, 0.0])) == 0.0
    assert calibration_error(np.empty(0, bool), np.empty(0)) == 0.0
