"""The filter grammar: parsing, its errors, and the CLI's form of it."""

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import RequestError
from lingsou.retrieval.filters import (
    AllOf,
    AnyOf,
    Exists,
    FieldKind,
    Not,
    Range,
    Terms,
    parse_filter_arguments,
    parse_filters,
)

FIELDS: dict[str, FieldKind] = {
    "brand": "keyword",
    "price": "number",
    "created_at": "time",
    "attributes.size": "both",
}


def one(raw: dict[str, Any]) -> Any:
    (child,) = parse_filters(raw, FIELDS).children
    return child


def test_values_and_lists_are_any_of() -> None:
    assert one({"brand": "HP"}) == Terms("brand", ("HP",), ())
    assert one({"brand": ["HP", "Dell"]}) == Terms("brand", ("HP", "Dell"), ())
    assert one({"brand": [True, 5, 5.5]}) == Terms("brand", ("true", "5", "5.5"), ())
    assert one({"price": [1, "2"]}) == Terms("price", (), (1.0, 2.0))
    assert one({"attributes.size": ["42", "L", 43]}) == Terms("attributes.size", ("42", "L"), (42.0, 43.0))


def test_ranges_know_open_and_closed_bounds() -> None:
    assert one({"price": {"gte": 50, "lt": 100}}) == Range("price", 50, 100, high_open=True)
    assert one({"price": {"gt": "50"}}) == Range("price", 50, math.inf, low_open=True)
    assert one({"created_at": {"gte": "1970-01-01T00:01:00Z"}}) == Range("created_at", low=60)
    assert one({"created_at": {"gte": "1970-01-01T00:01:00"}}) == Range("created_at", low=60), "naive times are UTC"


def test_not_exists_and_any() -> None:
    assert one({"brand": {"not": ["HP"]}}) == Not(Terms("brand", ("HP",), ()))
    assert one({"brand": {"exists": True}}) == Exists("brand")
    assert one({"brand": {"exists": False}}) == Not(Exists("brand"))
    either = one({"any": [{"brand": "HP"}, {"price": {"lt": 5}}]})
    assert either == AnyOf((AllOf((Terms("brand", ("HP",), ()),)), AllOf((Range("price", high=5, high_open=True),))))
    assert one({"not": {"brand": "HP"}}) == Not(AllOf((Terms("brand", ("HP",), ()),)))


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"brnd": "HP"}, "Did you mean brand"),
        ({"brand": {"gte": 1}}, "no order"),
        ({"price": "cheap"}, "not a number"),
        ({"price": {"gte": "1e999"}}, "not a finite number"),
        ({"price": {"gte": float("nan")}}, "not a finite number"),
        ({"price": 10**400}, "not a finite number"),
        ({"price": {"gt": 1, "gte": 2}}, "same side"),
        ({"price": {}}, "says nothing"),
        ({"price": {"around": 5}}, "no filter operator 'around'"),
        ({"brand": None}, "null"),
        ({"brand": [["HP"]]}, "cannot be a filter value"),
        ({"brand": {"exists": "yes"}}, "true or false"),
        ({"any": []}, "at least one"),
        ({"any": "brand"}, "at least one"),
        ({"any": ["brand"]}, "is an object"),
        ({"created_at": {"gte": "yesterday"}}, "not a time"),
        ({"brand": ["x"] * 1001}, "more than 1000"),
    ],
)
def test_errors_name_the_field_and_the_cure(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError, match=says) as caught:
        parse_filters(raw, FIELDS)
    assert caught.value.cure


def test_nesting_is_bounded() -> None:
    raw: dict[str, Any] = {"brand": "HP"}
    for _ in range(20):
        raw = {"not": raw}
    with pytest.raises(RequestError, match="nested deeper"):
        parse_filters(raw, FIELDS)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["brand=HP|Dell"], {"brand": ["HP", "Dell"]}),
        (["price=50..100"], {"price": {"gte": 50, "lte": 100}}),
        (["price=..100"], {"price": {"lte": 100}}),
        (["price=50.."], {"price": {"gte": 50}}),
        (["brand!=HP"], {"brand": {"not": ["HP"]}}),
        (["ean=*"], {"ean": {"exists": True}}),
        (["ean!=*"], {"ean": {"exists": False}}),
        (["brand=a=b"], {"brand": ["a=b"]}),
        (["brand=Dr..No"], {"brand": ["Dr..No"]}),
        (["price=50..", "price!=60"], {"price": {"gte": 50, "not": ["60"]}}),
    ],
)
def test_the_cli_form(arguments: list[str], expected: dict[str, Any]) -> None:
    assert parse_filter_arguments(arguments) == expected


@pytest.mark.parametrize("arguments", [["brand"], ["=x"], ["brand="], ["brand=a", "brand=b"], ["price=1..", "price=5"]])
def test_the_cli_form_refuses_what_it_cannot_read(arguments: list[str]) -> None:
    with pytest.raises(RequestError):
        parse_filter_arguments(arguments)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, "any", "not", "gte", "lt", "exists", "zzz"]), children, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "any", "not", "zzz"]), JSON, max_size=4))
def test_any_json_is_a_filter_or_a_clear_error(raw: dict[str, Any]) -> None:
    with contextlib.suppress(RequestError):
        parse_filters(raw, FIELDS)


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_arguments_are_a_filter_or_a_clear_error(arguments: list[str]) -> None:
    with contextlib.suppress(RequestError):
        parse_filter_arguments(arguments)
