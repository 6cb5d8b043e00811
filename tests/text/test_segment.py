"""Terms of products and queries, and their places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
PIECES = (
    *("头髮", "乾隆", "跑步鞋", "T恤", "充電器", "𠮷", "가", "Running", "Wi-Fi", "dv7-1211ea", "17.3", "5.0.1"),
    *("ß", "ﬁ", "e\u0301", "İ", "½", "㎏", "x" * 70, "，", "/", "_", "\u3000", " "),
)
TEXT = st.lists(st.sampled_from(PIECES)).map("".join) | st.text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("… — !!", []),
        ("Running shoes for men", ["run", "shoe", "for", "men"]),
        ("男士跑步鞋", ["男士", "跑步", "鞋"]),
        ("無線充電器", ["无线", "充电", "电器", "充电器"]),
        ("蓝色T恤 Running", ["蓝色", "t", "恤", "run"]),
        ("17.3 inch 5.0.1", ["17.3", "inch", "5.0.1"]),
        ("Wi-Fi", ["wi", "fi", "wifi"]),
        ("dv7-1211ea", ["dv7", "1211ea", "dv71211ea"]),
        ("OB17-32/1T", ["ob17", "32", "1t", "ob17321t"]),
        ("snake_case", ["snake", "case"]),
        ("shoes shoes", ["shoe", "shoe"]),
        ("iPhone15手机壳", ["iphone15", "手机", "壳"]),
        ("x" * 64, ["x" * 64]),
        ("y" * 65 + " lamp", ["lamp"]),
    ],
)
def test_worked_cases(text: str, expected: list[str]) -> None:
    assert SEGMENTER.terms(text) == expected


def test_singular_and_plural_width_and_case_give_one_term() -> None:
    assert SEGMENTER.terms("SHOE") == SEGMENTER.terms("shoes") == SEGMENTER.terms("ｓｈｏｅｓ") == ["shoe"]


def test_the_shops_own_words_stay_whole() -> None:
    assert "冰丝棉" not in SEGMENTER.terms("冰丝棉衬衫")
    own = Segmenter(["冰丝棉", " 云棲 ", "", "冰丝棉"])
    assert "冰丝棉" in own.terms("冰丝棉衬衫")
    assert own.terms("云栖云栖") == ["云栖", "云栖"], "a word of the lexicon is normalised like any text"


def test_the_fingerprint_follows_the_words() -> None:
    assert Segmenter(["云栖", "冰丝棉"]).fingerprint == Segmenter(["冰丝棉", "云棲", "云栖"]).fingerprint
    assert Segmenter(["云栖"]).fingerprint != SEGMENTER.fingerprint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running SHOES", [("run", "Running"), ("shoe", "SHOES")]),
        ("無線 Wi-Fi", [("无线", "無線"), ("wi", "Wi"), ("fi", "Fi"), ("wifi", "Wi-Fi")]),
        ("乾隆 ß", [("乾隆", "乾隆"), ("ss", "ß")]),
        ("ﬀ abc  def", [("ff", "ﬀ"), ("abc", "abc"), ("def", "def")]),
        ("  Cafe\u0301 x", [("cafe", "Cafe\u0301"), ("x", "x")]),
        ("𠮷，頭髮", [("𠮷", "𠮷"), ("头发", "頭髮")]),
    ],
)
def test_spans(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(span.term, text[span.start : span.end]) for span in SEGMENTER.spans(text)] == expected


@given(TEXT)
def test_spans_are_the_terms_with_their_places(text: str) -> None:
    spans = SEGMENTER.spans(text)
    assert sorted(span.term for span in spans) == sorted(SEGMENTER.terms(text))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(TEXT)
def test_no_term_is_empty_endless_or_holds_white_space(text: str) -> None:
    for term in SEGMENTER.terms(text):
        assert 0 < len(term) <= 64
        assert term.split() == [term]
