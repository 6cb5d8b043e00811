"""Distances of many words at once, and the index that finds the near ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.query.correction.distance import distances, letters_of
from lingsou.query.correction.edits import alignment
from lingsou.query.correction.neighbours import Joined, Neighbours

WIDTH = 24
WORDS = st.text("abcde", min_size=2, max_size=9)


def osa(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""
    table = [[max(i, j) if not i * j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def lengths(words: list[str]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array([len(word) for word in words], np.intp)


def test_swapped_neighbours_are_one_edit() -> None:
    words = ["bank", "band", "ban", "banks", "tank"]
    assert distances("bnak", letters_of(words, WIDTH), lengths(words)).tolist() == [1, 2, 2, 2, 2]


@given(WORDS, st.lists(WORDS, min_size=1, max_size=8))
def test_distances_are_those_of_the_definition(typed: str, words: list[str]) -> None:
    found = distances(typed, letters_of(words, WIDTH), lengths(words))
    assert found.tolist() == [osa(typed, word) for word in words]


@given(WORDS, WORDS)
def test_an_alignment_has_as_many_edits_as_the_distance(typed: str, meant: str) -> None:
    assert len(alignment(typed, meant)) == osa(typed, meant)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=30, unique=True))
def test_every_word_within_two_edits_is_found(typed: str, words: list[str]) -> None:
    found = set(Neighbours(letters_of(words, WIDTH)).near(typed).tolist())
    assert {place for place, word in enumerate(words) if osa(typed, word) <= 2} <= found


def test_words_without_anything_in_common_are_not_found() -> None:
    words = ["keyboard", "monitor", "cable"]
    assert Neighbours(letters_of(words, WIDTH)).near("shirt").tolist() == []


@given(WORDS, st.lists(WORDS, min_size=1, max_size=30, unique=True))
def test_every_joined_pair_within_one_edit_is_found(typed: str, words: list[str]) -> None:
    index = Joined(letters_of(words, WIDTH), lengths(words))
    found = set(index.near(letters_of([typed], WIDTH), np.array([len(typed)])).tolist())
    assert {place for place, word in enumerate(words) if osa(typed, word) <= 1} <= found
