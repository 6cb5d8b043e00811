"""What each text says that the other does not say in any form."""

import numpy as np

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
