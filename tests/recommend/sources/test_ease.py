import numpy as np
import pytest

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.sources.ease import Ease, EaseSettings

pytest.importorskip("scipy")
ROWS = [[0, 1], [0, 1, 2], [1, 2, 2], [3], [0]]
X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]], np.float64)


def wanted(gram: np.ndarray) -> np.ndarray:
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(np.maximum(weights, 0))


def test_histories_are_sets_and_the_weights_those_of_the_closed_form() -> None:
    source = Ease(EaseSettings(regularisation=0.5, attributes=0, decay=1.0))
    source.fit(sequences(ROWS, 4), items_of([[], [], [], []]))
    found = source.score(sequences([[0], [1], [2], [3]], 4))
    assert found == pytest.approx(wanted(X.T @ X + 0.5 * np.eye(4)), rel=1e-3, abs=1e-6)


def test_shared_attributes_tie_items_that_no_shopper_does() -> None:
    """3 has the attribute of 2 alone: their likeness is 1, and counts as three shoppers."""
    source = Ease(EaseSettings(regularisation=0.5, attributes=3.0, decay=1.0))
    source.fit(sequences(ROWS, 4), items_of([[], [], [0], [0]]))
    alike = np.zeros((4, 4))
    alike[2:, 2:] = 3
    found = source.score(sequences([[0], [1], [2], [3]], 4))
    assert found == pytest.approx(wanted(X.T @ X + alike + 0.5 * np.eye(4)), rel=1e-3, abs=1e-6)
    assert found[3, 2] > 0.3


def test_beyond_its_size_the_least_popular_are_left_out() -> None:
    source = Ease(EaseSettings(regularisation=0.5, attributes=0, most_items=3, decay=1.0))
    source.fit(sequences(ROWS, 4), items_of([[], [], [], []]))
    found = source.score(sequences([[0], [3]], 4))
    assert found[0, 1] > 0
    assert not found[1].any()
    assert not found[:, 3].any()
