"""The address is the state: it survives a round trip, and nonsense in it is left out."""

from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from lingsou.console.browsing import SORTS, Browse
from lingsou.console.paging import pages_of

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
amounts = st.none() | st.decimals(0, 10**9, places=2)
browses = st.builds(
    Browse,
    q=words.map(str.strip) | st.just(""),
    chosen=st.lists(
        st.tuples(st.sampled_from(["brand", "category", "attributes.colour"]), words), unique=True, max_size=4
    ).map(tuple),
    low=amounts,
    high=amounts,
    in_stock=st.booleans(),
    sort=st.sampled_from(SORTS),
    page=st.integers(1, 9_999),
    literal=st.booleans(),
    as_spelt=st.booleans(),
)


@given(browses)
def test_an_address_leads_back_to_its_view(browse: Browse) -> None:
    assert Browse.of(QueryParams(urlsplit(browse.url).query)) == browse


@pytest.mark.parametrize(
    "address",
    [
        "page=0&sort=best&min=abc&max=-5&in_stock=yes&literal=on",
        "page=-1&min=NaN&max=Infinity",
        "page=99999999999999999999&min=1e400",
        "page=²&min=&max=1e13",
        "stock=1&price=3&id=x&q=",
    ],
)
def test_nonsense_is_left_out(address: str) -> None:
    assert Browse.of(QueryParams(address)) == Browse()


def test_filters_are_those_of_the_api() -> None:
    browse = Browse.of(QueryParams("q=x&brand=A&brand=B&attributes.colour=red&min=10&max=20.5&in_stock=1"))
    assert browse.filters() == {
        "brand": ["A", "B"],
        "attributes.colour": ["red"],
        "price": {"gte": 10.0, "lte": 20.5},
        "not": {"stock": {"lte": 0}},
    }
    assert "brand" not in browse.filters(without="brand")
    assert "price" not in browse.filters(without="price")
    assert browse.fields() == ("brand", "attributes.colour", "price")


def test_a_change_starts_again_on_the_first_page() -> None:
    browse = Browse(q="x", page=3)
    assert browse.with_value("brand", "A").page == 1
    assert browse.with_value("category", "A").with_value("category", "B").chosen == (("category", "B"),)
    assert browse.with_value("brand", "A").without_value("brand", "A") == Browse(q="x")
    assert Browse(q="x", chosen=(("brand", "A"),), low=Decimal(1), in_stock=True).unfiltered() == Browse(q="x")
    assert not Browse(q="x").filtered


def test_long_queries_are_cut() -> None:
    assert len(Browse.of(QueryParams({"q": "x" * 2_000})).q) == 512


@pytest.mark.parametrize(
    ("page", "total", "shown"),
    [
        (1, 24, []),
        (1, 25, [1, 2]),
        (1, 24 * 9, [1, 2, 3, None, 9]),
        (5, 24 * 9, [1, None, 3, 4, 5, 6, 7, None, 9]),
        (9, 24 * 9, [1, None, 7, 8, 9]),
        (40, 24 * 3, [1, None, 3]),
    ],
)
def test_pages(page: int, total: int, shown: list[int | None]) -> None:
    pages = pages_of(Browse(q="x", page=page), total)
    assert [each[0] if each else None for each in pages.numbers] == shown
    assert (pages.previous is not None) == (1 < page <= -(-total // 24))
    assert (pages.next is not None) == (page < -(-total // 24))
    assert all(dict(parse_qsl(urlsplit(each[1]).query))["q"] == "x" for each in pages.numbers if each)
