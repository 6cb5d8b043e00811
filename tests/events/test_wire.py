"""The nested form: both ways, with errors that name the place, and within bounds."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.events.schema import Event
from lingsou.events.wire import from_wire, to_wire

CLICK: dict[str, Any] = {
    "application": "shop",
    "action_name": "click",
    "query_id": "a21ae18d2f0c4af7bb02c40afe0dcc40",
    "session_id": "s",
    "client_id": "c",
    "timestamp": "2026-03-01T12:00:00.000Z",
    "event_attributes": {"object": {"object_id": "p1", "object_id_field": "id"}, "position": {"ordinal": 3}},
}
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
short = st.none() | text.map(str.strip).filter(bool)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text
unknown = st.dictionaries(
    text.filter(
        lambda key: (
            key not in {"object", "position", "rating", "quantity", "price", "user_id", "client_id", "session_id"}
        )
    ),
    plain | st.lists(plain, max_size=3) | st.dictionaries(text, plain, max_size=3),
    max_size=3,
)


def test_a_click_by_hand() -> None:
    event = from_wire(CLICK)
    assert (event.action, event.object_id, event.ordinal) == ("click", "p1", 3)
    assert event.time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert event.attributes == {}
    assert to_wire(event) == CLICK


@given(
    st.builds(
        Event,
        event_id=short, application=short, query_id=short, user_id=short, client_id=short, session_id=short,
        object_id=text.map(str.strip).filter(bool), object_id_field=short, message_type=short,
        message=st.none() | text.map(str.strip).filter(bool),
        action_name=st.sampled_from(["click", "Add To Cart", "watch", "purchase", "review", "我的"]),
        ordinal=st.none() | st.integers(0, 1000), rating=st.none() | st.floats(0, 5),
        quantity=st.none() | st.integers(0, 9),
        price=st.none() | st.floats(0, 1e6), attributes=unknown,
        time=st.datetimes(datetime(2001, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    )
)  # fmt: skip
def test_every_event_comes_back_from_the_wire(event: Event) -> None:
    assert from_wire(to_wire(event)) == event


@given(
    st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=4), max_leaves=12
    )
)
def test_anything_is_an_event_or_a_clear_error(value: Any) -> None:
    named: list[str] = []
    for row in (
        value,
        {**CLICK, "event_attributes": value},
        {**CLICK, "timestamp": value},
        {**CLICK, "user_id": value},
    ):
        try:
            from_wire(row)
        except InputError as error:
            named.append(error.message)
    assert all(named)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"action_name": None}, "action_name", "required"),
        ({"timestamp": "yesterday"}, "timestamp", "valid datetime"),
        ({"timestamp": "1999-12-31T23:59:59Z"}, "timestamp", "before the year 2000"),
        ({"timestamp": (datetime.now(UTC) + timedelta(days=2)).isoformat()}, "timestamp", "future"),
        ({"query_id": "q" * 101}, "query_id", "at most 100"),
        ({"user_id": "a\0b"}, "user_id", "NUL"),
        ({"event_attributes": []}, "event_attributes", "not an object"),
        ({"event_attributes": {"object": "p1"}}, "event_attributes.object", "not an object"),
        (
            {"event_attributes": {"position": {"ordinal": "third"}}},
            "event_attributes.position.ordinal",
            "valid integer",
        ),
        ({"event_attributes": {"rating": 6}}, "event_attributes.rating", "less than or equal to 5"),
        ({"event_attributes": {"a": "x" * 5_000}}, "event_attributes", "4096 are allowed"),
        ({"event_attributes": {"a": {"b": {"c": {"d": {"e": {}}}}}}}, "event_attributes", "nested"),
        ({"action_name": "purchase", "event_attributes": {}}, None, "object_id"),
        ({"action_name": "rating"}, None, "event_attributes.rating"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], field: str | None, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        from_wire({**CLICK, **change})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("click_through", "click"),
        ("ADD_TO_CART", "cart"),
        ("add-to-cart", "cart"),
        ("view", "impression"),
        ("watch", "other"),
    ],
)
def test_names_of_other_collectors(name: str, action: str) -> None:
    assert from_wire({**CLICK, "action_name": name}).action == action


def test_collectors_of_older_versions_work() -> None:
    old = {
        "action_name": "click",
        "timestamp": 1_772_366_400_000,
        "page_id": "/search",
        "event_attributes": {"user_id": "u1", "session_id": 7, "object": {"object_id": 42, "description": "cup"}},
    }
    event = from_wire(old)
    assert (event.user_id, event.session_id, event.object_id) == ("u1", "7", "42")
    assert event.attributes == {"page_id": "/search", "object": {"description": "cup"}}


def test_the_documented_event_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    shown = json.loads(page.partition("<!-- event -->\n```json\n")[2].partition("```")[0])
    assert to_wire(from_wire(shown)) == shown
