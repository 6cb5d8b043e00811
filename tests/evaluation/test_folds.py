"""Parts of cross-validation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.evaluation.folds import folds


@given(st.integers(2, 200), st.integers(2, 10), st.integers(0, 5))
def test_parts_are_even_and_repeatable(queries: int, parts: int, seed: int) -> None:
    parts = min(parts, queries)
    found = folds(queries, parts, seed)
    sizes = np.bincount(found, minlength=parts)
    assert len(sizes) == parts
    assert sizes.sum() == queries
    assert np.ptp(sizes) <= 1
    assert found.tolist() == folds(queries, parts, seed).tolist()


def test_other_seeds_cut_otherwise() -> None:
    assert folds(50, 5, 1).tolist() != folds(50, 5, 2).tolist()


@pytest.mark.parametrize("parts", [1, 6])
def test_impossible_parts_are_refused(parts: int) -> None:
    with pytest.raises(InputError, match="cannot be cut"):
        folds(5, parts, 7)
