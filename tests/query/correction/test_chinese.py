"""Chinese correction on a small shop that was made up."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lingsou.query.correction import Correctors, ShopWords, corrected
from lingsou.query.correction.chinese import SUGGESTED, ChineseCorrector, weights
from lingsou.query.correction.chinese_scores import FEATURES
from lingsou.query.correction.chinese_words import ChineseWords
from lingsou.text.segment import Segmenter

TITLES = [
    f"{colour}{what}{extra}"
    for colour in ("红色", "蓝色", "黑色", "白色")
    for what, extra in (
        ("连衣裙", "女夏季长款"),
        ("手机壳", "防摔保护套"),
        ("保温杯", "大容量便携"),
        ("运动鞋", "男透气跑步"),
        ("双肩包", "学生书包"),
        ("充电宝", "快充20000毫安"),
        ("微波炉", "家用小型"),
        ("真皮短靴", "女秋冬加绒"),
    )
] + ["Lining 运动服 women", "数码相机 高清", "牛奶饼干 儿童零食"]


@pytest.fixture(scope="module")
def corrector() -> ChineseCorrector:
    return ChineseCorrector(ShopWords(titles=TITLES, values={"brand": {"李宁": 3}}), Segmenter())


def made(corrector: ChineseCorrector, raw: str) -> str:
    return corrected(raw, [each for each in Correctors([corrector]).correct(raw) if each.applied])


@pytest.mark.parametrize(
    ("typed", "meant", "source"),
    [
        ("红色连一裙", "红色连衣裙", "sound"),
        ("手几壳", "手机壳", "sound"),
        ("保文杯", "保温杯", "sound"),
        ("远动鞋", "运动鞋", "shape"),
        ("蓝色双坚包", "蓝色双肩包", "sound"),
        ("牛奶饼千", "牛奶饼干", "shape"),
        ("家用微炉", "家用微波炉", "omission"),
        ("lianyiqun", "连衣裙", "pinyin"),
        ("红色lianyiqun", "红色连衣裙", "pinyin"),
        ("iphone shoujike", "iphone 手机壳", "pinyin"),
        ("充dian宝", "充电宝", "pinyin"),
        ("baowenbeii", "保温杯", "pinyin"),
        ("yundongxie 男", "运动鞋 男", "pinyin"),
    ],
)
def test_what_was_meant(corrector: ChineseCorrector, typed: str, meant: str, source: str) -> None:
    assert made(corrector, typed) == meant
    assert Correctors([corrector]).correct(typed)[0].source == source


@pytest.mark.parametrize(
    "query",
    [
        "红色连衣裙", "连衣裙 红色", "女长款", "lining 运动服", "women", "数码相机", "iphone 15 pro", "EX-VS45",
        "膝盖", "岳阳", "samsung galaxy", "2017", "", "   ", "，。！", "🙂", "的",
    ],
)  # fmt: skip
def test_what_is_right_stays(corrector: ChineseCorrector, query: str) -> None:
    assert made(corrector, query) == query


def test_spans_are_into_what_was_typed(corrector: ChineseCorrector) -> None:
    """Full width, capitals and traditional characters fold, and the spans are still those of the raw query."""
    raw = "ＩＰＨＯＮＥ　紅色連一裙"
    (found,) = Correctors([corrector]).correct(raw)
    assert raw[found.start : found.end] == found.surface
    assert corrected(raw, [found]).endswith("衣裙")


def test_closed_pieces_are_not_touched(corrector: ChineseCorrector) -> None:
    raw = "红色连一裙 lianyiqun"
    assert len(corrector.correct(raw, [])) == 2
    assert corrector.correct(raw, [(0, len(raw))]) == []
    assert [each.surface for each in corrector.correct(raw, [(6, len(raw))])] != ["lianyiqun"]
    assert "颜色:" in made(corrector, "颜色:红色连一裙")


def test_two_errors_of_a_query_are_both_corrected(corrector: ChineseCorrector) -> None:
    assert made(corrector, "红色连一裙，家用微炉") == "红色连衣裙，家用微波炉"


def test_a_shop_without_chinese_corrects_nothing() -> None:
    assert ChineseCorrector(ShopWords(titles=["Red dress"]), Segmenter()).correct("红色连一裙 lianyiqun", []) == []
    assert ChineseCorrector(ShopWords(), Segmenter()).correct("红色连一裙", []) == []


def test_values_and_index_terms_are_known_and_typed_queries_are_not() -> None:
    words = ShopWords(
        titles=["手机壳防摔"],
        values={"brand": {"海澜之家": 2}},
        terms={"净化器": 5},
        queries=[("连一裙", 99), ("首饰盒", 9)],
    )
    known = ChineseWords(words, Segmenter())
    assert known.counts_of(["净化器", "首饰盒"]) == [5, 0]
    assert known.grams.count("海澜之家") == 1
    assert known.grams.count("连一裙") == 0


def test_of_a_shop_without_chinese_nothing_is_kept() -> None:
    known = ChineseWords(ShopWords(titles=["Red dress"] * 3, terms={"dress": 3}), Segmenter())
    assert known.words == []
    assert known.nbytes < 1_000


def test_words_are_found_by_sound_by_what_is_missing_and_by_letters() -> None:
    known = ChineseWords(ShopWords(titles=TITLES), Segmenter())

    def of(places: Sequence[NDArray[np.int32]]) -> list[list[str]]:
        return [[known.words[place] for place in each.tolist()] for each in places]

    assert of(known.sounding_like([("bao", "wen", "bei"), ("lian", "yi", "qun"), ("mao", "wen")])) == [
        ["保温杯"],
        ["连衣裙"],
        [],
    ]
    assert of(known.with_one_more(["微炉", "波炉", "连裙", "炉"])) == [["微波炉"], ["微波炉"], ["连衣裙"], []]
    assert of(known.spelt(["yundongxie", "yundong"])) == [["运动鞋"], ["运动"]]
    assert of(known.nearly_spelt(["yundongxe", "yundognxie", "yundongxiee", "abc"]))[:3] == [["运动鞋"]] * 3


def test_the_table_of_weights_fits_the_features() -> None:
    assert weights().shape == (len(FEATURES),)
    assert np.isfinite(weights()).all()


def test_a_long_query_is_read_piece_by_piece(corrector: ChineseCorrector) -> None:
    raw = "红色连衣裙女夏季长款" * 30 + "家用微炉"
    assert all(raw[each.start : each.end] == each.surface for each in corrector.correct(raw, []))


@given(st.sampled_from(TITLES), st.integers(0, 6), st.integers(0, 12))
def test_a_title_s_own_words_are_never_changed(
    corrector: ChineseCorrector, title: str, start: int, length: int
) -> None:
    terms = [span for span in Segmenter().spans(title) if span.end - span.start > 1]
    words = [title[span.start : span.end] for span in terms]
    for query in (title, *words, " ".join(words[start : start + length])):
        assert made(corrector, query) == query


@settings(max_examples=150)
@given(
    st.text(st.sampled_from("红色连一裙手几壳微炉lian ，2Ｑßﬁ\u0301𠮷裏\n"), max_size=70) | st.text(max_size=40),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=3),
)
def test_nothing_breaks_it(corrector: ChineseCorrector, raw: str, closed: list[tuple[int, int]]) -> None:
    pieces = [(min(pair), max(pair)) for pair in closed]
    place = 0
    for each in sorted(corrector.correct(raw, pieces), key=lambda each: each.start):
        assert place <= each.start < each.end <= len(raw)
        assert raw[each.start : each.end] == each.surface
        assert each.confidence >= SUGGESTED
        assert not any(left < each.end and each.start < right for left, right in pieces)
        place = each.end
