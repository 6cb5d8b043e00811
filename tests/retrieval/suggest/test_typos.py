"""Typing errors, against a plain table of edit distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.retrieval.suggest.keys import KeyTable
from lingsou.retrieval.suggest.typos import allowed_edits, near, prefix_distance

WIDTH = 24


def plain_distance(typed: str, key: str) -> int:
    """Optimal string alignment to the nearest prefix, by the textbook."""
    table = [[row + column for column in range(len(key) + 1)] for row in range(len(typed) + 1)]
    for row in range(1, len(typed) + 1):
        for column in range(1, len(key) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (typed[row - 1] != key[column - 1]),
            )
            if row > 1 and column > 1 and typed[row - 2 : row] == key[column - 2 : column][::-1]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return min(table[-1])


def as_table(keys: list[str]) -> KeyTable:
    return KeyTable([key.encode() for key in keys], list(range(len(keys))), [0] * len(keys), WIDTH)


@pytest.mark.parametrize(
    ("typed", "key", "edits"),
    [
        ("lap", "laptop", 0),
        ("lpa", "laptop", 1),  # neighbours that changed places
        ("lasptop", "laptop", 1),  # one too many
        ("latop", "laptop", 1),  # one missing
        ("laptip", "laptop", 1),  # one wrong
        ("xlaptip", "laptop", 2),
        ("laptopx", "laptop", 1),  # beyond the key's end
    ],
)
def test_distances_by_hand(typed: str, key: str, edits: int) -> None:
    letters = np.frombuffer(key.encode().ljust(len(typed) + 2, b"\0"), np.uint8)[None, : len(typed) + 2]
    assert prefix_distance(typed.encode(), letters).tolist() == [edits]


@given(st.text("abc", min_size=1, max_size=9), st.lists(st.text("abc", min_size=1, max_size=12), min_size=1))
def test_distances_agree_with_the_textbook(typed: str, keys: list[str]) -> None:
    table = as_table(keys)
    found = prefix_distance(typed.encode(), table.letters(np.arange(len(keys))))
    assert found.tolist() == [plain_distance(typed, keys[entry]) for entry in table.entries]


@given(st.text("abcd", min_size=1, max_size=10), st.lists(st.text("abcd", min_size=1, max_size=12), min_size=1))
def test_every_key_one_edit_away_is_found_and_none_beyond_the_bound(typed: str, keys: list[str]) -> None:
    table = as_table(keys)
    places, edits = near(table, typed, np.zeros(len(keys), np.float32))
    found = {keys[table.entries[place]]: int(count) for place, count in zip(places, edits, strict=True)}
    assert found == {key: plain_distance(typed, key) for key in found}
    assert all(count <= allowed_edits(len(typed)) for count in found.values())
    if allowed_edits(len(typed)):
        assert {key for key in keys if plain_distance(typed, key) <= 1} <= found.keys()


@given(st.lists(st.text("ab连衣 ", min_size=1, max_size=14), min_size=1), st.text("ab连衣 ", min_size=1, max_size=14))
def test_a_range_is_what_begins_so(keys: list[str], prefix: str) -> None:
    table = as_table(keys)
    start, whole, end = table.range(prefix.encode())
    cut = prefix.encode()[:WIDTH]
    begins = [key.encode()[:WIDTH].startswith(cut) for key in keys]
    assert sorted(table.entries[start:end].tolist()) == [place for place, each in enumerate(begins) if each]
    assert {keys[entry].encode()[:WIDTH] for entry in table.entries[start:whole]} <= {cut}


def test_what_is_too_short_or_not_latin_has_no_errors() -> None:
    table = as_table(["abcd"])
    for typed in ("abx", "连衣裙连衣裙", "a" * WIDTH):
        assert not len(near(table, typed, np.zeros(1, np.float32))[0])
