"""Parts of cross-validation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.evaluation.folds import folds, folds_of


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


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20), st.integers(0, 5))
def test_a_query_that_comes_again_is_held_out_together(queries: list[str], seed: int) -> None:
    different = len(set(queries))
    if different < 2:
        return
    found = folds_of(queries, 2, seed)
    parts = {
        query: {int(part) for text, part in zip(queries, found, strict=True) if text == query} for query in queries
    }
    assert all(len(own) == 1 for own in parts.values())
    assert set(found.tolist()) == {0, 1}


def test_queries_that_come_once_are_cut_as_ever() -> None:
    assert folds_of(["a", "b", "c", "d"], 2, 7).tolist() == folds(4, 2, 7).tolist()
