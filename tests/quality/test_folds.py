"""Predictions out of folds."""

import numpy as np
import pytest

from lingsou.quality.folds import chances

linear = pytest.importorskip("sklearn.linear_model")
sparse = pytest.importorskip("scipy.sparse")


def test_a_fold_whose_trusted_rows_have_one_class_alone_learns_from_all() -> None:
    labels = np.repeat([0, 1], 30)
    table = sparse.csr_matrix(np.eye(2)[labels])
    found = chances(linear.LogisticRegression, table, labels, 2, left_out=labels == 1, seed=0)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == labels).all()


def test_what_is_left_out_is_judged_and_not_learned_from() -> None:
    labels = np.repeat([0, 1, 1], 30)
    labels[:5] = 1  # wrong
    table = sparse.csr_matrix(np.eye(2)[np.repeat([0, 1, 1], 30)])
    found = chances(linear.LogisticRegression, table, labels, 2, left_out=np.arange(90) < 5, seed=0)
    assert (found[:5].argmax(axis=1) == 0).all()
