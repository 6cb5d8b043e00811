"""Phrases of titles with their categories, and the pairs that are near in both."""

import numpy as np
import pytest

from lingsou.text.segment import Segmenter
from lingsou.training.expansions.neighbours import neighbours
from lingsou.training.expansions.phrases import catalogue_phrases, cells, words_of

SEGMENTER = Segmenter()
FILLING = [f"{a}{b}zzz" for a in "bcdfghjklm" for b in "aeiou"]


def test_words_and_breaks() -> None:
    assert words_of("Smart-UPS 750VA iPhone手机壳") == ["smart", "ups", "", "iphone", "手机", "壳"]


def test_phrases_with_counts_and_categories() -> None:
    """Of 50 titles, four have `garden hose`, two of each of two categories; `hoses` counts as `hose`."""
    titles = ["garden hose", "Garden Hoses", "red garden hose", "a garden hose", *FILLING[:46]]
    categories = np.array([0, 0, 1, 1] + [2] * 46)
    found = catalogue_phrases(titles, categories, SEGMENTER, least=3, most=10)
    assert set(found.texts) == {"garden", "hose", "garden hose"}
    assert found.counts.tolist() == [4, 4, 4]
    assert found.keys[found.place["garden hose"]] == {"garden", "hose"}
    np.testing.assert_allclose(found.spread, [[0.5**0.5, 0.5**0.5, 0]] * 3)
    assert len(catalogue_phrases(titles, categories, SEGMENTER, least=3, most=2).texts) == 2
    assert catalogue_phrases(titles, categories, SEGMENTER, least=5, most=9).texts == []


def test_a_lone_character_is_a_phrase_only_beside_a_word() -> None:
    titles = ["充电宝"] * 3 + FILLING
    found = catalogue_phrases(titles, np.zeros(len(titles), np.int64), SEGMENTER, least=3, most=9)
    assert set(found.texts) == {"充电", "充电宝"}


def test_words_of_too_many_titles_are_left_out() -> None:
    titles = ["new sofa"] * 5 + ["new"] * 45
    found = catalogue_phrases(titles, np.zeros(50, np.int64), SEGMENTER, least=2, most=9)
    assert found.texts == ["sofa"]


@pytest.mark.parametrize(
    ("other", "alternatives", "agree", "expected"),
    [
        ("couch", [-1, -1], True, True),
        ("couch", [0, 0], True, False),
        ("couch", [0, 1], True, True),
        ("couch", [-1, -1], False, False),
        ("sofas", [-1, -1], True, False),
        ("sofabed", [-1, -1], True, False),
    ],
)
def test_near_phrases_of_the_same_categories(other: str, alternatives: list[int], agree: bool, expected: bool) -> None:
    titles = ["sofa"] * 3 + [other] * 3 + FILLING
    categories = np.array([0] * 3 + [0 if agree else 1] * 3 + [2] * len(FILLING))
    found = catalogue_phrases(titles, categories, SEGMENTER, least=3, most=9)
    vectors = np.array([[1.0, 0.0], [0.9, 0.43589]], np.float32)[: len(found.texts)]
    pairs = list(neighbours(found, vectors, np.array(alternatives), similarity=0.8, affinity=0.5))
    assert bool(pairs) == expected
    if expected:
        assert pairs[0][2:] == pytest.approx((0.9, 1.0))
        assert not list(neighbours(found, vectors, np.array(alternatives), similarity=0.95, affinity=0.5))


def test_cells_part_what_lies_apart() -> None:
    random = np.random.default_rng(1)
    around = np.repeat(np.eye(3, 8, dtype=np.float32), 20, axis=0) + random.normal(0, 0.02, (60, 8)).astype(np.float32)
    vectors = around / np.linalg.norm(around, axis=1, keepdims=True)
    found = cells(vectors, 12)
    groups = [set(found[start : start + 20].tolist()) for start in (0, 20, 40)]
    assert not groups[0] & groups[1]
    assert not groups[1] & groups[2]
    assert len(cells(vectors[:2], 12)) == 2
