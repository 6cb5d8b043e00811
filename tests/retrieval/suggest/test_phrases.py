"""Phrases of titles, counted by hand."""

from lingsou.retrieval.suggest.phrases import CutTitle, phrases
from lingsou.retrieval.suggest.romanise import cut, fuzzy, letters, squashed
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


def found(*titles: str, brand: str = "") -> dict[str, int]:
    cuts = [CutTitle(text, cut(text, SEGMENTER), frozenset(brand.split()), 0) for text in titles]
    return {cuts[each.title].text[each.start : each.end]: each.count for each in phrases(cuts)}


def test_words_and_phrases_of_two_titles_are_kept() -> None:
    counts = found("red running shoes, size 42", "blue running shoes for men", "green hat")
    assert counts == {"running shoes": 2, "shoes": 2}  # `running` stands nowhere but before `shoes`


def test_chinese_words_join_without_a_space_only() -> None:
    assert found("真无线蓝牙耳机 白色", "无线蓝牙耳机 白色").keys() >= {"无线蓝牙耳机", "蓝牙耳机", "耳机", "白色"}
    assert "耳机 白色" not in found("蓝牙耳机 白色", "蓝牙耳机 白色")


def test_brands_numbers_and_fillers_are_no_phrases() -> None:
    counts = found("acme drill with 2 batteries", "acme drill with 2 batteries", brand="acme")
    assert counts == {"drill": 2, "drill with 2 batteries": 2, "batteries": 2}


def test_purity_is_one_in_one_category_and_half_in_two() -> None:
    cuts = [CutTitle("red shoes", cut("red shoes", SEGMENTER), frozenset(), number // 2) for number in range(4)]
    cuts += [CutTitle("hats", cut("hats", SEGMENTER), frozenset(), 5)] * 2
    purities = {cuts[each.title].text[each.start : each.end]: each.purity for each in phrases(cuts)}
    assert purities == {"red shoes": 0.5, "shoes": 0.5, "hats": 1.0}


def test_no_titles_no_phrases() -> None:
    assert found() == {}
    assert found("") == {}


def test_possessives_are_one_word() -> None:
    text = "women's jeans"
    bounds = cut(text, SEGMENTER)
    assert [text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True)] == ["women's", "jeans"]


def test_readings_follow_the_word() -> None:
    for text, spelt in [("行李箱", "xinglixiang"), ("银行", "yinhang"), ("长袖", "changxiu"), ("绿t恤", "lvtxu")]:
        assert squashed(text) == "".join(letters(text, cut(text, SEGMENTER))) == spelt
    assert squashed("iphone ke!") == "iphoneke"
    assert letters("a-壳", cut("a-壳", SEGMENTER)) == ["a", "", "ke"]


def test_sounds_that_dialects_mix_up_are_one() -> None:
    for one, other in [
        ("zhi", "zi"),
        ("chang", "can"),
        ("shan", "sang"),
        ("niu", "liu"),
        ("lv", "nu"),
        ("xin", "xing"),
    ]:
        assert fuzzy(one) == fuzzy(other)
    assert fuzzy("shoes") != fuzzy("shows")
