"""Worked cases of normalisation, and what holds for any text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.text.normalise import HAN, fold_with_places, has_han, normalise, squash

TEXT = st.text(st.sampled_from("aZé́ß̣ﬁİΣς Ｔ　ｶﾞ가ᄀ ᅡ頭髮乾隆燥干½㎏-/.5１\t\u00b4ạ̈Ế")) | st.text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n ", ""),
        ("Running  Shoes", "running shoes"),
        ("Ｔ恤　ＡＢＣ１２．５", "t恤 abc12.5"),
        ("無線充電器", "无线充电器"),
        ("頭髮 乾燥 乾隆", "头发 干燥 乾隆"),
        ("École Müller Ñandú", "ecole muller nandu"),
        ("Straße STRASSE ẞ", "strasse strasse ss"),
        ("Việt Nam, TIẾNG", "viet nam, tieng"),
        ("İstanbul Kızılay", "istanbul kizilay"),
        ("Æsop Smørrebrød Łódź", "aesop smorrebrod lodz"),
        ("ΟΔΟΣ", "οδοσ"),
        ("e\u0301 e\u0323\u0301 q\u0307", "e e q"),
        ("α\u0301 ｶﾞ", "ά ガ"),
        ("ﬁlter ㎏ ① ²", "filter kg 1 2"),
        ("“5％”…", "“5%”..."),
    ],
)
def test_worked_cases(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(TEXT)
def test_nothing_is_left_to_fold_and_twice_is_once(text: str) -> None:
    once = normalise(text)
    assert once == once.strip()
    assert "  " not in once
    # One Chinese character may be traditional for another that is simplified; stray marks may find a new letter.
    if not has_han(once) and not any(map(unicodedata.combining, once)):
        assert normalise(once) == once


@given(TEXT)
def test_places_are_those_of_the_same_text(text: str) -> None:
    folded, starts, ends = fold_with_places(text)
    assert " ".join(folded.split()) == " ".join(normalise(text).split())
    assert len(folded) == len(starts) == len(ends)
    assert list(starts) == sorted(starts)
    assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
    for letter, start, end in zip(folded, starts, ends, strict=True):
        if not HAN.match(letter):
            assert letter in normalise(text[start:end]) or letter.isspace()


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("EX-VS 45/2", "exvs452"),
        ("ＯＢ17–32／1T", "ob17321t"),
        ("４００６３８１", "4006381"),
        ("A_1.b", "a1b"),
        ("货号-001", "货号001"),
        ("--- /", ""),
    ],
)
def test_squash(identifier: str, expected: str) -> None:
    assert squash(identifier) == expected


def test_has_han() -> None:
    assert has_han("T恤")
    assert has_han("𠮷")
    assert not has_han("Café カタカナ 한국어 123")
