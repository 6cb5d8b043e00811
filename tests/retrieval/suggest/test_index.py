"""Suggestions by hand over a small shop, and what holds for any string."""

import html
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingsou.core.suggest import Suggestion
from lingsou.retrieval.suggest import ProductTitle, SuggestBuilder, SuggestIndex
from lingsou.retrieval.suggest.index import MAX_TYPED
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
PRODUCTS = [
    ProductTitle("p1", "iPhone 壳 透明", "Kestrel", "Phones > Cases", "", 50),
    ProductTitle("p2", "Xerox Laser Toner <black>", "Xerox", "Office > Toner", "", 9),
    ProductTitle("p3", "Kestrel 针织连衣裙 红色", "Kestrel", "Dresses", "g1", 3),
    ProductTitle("p4", "Kestrel 针织连衣裙 蓝色", "Kestrel", "Dresses", "g1", 7),
]
POPULAR = [("连衣裙", 40), ("running shoes", 30), ("长袖衬衫", 20), ("running shorts", 5), ("绿茶", 3), ("kestrel", 9)]


@pytest.fixture(scope="module")
def index() -> SuggestIndex:
    builder = SuggestBuilder(SEGMENTER)
    brands = {"Kestrel": 3, "Xerox": 1, "Café Noir": 2}
    categories = {"Phones > Cases": 1, "Office": 1, "Office > Toner": 1, "Dresses": 2, "Bags > Cases": 4}
    return builder.build(PRODUCTS, brands, categories, (), POPULAR)


def items(index: SuggestIndex, typed: str, limit: int = 10, recent: tuple[str, ...] = ()) -> list[Suggestion]:
    return [item for group in index.suggest(typed, limit, recent) for item in group.items]


def texts(index: SuggestIndex, typed: str, limit: int = 10) -> list[str]:
    return [item.text for item in items(index, typed, limit)]


@pytest.mark.parametrize(
    ("typed", "wanted", "highlight"),
    [
        ("run", "running shoes", "<em>run</em>ning shoes"),
        ("sho", "running shoes", "running <em>sho</em>es"),
        ("shoes runn", "running shoes", "<em>runn</em>ing <em>shoes</em>"),
        ("連衣", "连衣裙", "<em>连衣</em>裙"),
        ("ＲＵＮ", "running shoes", "<em>run</em>ning shoes"),
        ("cafe n", "Café Noir", "<em>Café N</em>oir"),
        ("lianyiqun", "连衣裙", "<em>连衣裙</em>"),
        ("lianyiq", "连衣裙", "<em>连衣裙</em>"),
        ("lian", "连衣裙", "<em>连</em>衣裙"),
        ("lianyi裙", "连衣裙", "<em>连衣裙</em>"),
        ("联衣裙", "连衣裙", "<em>连衣裙</em>"),
        ("changx", "长袖衬衫", "<em>长袖</em>衬衫"),
        ("lvc", "绿茶", "<em>绿茶</em>"),
        ("lyq", "连衣裙", "<em>连衣裙</em>"),
        ("ly", "连衣裙", "<em>连衣</em>裙"),
        ("cangxiucensan", "长袖衬衫", "<em>长袖衬衫</em>"),
        ("nianyiqun", "连衣裙", "<em>连衣裙</em>"),
        ("luca", "绿茶", "<em>绿茶</em>"),
        ("runnign sh", "running shoes", "<em>running sh</em>oes"),
        ("kestral", "Kestrel", "<em>Kestrel</em>"),
        ("iphone ke", "iPhone 壳 透明", "<em>iPhone 壳</em> 透明"),
        ("laser", "Xerox Laser Toner <black>", "Xerox <em>Laser</em> Toner &lt;black&gt;"),
    ],
)
def test_what_is_typed_finds_and_marks(index: SuggestIndex, typed: str, wanted: str, highlight: str) -> None:
    found = {item.text: item.highlight for item in items(index, typed)}
    assert found.get(wanted) == highlight


def test_the_kind_of_match_counts_before_popularity(index: SuggestIndex) -> None:
    assert texts(index, "running")[:2] == ["running shoes", "running shorts"]
    # The exact prefix comes before the word inside, although fewer asked for it.
    builder = SuggestBuilder(SEGMENTER)
    small = builder.build([], {}, {}, (), [("shoe rack", 1), ("running shoe", 99)])
    assert texts(small, "shoe") == ["shoe rack", "running shoe"]
    small = builder.build([], {}, {}, (), [("sj", 1), ("手机", 99)])
    assert texts(small, "sj") == ["sj", "手机"]


def test_one_edit_in_four_to_seven_letters_two_beyond(index: SuggestIndex) -> None:
    assert "running shoes" not in texts(index, "rum")
    assert "running shoes" in texts(index, "rumnin")
    assert "running shoes" not in texts(index, "rumnim")
    assert "running shoes" in texts(index, "rumningsh0es")


def test_filters_ids_and_counts(index: SuggestIndex) -> None:
    by_kind = {item.kind: item for typed in ("kestrel", "dress", "xerox laser", "lyq") for item in items(index, typed)}
    assert by_kind["brand"].filters == {"brand": "Kestrel"} or by_kind["brand"].text == "Xerox"
    assert (by_kind["category"].filters, by_kind["category"].count) == ({"category": "Dresses"}, 2)
    assert (by_kind["product"].filters, by_kind["query"].filters) == ({}, {})
    (toner,) = [item for item in items(index, "xerox l") if item.kind == "product"]
    assert toner.id == "p2"


