"""Markup is told from prose that merely uses its characters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.quality.check import Edit, Finding
from lingsou.quality.checks.html import HtmlCheck

MARKUP = (
    *("<b>", "</b>", "<br>", "<M>", "<", ">", "&amp;", "&lt;", "&gt;", "&nbsp", "amp;", "lt;", "&", "#38;", "b", " "),
    *("<script>", "<!--", "-->", "<a href=x>", "/", "新", "&amp;lt;", "&zwj;", "&#xD800;"),
)


def found(title: str = "t", **fields: Any) -> list[Finding]:
    check = HtmlCheck()
    check.observe(1, Product(id="p", title=title, **fields))
    return check.finish()


@pytest.mark.parametrize(
    "text",
    [
        "Size < 30 and > 5",
        "AT&T phone",
        "R&D; Q&A; S&P;",
        "I <3 tea <M> <XL> <S> <b> <A级>",
        "<Pro> edition, Bang & Olufsen",
        "<Big> <Time> <Object> 《<Title>》",
        "x<y>z, a<b",
        "Tom & Jerry &c.",
        "《书名》 <正品> ＜新＞",
        "https://shop.example/?a=1&b=2&lt=3",
        "<3 & <br without an end",
    ],
)
def test_prose_passes(text: str) -> None:
    assert found(text, description=text, brand=text, attributes={"k": text}) == []


@pytest.mark.parametrize(
    "text",
    [
        "Processor <br />(6M Cache",
        "<ul><li>one</li></ul>",
        "<b>bold</b>",
        "<STRONG>新款</STRONG>",
        '<a href="x">link',
        "end</p>",
        "<!-- note --> x",
        '<font color="red">特价',
        "<P>a</p>",
        "<small>x</small>",
        "<table border=1>",
    ],
)
def test_tags_are_warnings_in_plain_fields_and_infos_in_the_description(text: str) -> None:
    [finding] = found(text)
    assert (finding.severity, finding.field) == ("warning", "title")
    [finding] = found(description=text)
    assert (finding.severity, finding.field) == ("info", "description")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=//x>",
        '<img src=x onerror="alert(1)">',
        '<a href="javascript:alert(1)">x</a>',
        "<iframe src='x'></iframe>",
        "<svg/onload=alert(1)>",
        "<object data=x>",
    ],
)
def test_markup_that_runs_is_an_error_even_in_the_description(text: str) -> None:
    [finding] = found(description=text)
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("Briggs &amp; Stratton", "Write “&” instead of &amp;."),
        ("Women&#39;s", "Write “'” instead of &#39;."),
        ("90&deg; angled", "Write “°” instead of &deg;."),
        ("a&nbsp;b", "Write a plain space instead of &nbsp;."),
        ("a&nbsp b", "Write a plain space instead of &nbsp."),
        ("&#x4e2d;文", "Write “中” instead of &#x4e2d;."),
        ("a&amp;nbsp;b", "Write a plain space instead of &amp;nbsp;."),
        ("a&zwj;b", "Write nothing instead of &zwj;."),
        ("&#xD800;", "Write “�” instead of &#xD800;."),
    ],
)
def test_entities_are_named_with_what_they_mean(text: str, repair: str) -> None:
    [finding] = found(text)
    assert finding.repair == repair
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Briggs &amp; Stratton", "Briggs & Stratton"),
        ("Women&#39;s R&D; 90&deg; a&nbsp;b", "Women's R&D; 90° a b"),
        ("a&amp;nbsp;b &amp; c", "a b & c"),
        ("soft&shy;ware", "software"),
        ("?a=1&copy=2 &amp; more", "?a=1&copy=2 & more"),
        ("<b>bold</b> &amp; more", "bold & more"),
        ("Processor <br />(6M Cache)", "Processor (6M Cache)"),
        ("Processor<br>6M", "Processor 6M"),
        ("H<sub>2</sub>O <!-- new --> bottle", "H2O bottle"),
        ('<ul class="x"><li>one</li><li>two</li></ul>', "one two"),
        ("<h1><STRONG>新款</STRONG>T恤</h1>", "新款T恤"),
        ("<Pro> edition</p>", None),
        ("&lt;b&gt;Kettle&lt;/b&gt; 1.7 L &lt;br&gt;", "Kettle 1.7 L"),
        ("a&amp;lt;br&amp;gt;b", "a b"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", None),
        ("<p><br></p>", None),
        ("size &lt; 5", None),
        ("size < 5<br>", None),
        ("&#xD800;", None),
        ("&#38;amp;", None),
        ("&nbsp;", None),
    ],
)
def test_a_text_without_markup_is_written_anew(text: str, meant: str | None) -> None:
    edits = {each.edit for each in found(text)}
    assert edits == {meant and Edit(field="title", value=meant)}


@given(
    st.lists(
        st.sampled_from(MARKUP),
        max_size=12,
    )
)
def test_what_is_written_anew_has_no_markup_left(parts: list[str]) -> None:
    edits = {edit.value for each in found(f"t{''.join(parts)}") if (edit := each.edit)}
    assert len(edits) <= 1, "tags and entities of one field are mended together"
    for better in edits:
        assert isinstance(better, str)
        assert "<" not in better
        assert found(better) == []


def test_only_whole_fields_are_written_anew() -> None:
    text = "a &amp; b"
    fields: dict[str, Any] = {"category": (text,), "description": text, "brand": text}
    attributes = {"plain": text, "many": (text, "c"), "sized": {"value": text, "unit": "cm"}, text: "x"}
    edits = {each.field: each.edit for each in found(attributes=attributes, **fields)}
    assert {field for field, edit in edits.items() if edit} == {"brand", "attributes.plain"}
    assert len(edits) == 7


def test_entities_escaped_twice_are_warnings_in_the_description_too() -> None:
    assert [f.severity for f in found(description="a&amp;nbsp;b")] == ["warning"]
    assert [f.severity for f in found(description="a&nbsp;b")] == ["info"]


def test_hostile_markup_takes_no_longer_than_its_length() -> None:
    for unit in ("<b>", "<a onx ", "</b><i>", "<a x=      ", "&amp;", "<svg/on ", "<!--", "<br ", "&lt;b&gt;"):
        found(description=(unit * 200_000)[:200_000])
