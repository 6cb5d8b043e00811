"""Pseudo-labels: the line, the bound for each class, and texts that recur."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lingsou.core.errors import InputError
from lingsou.training.semi import pseudo_label, sure_rows

TEXTS = ("good shoe", "bad dress", "nice", "awful", "so so")
SCORES = np.array([[0.95, 0.05], [0.1, 0.9], [0.9, 0.1], [0.02, 0.98], [0.5, 0.5]])


def test_only_what_is_sure_in_the_order_of_the_texts() -> None:
    found = pseudo_label(SCORES, TEXTS, ("good", "bad"), 0.9)
    assert found.texts == ("good shoe", "bad dress", "nice", "awful")
    assert found.given == (("good",), ("bad",), ("good",), ("bad",))
    assert not found.multiple


def test_the_surest_of_each_class() -> None:
    found = pseudo_label(SCORES, TEXTS, ("good", "bad"), 0.9, most=1)
    assert found.texts == ("good shoe", "awful")


def test_texts_alike_count_once_by_the_surest() -> None:
    found = pseudo_label(np.array([[0.9, 0.1], [0.05, 0.95]]), ("Nice!", "nice!"), ("good", "bad"), 0.8)
    assert (found.texts, found.given) == (("nice!",), (("bad",),))


def test_every_text_is_accounted_for() -> None:
    texts = ("good shoe", "Good Shoe", "fine", "nice", "bad", "so so")
    scores = np.array([[0.9, 0.1], [0.99, 0.01], [0.95, 0.05], [0.92, 0.08], [0.1, 0.9], [0.6, 0.4]])
    found = sure_rows(scores, texts, ("good", "bad"), 0.9, most=2)
    assert found.rows.tolist() == [1, 2, 4]
    assert found.labels.tolist() == [0, 0, 1]
    assert found.confidences.tolist() == [0.99, 0.95, 0.9]
    assert (found.unsure, found.alike, found.beyond) == (1, 1, 1)


def test_nothing_is_sure_enough() -> None:
    assert len(pseudo_label(SCORES, TEXTS, ("good", "bad"), 0.99)) == 0
    assert len(pseudo_label(np.empty((0, 2)), (), ("good", "bad"), 0.5)) == 0


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"shape \(5, 2\) for 5 texts and 3 classes"):
        pseudo_label(SCORES, TEXTS, ("a", "b", "c"), 0.9)
    broken = SCORES.copy()
    broken[3, 0] = np.nan
    with pytest.raises(InputError) as caught:
        pseudo_label(broken, TEXTS, ("good", "bad"), 0.9)
    assert caught.value.row == 3


@given(arrays(np.float64, (12, 3), elements=st.floats(0, 1)), st.floats(0, 1), st.integers(0, 4))
def test_what_is_left_out_is_never_surer(scores: np.ndarray, threshold: float, most: int) -> None:
    texts = [f"text {row}" for row in range(12)]
    found = pseudo_label(scores, texts, ("a", "b", "c"), threshold, most)
    taken = {texts.index(text) for text in found.texts}
    labels = np.array(["abc"[each] for each in scores.argmax(1)])
    for label in "abc":
        own = [row for row in range(12) if labels[row] == label]
        inside = [scores[row].max() for row in own if row in taken]
        outside = [scores[row].max() for row in own if row not in taken]
        assert len(inside) <= most
        assert all(value >= threshold for value in inside)
        if len(inside) < most:
            assert all(value < threshold for value in outside)
        elif inside and outside:
            assert max(outside) <= min(inside)