def test_categories_that_end_alike_say_where_they_are(index: SuggestIndex) -> None:
    found = {item.text: item.filters for item in items(index, "cases")}
    assert found == {"Cases / Phones": {"category": "Phones > Cases"}, "Cases / Bags": {"category": "Bags > Cases"}}


def test_a_query_that_names_a_brand_is_the_brand(index: SuggestIndex) -> None:
    assert [item.kind for item in items(index, "kestrel") if normalise(item.text) == "kestrel"] == ["brand"]


def test_of_variants_the_best_sold_is_shown_once(index: SuggestIndex) -> None:
    assert [item.id for item in items(index, "针织") if item.kind == "product"] == ["p4"]


def test_products_follow_the_words_that_initials_stand_for(index: SuggestIndex) -> None:
    assert "p4" in [item.id for item in items(index, "lyq")]


def test_own_searches_come_first_and_once(index: SuggestIndex) -> None:
    groups = index.suggest("run", 5, ("running shoes", "bags", "trail run <1>", "running shoes"))
    assert groups[0].kind == "recent"
    assert [item.highlight for item in groups[0].items] == ["<em>run</em>ning shoes", "trail <em>run</em> &lt;1&gt;"]
    assert [item.text for group in groups[1:] for item in group.items] == ["running shorts"]
    assert [item.text for item in items(index, "lian", recent=("连衣裙",)) if item.kind == "recent"] == ["连衣裙"]


def test_nothing_typed_shows_own_and_popular_searches(index: SuggestIndex) -> None:
    kinds = {group.kind: [item.text for item in group.items] for group in index.suggest("  ", 6, ("bags",))}
    assert kinds["recent"] == ["bags"]
    assert kinds["query"][0] == "连衣裙"
    assert "product" not in kinds


def test_an_empty_shop_suggests_nothing() -> None:
    empty = SuggestBuilder(SEGMENTER).build([], {}, {})
    for typed in ("", "a", "连衣裙", "lianyiqun", "two words"):
        assert empty.suggest(typed, 10) == ()


def test_no_kind_takes_all_the_room_from_another(demo: SuggestIndex) -> None:
    kinds = {item.kind for item in items(demo, "lap")}
    assert {"query", "category", "product"} <= kinds
    for limit in (1, 2, 5, 50):
        assert len(items(demo, "s", limit)) == limit


def test_a_later_build_of_the_same_builder_forgets_what_is_gone() -> None:
    builder = SuggestBuilder(SEGMENTER)
    assert texts(builder.build(PRODUCTS, {}, {}), "xer")
    assert not texts(builder.build(PRODUCTS[:1], {}, {}), "xer")


_TYPED = st.one_of(st.text(max_size=80), st.text("abcdeé 连衣裙鞋1-'\0&<", max_size=12))


@given(_TYPED, st.integers(1, 50))
@settings(deadline=None)
def test_any_string_is_answered(index: SuggestIndex, typed: str, limit: int) -> None:
    found = items(index, typed, limit, (typed,))
    assert len(found) <= limit
    for item in found:
        assert html.unescape(re.sub("</?em>", "", item.highlight)) == item.text
        assert "<" not in re.sub("</?em>", "", item.highlight)


@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_beginning_of_a_text_finds_it(data: st.DataObject, demo: SuggestIndex) -> None:
    entry = data.draw(st.sampled_from(list(demo.entries)))
    length = data.draw(st.integers(1, len(entry.folded)))
    typed = entry.folded[:length]
    found = [item for item in items(demo, typed, 50) if item.kind == entry.kind]
    better = [item for item in found if normalise(item.text).startswith(normalise(typed))]
    # There may be more than fifty with the same beginning; then all of the kind shown begin so.
    assert entry.text in {item.text for item in found} or len(better) == len(found) >= 5, (typed, entry.text)


@pytest.mark.parametrize("typed", "abcdefghijklmnopqrstuvwxyz")
def test_a_lesser_way_never_comes_before_a_beginning(demo: SuggestIndex, typed: str) -> None:
    """Of each kind: all that begin so, or at least a tenth of what was asked for, and all of these begin so."""
    beginning: dict[str, set[str]] = {}
    for entry in demo.entries:
        if entry.folded.startswith(typed):
            beginning.setdefault(entry.kind, set()).add(entry.text)
    shown = items(demo, typed, 50)
    for kind, texts_of in beginning.items():
        found = {item.text for item in shown if item.kind == kind}
        assert texts_of <= found or (found <= texts_of and len(found) >= 5), kind


@given(st.text("abcdefg 连衣裙长袖", min_size=1, max_size=20))
@settings(deadline=None)
def test_every_beginning_of_a_popular_query_finds_it(text: str) -> None:
    query = " ".join(text.split())
    if not query:
        return
    alone = SuggestBuilder(SEGMENTER).build([], {}, {}, (), [(query, 1)])
    for length in range(1, min(len(query), MAX_TYPED) + 1):
        if query[:length].strip():
            assert texts(alone, query[:length]) == [query]
