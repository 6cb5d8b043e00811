"""Likeness of rankings, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.evaluation.overlap import overlap, rank_biased_overlap

LISTS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


def test_overlap_by_hand() -> None:
    assert overlap("abc", "bad", 2) == 1
    assert overlap("abc", "bad", 3) == pytest.approx(2 / 3)
    assert overlap("a", "ab", 10) == 0.5
    assert overlap("", "", 10) == 1
    assert overlap("", "a", 10) == 0


def test_rank_biased_overlap_by_hand() -> None:
    assert rank_biased_overlap("ab", "ba", 0.9) == pytest.approx(0.9), "(1 − p) p + p²"
    assert rank_biased_overlap("a", "ab", 0.9) == pytest.approx(1), "the short list says nothing against the long one"
    # depth 1: 0, depth 2: 1 of 2; the long list's third adds none; agreement of the short list ½ goes on
    p = 0.5
    expected = (1 - p) / p * (p**2 / 2 + p**3 / 3 + 1 * 1 / (2 * 3) * p**3) + ((1 - 1) / 3 + 1 / 2) * p**3
    assert rank_biased_overlap("xa", "ayz", p) == pytest.approx(expected)
    assert rank_biased_overlap("", "") == 1
    assert rank_biased_overlap("", "a") == 0


@given(LISTS, LISTS)
def test_bounds_and_symmetry(a: list[str], b: list[str]) -> None:
    value = rank_biased_overlap(a, b)
    assert -1e-12 <= value <= 1 + 1e-12
    assert value == pytest.approx(rank_biased_overlap(b, a))
    assert rank_biased_overlap(a, a) == pytest.approx(1)
    if not {*a} & {*b} and (a or b):
        assert value == 0


def test_the_top_weighs_most() -> None:
    assert rank_biased_overlap("abcdef", "abcdfe") > rank_biased_overlap("abcdef", "bacdef")
