"""What logged searches showed: the join of searches with impressions and clicks."""

from datetime import UTC, datetime, timedelta

from lingsou.core.types import SearchRequest, SearchResponse
from lingsou.events.behaviour import Behaviour
from lingsou.events.schema import Event
from lingsou.events.shown import ShownProduct, asked, frequency, shown


def search(behaviour: Behaviour, query_id: str, q: str, **more: object) -> None:
    request = SearchRequest.model_validate({"q": q, **more})
    behaviour.searches.record(
        request, SearchResponse(query_id=query_id, total=3, hits=(), page=request.page, page_size=20, took_ms=1.0)
    )


def event(query_id: str, action: str, id_: str, ordinal: int | None, seconds: int = 0) -> Event:
    time = datetime.now(UTC) - timedelta(minutes=5) + timedelta(seconds=seconds)
    return Event(
        action_name=action, time=time, query_id=query_id, object_id=id_, ordinal=ordinal, session_id=f"s{query_id}"
    )


def test_plain_searches_are_those_that_can_be_asked_again(behaviour: Behaviour) -> None:
    search(behaviour, "1", "Red Shoes")
    search(behaviour, "2", "red shoes")
    search(behaviour, "3", "red shoes", page=2)
    search(behaviour, "4", "red shoes", filters={"brand": "Orbit"})
    search(behaviour, "5", "call 13812345678")
    search(behaviour, "6", "")
    behaviour.searches.flush()
    assert asked(behaviour, 1) == {"1": "red shoes", "2": "red shoes"}
    assert frequency(behaviour, 1) == {"red shoes": 2}


def test_products_come_with_their_place_and_what_became_of_them(behaviour: Behaviour) -> None:
    behaviour.events.append(
        [
            event("1", "impression", "x", 1),
            event("1", "impression", "y", 2),
            event("1", "click", "y", 2, 10),
            event("2", "impression", "x", None),
            event("2", "click", "z", 4),
        ]
    )
    behaviour.events.append([event("3", "click", "x", 1)], bot=True)
    assert sorted(shown(behaviour, 1), key=lambda each: (each.query_id, each.place)) == [
        ShownProduct("1", "x", 1, clicked=False),
        ShownProduct("1", "y", 2, clicked=True),
        ShownProduct("2", "z", 4, clicked=True),
    ]
    assert shown(behaviour, 0.001) == [], "five minutes are longer ago"
