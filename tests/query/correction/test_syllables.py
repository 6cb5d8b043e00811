"""Readings, sounds that are alike, and pinyin as it is typed."""

import pytest

from lingsou.query.correction.lookalikes import lookalikes
from lingsou.query.correction.syllables import (
    fuzzy,
    inventory,
    is_han,
    like_pinyin,
    of_word,
    readings,
    sounds,
    spellings,
    syllables_in,
    typed,
)


def test_characters_are_read_as_in_their_word() -> None:
    assert of_word("音乐") == ("yin", "yue")
    assert of_word("快乐") == ("kuai", "le")
    assert readings("乐") == ("le", "yue")
    assert of_word("abc") == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zhi", "zi"),
        ("chuang", "cuan"),
        ("nan", "lan"),
        ("ing", "in"),
        ("hua", "fa"),
        ("hui", "fei"),
        ("nv", "lu"),
        ("ren", "leng"),
    ],
)
def test_southern_ears_hear_the_same(one: str, other: str) -> None:
    assert fuzzy(one) == fuzzy(other)


@pytest.mark.parametrize(("one", "other"), [("ba", "pa"), ("shi", "she"), ("dong", "deng"), ("jia", "jie")])
def test_other_sounds_stay_apart(one: str, other: str) -> None:
    assert fuzzy(one) != fuzzy(other)


def test_every_reading_has_a_sound() -> None:
    assert {reading for character in "的一是女略呣嗯欸诶" for reading in readings(character)} <= set(sounds())


def test_letters_are_read_whole_or_not_at_all() -> None:
    assert syllables_in("lianyiqun") == 3
    assert syllables_in("shouji") == 2
    assert syllables_in("xian") == 1
    assert [syllables_in(letters) for letters in ("iphone", "v", "", "a" * 41)] == [0, 0, 0, 0]
    assert [like_pinyin(letters) for letters in ("shouji", "shoujik", "shpuji", "iphone", "samsung")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert {"nv", "nu", "lu", "zhuang"} <= inventory()
    assert typed(("nv", "xie")) == "nuxie"


def test_ways_to_read_are_bounded() -> None:
    ways = spellings("乐长行重", 6)
    assert len(ways) == len(set(ways)) == 6
    assert spellings("音乐", 6) == [("yin", "yue")]
    assert {"ke", "qiao"} == {way[0] for way in spellings("壳", 6)}
    assert spellings("裙x", 6) == []
    assert [is_han(text) for text in ("裙子", "裙x", "")] == [True, False, False]


def test_look_alikes_go_both_ways() -> None:
    table = lookalikes()
    pairs = {frozenset((one, other)) for one, alike in table.items() for other in alike}
    assert len(pairs) >= 600
    assert all(one in table[other] for one, alike in table.items() for other in alike)
    assert "末" in table["未"]
    assert not any(one in alike for one, alike in table.items())
