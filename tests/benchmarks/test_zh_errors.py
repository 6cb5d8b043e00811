"""The generator of Chinese errors and its protocol, on a few titles of our own."""

import random
from collections import Counter

import pytest
from benchmarks.understanding import zh_errors
from benchmarks.understanding.zh_errors import Case
from benchmarks.understanding.zh_shapes import PAIRS, look_alikes
from benchmarks.understanding.zh_slips import KINDS, Slips, reading

TITLES = [
    "秋季连衣裙女长袖,连衣裙收腰",
    "男士运动鞋透气,运动鞋跑步",
    "充电宝大容量快充,充电宝迷你",
    "苹果手机壳透明,苹果手机膜",
    "不锈钢保温杯,保温杯儿童水壶",
    "纯棉床单四件套,床单被套",
    "运动手环防水,智能手环",
    "iphone充电宝,女士连衣裙夏季",
]


@pytest.fixture(scope="module")
def slips() -> Slips:
    return Slips(TITLES, zh_errors.words)


@pytest.fixture(scope="module")
def found() -> list[Case]:
    return zh_errors.cases(TITLES, TITLES, 7, 30)


def test_a_case_differs_from_what_was_meant_in_one_word_of_the_training_titles(found: list[Case]) -> None:
    counts = Counter(word for title in TITLES for word, _, _ in zh_errors.words(title))
    assert found
    for case in found:
        after = case.wrong[case.end :]
        word = case.right[case.start : len(case.right) - len(after)]
        assert case.wrong[: case.start] + word + after == case.right
        assert counts[word] >= 2
        assert case.wrong[case.start : case.end] not in counts
        assert case.right.replace(" ", "") in "\n".join(TITLES)
        assert case.wrong not in "\n".join(TITLES)


def test_kinds_take_turns_and_what_is_drawn_depends_on_the_seed_alone(found: list[Case]) -> None:
    assert [case.kind for case in found[:5]] == list(KINDS)
    assert zh_errors.cases(TITLES, TITLES, 7, 30) == found
    assert zh_errors.cases(TITLES, TITLES, 8, 3) != found[:3]
    assert zh_errors.cases(TITLES, TITLES, 7, 3) == found[:3]
    assert zh_errors.cases(TITLES, [], 7, 3) == []


def test_no_stretch_has_punctuation_or_what_only_sellers_write() -> None:
    titles = ["包邮连衣裙,保温杯包邮", "连衣裙包邮保温杯"]
    stretches = {case.right for case in zh_errors.cases(titles, titles, 7, 50)}
    assert stretches
    assert stretches <= {"连衣裙", "保温杯"}


def test_letters_stand_apart_from_other_letters_on_both_sides() -> None:
    titles = [f"nike运动鞋pro,{number}" for number in range(200)]
    cases = [case for case in zh_errors.cases(titles, titles, 7, 200) if case.kind == "pinyin"]
    whole = {(case.wrong, case.right) for case in cases if case.wrong[case.start : case.end] == "yundongxie"}
    assert whole == {
        ("yundongxie", "运动鞋"),
        ("nike yundongxie", "nike 运动鞋"),
        ("yundongxie pro", "运动鞋 pro"),
        ("nike yundongxie pro", "nike 运动鞋 pro"),
    }
    assert ("nike运动xie pro", "nike运动鞋 pro") in {(case.wrong, case.right) for case in cases}


def test_homophones_sound_the_same_without_their_tones(slips: Slips) -> None:
    drawn = {slips.drawn("homophone", "手机", random.Random(seed)) for seed in range(60)}
    assert "收集" in drawn, "another word of the dictionary"
    assert any(text and text[0] == "手" and text != "手机" for text in drawn), "one character"
    # A character is drawn by its first reading, and may have another one beside its neighbour.
    assert all(text and [reading(c)[0] for c in text] == ["shou", "ji"] for text in drawn)


def test_confused_syllables_are_those_of_dialects(slips: Slips) -> None:
    drawn = {slips.drawn("fuzzy", "男", random.Random(seed)) for seed in range(60)}
    syllables = {reading(text)[0] for text in drawn if text}
    assert syllables == {"lan", "nang"}
    assert {reading(text)[0] for s in range(60) if (text := slips.drawn("fuzzy", "湖", random.Random(s)))} == {"fu"}
    assert slips.drawn("fuzzy", "袜", random.Random(7)) is None, "wa is like no other syllable"


