"""Walks on the graph of items, by hand and against dense matrices."""

import numpy as np
import pytest

from lingsou.models.item_walk import balanced, walk
from lingsou.models.sparse_rows import SparseRows, from_entries


def rows_of(dense: np.ndarray) -> SparseRows:
    rows, columns = np.nonzero(dense)
    return from_entries(rows, columns, dense[rows, columns], dense.shape)


def dense_of(rows: SparseRows) -> np.ndarray:
    dense = np.zeros((len(rows), rows.n_columns))
    dense[rows.rows, rows.columns] = rows.values
    return dense


def test_weights_are_divided_by_powers_of_both_sums() -> None:
    found = dense_of(balanced(rows_of(np.array([[0.0, 3.0], [1.0, 0.0]])), 0.5, 1.0))
    # Row sums 3 and 1, column sums 1 and 3; one is added to each.
    assert found == pytest.approx(np.array([[0, 3 / np.sqrt(4 * 4)], [1 / np.sqrt(2 * 2), 0]]))


def test_two_steps_reach_what_no_session_joined() -> None:
    # A chain 0 – 1 – 2; from 0, item 2 is two steps away.
    chain = rows_of(np.array([[0, 0.5, 0], [0.5, 0, 0.25], [0, 0.25, 0]]))
    found = walk(chain, np.array([0]), np.array([0]), np.array([1.0]), 1, stay=0.1, second=2.0, most=3)
    assert found[0].tolist() == pytest.approx([0.1 + 2 * 0.25, 0.5, 2 * 0.125])


@pytest.mark.parametrize("second", [0.0, 1.5])
def test_agrees_with_dense_matrices(second: float) -> None:
    random = np.random.default_rng(4)
    dense = random.random((30, 30)) * (random.random((30, 30)) < 0.2)
    begun = random.random((4, 30)) * (random.random((4, 30)) < 0.1)
    begun[2] = 0
    queries, items = np.nonzero(begun)
    weights = begun[queries, items].astype(np.float32)
    found = walk(rows_of(dense), queries, items, weights, 4, stay=0.3, second=second, most=30)
    assert found == pytest.approx(0.3 * begun + begun @ dense + second * begun @ dense @ dense, abs=1e-5)


def test_the_second_step_goes_on_from_the_nearest() -> None:
    # 0 leads to 1 (much) and 2 (little); only the way through 1 is followed.
    dense = np.zeros((5, 5))
    dense[0, 1], dense[0, 2], dense[1, 3], dense[2, 4] = 0.9, 0.1, 1.0, 1.0
    found = walk(rows_of(dense), np.array([0]), np.array([0]), np.array([1.0]), 1, stay=0.0, second=1.0, most=1)
    assert found[0].tolist() == pytest.approx([0, 0.9, 0.1, 0.9, 0])


def test_a_repeated_click_begins_with_both_weights() -> None:
    nothing = rows_of(np.zeros((2, 2)))
    found = walk(nothing, np.array([0, 0]), np.array([1, 1]), np.array([1.0, 0.5]), 1, stay=2.0, second=1.0, most=2)
    assert found[0].tolist() == [0, 3]
