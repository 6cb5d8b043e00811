"""Which rows to label next, by cases small enough to see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.training.active import By, next_to_label

SCORES = np.array([[0.4, 0.4, 0.2], [0.45, 0.54, 0.01], [0.34, 0.33, 0.33], [0.9, 0.05, 0.05], [0.6, 0.3, 0.1]])
APART = np.eye(5)


def test_the_smallest_margin_first() -> None:
    # gaps: 0, 0.09, 0.01, 0.85, 0.3
    assert next_to_label(SCORES, APART, 3).tolist() == [0, 2, 1]


def test_the_flattest_first() -> None:
    # 0.45 and 0.54 leave nothing for the third class: nearly as certain as 0.6, 0.3, 0.1 is not
    assert next_to_label(SCORES, APART, 4, "entropy").tolist() == [2, 0, 4, 1]


def test_near_duplicates_wait_until_there_is_nothing_else() -> None:
    alike = APART.copy()
    alike[2] = [1, 0.1, 0, 0, 0]  # cosine 0.995 to row 0
    assert next_to_label(SCORES, alike, 3).tolist() == [0, 1, 4]
    assert next_to_label(SCORES, 7 * alike, 5).tolist() == [0, 1, 4, 3, 2]


def test_coreset_takes_the_farthest() -> None:
    """The least certain row, then its opposite, then the one between; the near one last."""
    scores = np.array([[0.5, 0.5], [0.51, 0.49], [0.6, 0.4], [0.7, 0.3]])
    at = np.radians([0, 5, 90, 180])
    assert next_to_label(scores, np.stack([np.cos(at), np.sin(at)], 1), 4, "coreset").tolist() == [0, 3, 2, 1]


def test_coreset_chooses_among_the_least_certain() -> None:
    """Two are wanted, of the twenty least certain; the outlier is certain, and stays out."""
    scores = np.array([[0.5 + row / 100, 0.5 - row / 100] for row in range(21)])
    vectors = np.stack([np.ones(21), np.arange(21) / 100], 1)
    vectors[20] = [-1, 0]
    assert next_to_label(scores, vectors, 2, "coreset").tolist() == [0, 19]


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"shape \(5, 3\) and embeddings of shape \(4, 5\)"):
        next_to_label(SCORES, APART[:4], 2)
    with pytest.raises(InputError, match="two columns"):
        next_to_label(SCORES[:, :1], APART, 2)
    with pytest.raises(InputError, match="not a number"):
        next_to_label(SCORES, APART * np.nan, 2)


@given(st.integers(0, 12), st.integers(0, 9), st.sampled_from(["margin", "entropy", "coreset"]), st.integers(0, 99))
def test_as_many_as_wanted_and_none_twice(rows: int, n: int, by: By, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(3), rows).reshape(rows, 3)
    found = next_to_label(scores, rng.integers(-1, 2, (rows, 2)).astype(float), n, by)
    assert len(found) == len(set(found.tolist())) == min(n, rows)
    assert set(found.tolist()) <= set(range(rows))
    assert found.dtype == np.int64