def test_a_shape_is_of_the_table_and_an_omission_leaves_two_characters(slips: Slips) -> None:
    drawn = {slips.drawn("shape", "土鸟", random.Random(seed)) for seed in range(60)}
    assert drawn == {"士鸟", "工鸟", "土乌", "土岛"}
    assert {slips.drawn("omitted", "保温杯", random.Random(s)) for s in range(30)} == {"保温", "保杯", "温杯"}
    assert slips.drawn("omitted", "手环", random.Random(7)) is None


def test_pinyin_is_of_the_word_or_of_a_part_and_sometimes_slips(slips: Slips) -> None:
    drawn = [slips.drawn("pinyin", "手环", random.Random(seed)) for seed in range(400)]
    right = {"shouhuan", "shou环", "手huan"}
    assert right < set(drawn)
    share = sum(text not in right for text in drawn) / len(drawn)
    assert 0.15 < share < 0.3, "a quarter, fewer where a slip changes nothing"
    assert all(text and 3 <= sum(c.isascii() for c in text) <= 9 for text in drawn)


def test_the_table_of_shapes_is_sound() -> None:
    pairs = PAIRS.split()
    assert len(pairs) >= 200
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert "末" in look_alikes()["未"]
    assert "未" in look_alikes()["末"]


def test_an_error_is_left_out_if_nothing_shows_that_it_is_one(slips: Slips) -> None:
    assert slips.telling("homophone", "连以裙", "连衣裙", "", "")
    assert not slips.telling("homophone", "手环", "手换", "", ""), "a word of the titles"
    assert not slips.telling("homophone", "收集", "手机", "", ""), "alone, a word of the dictionary"
    assert slips.telling("homophone", "收集", "手机", "苹果", "壳"), "beside others, a wrong one"
    assert not slips.telling("omitted", "裙女", "裙子女", "连衣", ""), "a part of a title"


def test_an_error_is_left_out_if_another_word_explains_it_as_well() -> None:
    # 油 and 游 sound alike: 菜由 may have been either, unless what stands beside it tells.
    cut = {"菜油一级": ["菜油", "一级"], "菜游地图": ["菜游", "地图"]}

    def words(title: str) -> list[tuple[str, int, int]]:
        first, last = cut[title]
        return [(first, 0, len(first)), (last, len(first), len(first + last))]

    slips = Slips(list(cut), words)
    assert not slips.telling("homophone", "菜由", "菜油", "", "")
    assert slips.telling("homophone", "菜由", "菜油", "", "一级")
    assert not slips.telling("homophone", "菜由", "菜油", "", "地图"), "菜游地图 is what the titles have"
    assert slips.telling("homophone", "彩由", "菜油", "", "一级")
    assert not slips.telling("pinyin", "caiyou", "菜油", "", "")
    assert not slips.telling("pinyin", "菜you", "菜油", "", "")
    assert slips.telling("pinyin", "cai油", "菜油", "", ""), "the one character that differs was written"


def test_scores_of_three_cases() -> None:
    cases = [
        Case("连以裙", "连衣裙", 0, 3, "homophone"),
        Case("iphone ke", "iphone 壳", 7, 9, "pinyin"),
        Case("保杯", "保温杯", 0, 2, "omitted"),
    ]
    corrected = ["连衣裙", "IPHONE 壳", "保杯"]
    assert zh_errors.correction_at_1(cases, corrected) == pytest.approx(2 / 3)
    assert zh_errors.by_kind(cases, corrected) == {"homophone": 1.0, "omitted": 0.0, "pinyin": 1.0}
    assert zh_errors.false_rate(["连衣裙", "iphone 壳"], ["连衣裙", "iPhone 课"]) == 0.5
    assert zh_errors.correction_at_1([], []) == 0.0
    with pytest.raises(ValueError, match="zip"):
        zh_errors.correction_at_1(cases, [])


def test_clean_stretches() -> None:
    cases = [Case("连以裙", "连衣裙", 0, 3, "homophone"), Case("联衣裙", "连衣裙", 0, 3, "homophone")]
    assert zh_errors.clean(cases) == ["连衣裙"]
    stretches = zh_errors.any_stretches(TITLES, 7, 10)
    assert len(stretches) == len(set(stretches)) == 10
    assert all(any(stretch in title for title in TITLES) for stretch in stretches)
