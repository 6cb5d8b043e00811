"""What mining reads of a real log: searches by visitor, what they led to, and no robots."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from lingsou.core.settings import SETTINGS_FILE, DataFolder, load_settings
from lingsou.core.types import Context, SearchRequest, SearchResponse
from lingsou.events.behaviour import open_behaviour
from lingsou.events.schema import Event
from lingsou.text.segment import Segmenter
from lingsou.training.expansions import mine
from lingsou.training.expansions.log import read_searches

NOW = datetime.now(UTC) - timedelta(minutes=1)


def response(query_id: str, total: int) -> SearchResponse:
    return SearchResponse(query_id=query_id, total=total, hits=(), page=1, page_size=20, took_ms=1)


def test_a_search_that_found_nothing_and_the_one_after_it_make_a_name(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("", encoding="utf-8")
    folder = DataFolder(tmp_path)
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        for n in range(30):
            first, second = ("Davenport", "settee") if n < 5 else (f"thing {n * 'z'}", f"item {n * 'z'}")
            context = Context(session_id=f"s{n}")
            behaviour.searches.record(SearchRequest(q=first, context=context), response(f"a{n}", 0))
            behaviour.searches.record(SearchRequest(q=second, context=context), response(f"b{n}", 3))
            clicked = {"query_id": f"b{n}", "session_id": f"s{n}", "object_id": "p", "ordinal": 1}
            behaviour.events.append([Event.model_validate({"action_name": "click", "time": NOW, **clicked})])
        behaviour.searches.record(SearchRequest(q="davenport", page=2), response("later page", 0))
        behaviour.events.append(
            [Event(action_name="click", time=NOW, query_id="b1", object_id="q", client_id="robot")], bot=True
        )
        asked, clicks = read_searches(behaviour, 2)
        assert len(asked.query_id) == 60
        assert len(set(asked.visitor)) == 30
        assert len(clicks) == 30
        assert {query for query, _, _ in clicks} == {f"b{n}" for n in range(30)}
        found = mine([], Segmenter(), asked=asked, clicks=clicks)
    names = {(each.phrase, each.name): (each.source, each.evidence) for each in found.names}
    assert names == {("davenport", "settee"): ("searches", 5)}
