"""What each text says that the other does not say in any form."""

from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.quality.matching import leftovers
from lingsou.quality.matching.leftovers import LEFTOVERS, Leftovers

TEXTS = [
    "lumo steel kettle small",
    "lumo stele kettle",  # mistyped, one word fewer
    "lumo glass kettle small",
    "lumo steelkettle small",  # a space forgotten
    "rc2506",
    "rc2516",
]


def left(one: int, other: int) -> dict[str, float]:
    row = Leftovers(TEXTS).of(np.array([one]), np.array([other]))[0]
    return dict(zip(LEFTOVERS, row.tolist(), strict=True))


def test_a_typing_error_is_no_other_word() -> None:
    told = left(0, 1)
    assert told["words-left-least"] == 0  # `stele` is `steel`
    assert told["words-left-most"] == 1  # `small`
    assert told["left-least"] == 0 < told["left-most"] == told["rarest-left-most"]


def test_each_has_a_word_of_its_own() -> None:
    told = left(0, 2)
    assert told["words-left-least"] == told["words-left-most"] == 1
    assert told["rarest-left-least"] > 0


def test_words_written_together_are_the_same_words() -> None:
    assert left(0, 3)["words-left-most"] == 0


def test_a_number_is_never_taken_for_an_error() -> None:
    assert left(4, 5)["words-left-least"] == 1


def test_order_says_nothing() -> None:
    assert left(0, 2) == left(2, 0)


def without_one(word: str) -> set[str]:
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def plainly(word: str, others: frozenset[str], solid: str) -> bool:
    """What `_said` means."""
    if len(word) < 4 or any(letter.isdigit() for letter in word):
        return False
    return word in solid or any(len(each) >= 3 and without_one(word) & without_one(each) for each in others)


texts = st.frozensets(st.text("ab1", min_size=1, max_size=8), max_size=6)


@pytest.mark.parametrize("longest", [5, 64])
@given(own=texts, others=texts)
def test_what_is_said_by_its_definition(longest: int, own: frozenset[str], others: frozenset[str]) -> None:
    solid = "".join(sorted(others))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(leftovers, "_LONGEST", longest)
        assert leftovers._said(own, others, solid) == {word for word in own if plainly(word, others, solid)}


def test_long_texts_and_words_cost_no_square() -> None:
    def word(number: int) -> str:
        return "".join(chr(97 + number // 26**place % 26) for place in range(4)) * 2

    sides = [
        " ".join(word(2 * number + side) for number in range(3_000)) + " " + letter * 40_000 + "x" * side
        for side, letter in enumerate("yz")
    ]
    pairs = Leftovers(sides)
    start = process_time()
    pairs.of(np.array([0]), np.array([1]))
    assert process_time() - start < 2
