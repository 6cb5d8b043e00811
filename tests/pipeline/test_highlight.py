"""Marks in texts: safe HTML, merged places, nothing where there is nothing."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.pipeline.highlight import highlight
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


def marked(text: str, query: str) -> str | None:
    return highlight(text, frozenset(SEGMENTER.terms(query)), SEGMENTER)


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Trail running shoes", "shoe RUN", "Trail <em>running</em> <em>shoes</em>"),
        ("無線充電器", "充电器", "無線<em>充電器</em>"),
        ("Wi-Fi lamp", "wifi", "<em>Wi-Fi</em> lamp"),
        ("Wi-Fi lamp", "fi wifi", "<em>Wi-Fi</em> lamp"),
        ("黑色跑步鞋", "跑步 鞋", "黑色<em>跑步鞋</em>"),
        ("a <b> & \"c\" 'd'", "b d", "a &lt;<em>b</em>&gt; &amp; &quot;c&quot; &#x27;<em>d</em>&#x27;"),
        ("<em>lamp</em>", "lamp", "&lt;em&gt;<em>lamp</em>&lt;/em&gt;"),
        ("Große Lampe", "grosse", "<em>Große</em> Lampe"),
        ("ﬀ abc  def", "abc", "ﬀ <em>abc</em>  def"),
        ("Lamp", "chair", None),
        ("Lamp", "", None),
        ("", "lamp", None),
    ],
)
def test_worked_cases(text: str, query: str, expected: str | None) -> None:
    assert marked(text, query) == expected


@given(st.text(), st.text())
def test_any_text_comes_back_whole_and_safe(text: str, query: str) -> None:
    found = marked(text, query)
    if found is None:
        assert not set(SEGMENTER.terms(query)) & {span.term for span in SEGMENTER.spans(text)}
        return
    bare = re.sub("</?em>", "", found)
    assert html.unescape(bare) == html.unescape(html.escape(text))
    assert "<" not in bare
    assert re.fullmatch(r"([^<]*<em>[^<]+</em>)+[^<]*", found), "marks open and close in turn"
    assert "</em><em>" not in found, "neighbours are one mark"
