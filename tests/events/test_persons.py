"""One shopper's data: shown whole, erased down to the bytes."""

from pathlib import Path

import pytest

from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.types import Context, SearchRequest
from lingsou.events import persons
from lingsou.events.behaviour import Behaviour, open_behaviour
from lingsou.testing.events import ALL, click

from .test_searches import response


def live(behaviour: Behaviour) -> None:
    """Anna, who searches and buys, first without having logged in; and Bob in between."""
    for n in range(200):
        behaviour.events.append([click(n, user_id="bob", session_id="b", message=f"bob {n}", event_id=f"bob{n}")])
    behaviour.events.append(
        [click(1_000, session_id="anna-s", client_id="anna-c", query_id="anna-q", message="annas-wish")]
    )
    behaviour.events.append([click(1_001, client_id="anna-c", session_id="anna-2", message="annas-other-session")])
    behaviour.events.append([click(1_002, user_id="anna", session_id="anna-s", client_id="anna-c", query_id="anna-q2")])
    for query, context in (
        ("annas words", Context(user_id="anna", session_id="anna-s")),
        ("annas anonymous words", Context(session_id="anna-s")),
        ("bobs words", Context(user_id="bob")),
    ):
        behaviour.searches.record(SearchRequest(q=query, context=context), response())
    behaviour.searches.record(SearchRequest(q="annas linked words"), response("anna-q2"))
    behaviour.searches.flush()


def traces(behaviour: Behaviour) -> list[bytes]:
    people = [behaviour.privacy.pseudonym(name) for name in ("anna", "anna-s", "anna-c", "anna-2")]
    return [each.encode() for each in (*people, "anna", "annas-wish", "anna-q")]


def in_files(root: Path, trace: bytes) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file() and trace in path.read_bytes()]


def test_all_of_a_shopper_is_shown(behaviour: Behaviour) -> None:
    live(behaviour)
    found = persons.of_person(behaviour.database, behaviour.privacy, "anna")
    assert [event["event_attributes"]["object"]["object_id"] for event in found["events"]] == [
        "p1000",
        "p1001",
        "p1002",
    ]
    assert {row["text"] for row in found["searches"]} == {"annas words", "annas anonymous words", "annas linked words"}
    assert persons.of_person(behaviour.database, behaviour.privacy, "nobody") == {"events": [], "searches": []}


def test_erase_leaves_others_alone(behaviour: Behaviour) -> None:
    live(behaviour)
    erased = persons.erase(behaviour.database, behaviour.privacy, "anna")
    assert (erased.events, erased.searches) == (3, 3)
    assert persons.of_person(behaviour.database, behaviour.privacy, "anna") == {"events": [], "searches": []}
    assert len(behaviour.events.read(ALL)) == 200
    assert behaviour.searches.recent("bob", 5) == ["bobs words"]
    again = persons.erase(behaviour.database, behaviour.privacy, "anna")
    assert (again.events, again.searches) == (0, 0)


def test_somebody_without_a_login_can_be_erased_by_client_id(behaviour: Behaviour) -> None:
    behaviour.events.append([click(1, client_id="cookie"), click(2, client_id="other")])
    assert persons.erase(behaviour.database, behaviour.privacy, "cookie").events == 1
    assert list(behaviour.events.read(ALL).object_id) == ["p2"]


@pytest.mark.parametrize("others_open", [False, True])
def test_no_byte_of_a_shopper_is_left_in_any_file(folder: DataFolder, others_open: bool) -> None:
    settings = load_settings(folder)
    with open_behaviour(folder, settings) as behaviour:
        live(behaviour)
        marks = traces(behaviour)
        stored = [mark for mark in marks if in_files(folder.root, mark)]
        assert len(stored) >= 6, "the test can see what it looks for"
        if others_open:
            with open_behaviour(folder, settings) as another:
                assert another.searches.recent("bob", 1)
                persons.erase(another.database, another.privacy, "anna")
        else:
            persons.erase(behaviour.database, behaviour.privacy, "anna")
        assert {mark: in_files(folder.root, mark) for mark in marks} == {mark: [] for mark in marks}
    assert {mark: in_files(folder.root, mark) for mark in marks} == {mark: [] for mark in marks}
