"""The search log and what is counted from it."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from lingsou.core.types import Context, SearchRequest, SearchResponse
from lingsou.events import analytics
from lingsou.events.behaviour import Behaviour
from lingsou.events.searches import SearchLog, field_names
from lingsou.events.tables import searches
from lingsou.testing.events import click

NOW = round(time.time() * 1_000)
DAY = 86_400_000


def response(query_id: str = "q", total: int = 3, **more: Any) -> SearchResponse:
    return SearchResponse(query_id=query_id, total=total, hits=(), page=1, page_size=20, took_ms=4.5, **more)


def stored(behaviour: Behaviour) -> list[Any]:
    behaviour.searches.flush()
    with behaviour.database.read() as connection:
        return list(connection.execute(select(searches).order_by(searches.c.number)).mappings())


def test_a_search_is_stored_masked_and_normalised(behaviour: Behaviour) -> None:
    request = SearchRequest(
        q="藍色Ｔ恤 打13800138000",
        filters={"price": {"lte": 100}, "any": [{"brand": "HP"}, {"not": {"stock": 0}}]},
        page=2,
        context=Context(user_id="anna", session_id="s1", device="phone", locale="zh-CN", page="/secret"),
    )
    behaviour.searches.record(request, response(notices=("relaxed",), total=0))
    (row,) = stored(behaviour)
    assert (row["text"], row["language"], row["filters"]) == ("蓝色t恤 打[phone]", "zh", "brand price stock")
    assert (row["query_id"], row["total"], row["took_ms"], row["page"], row["relaxed"]) == ("q", 0, 4.5, 2, True)
    assert row["user_id"] == behaviour.privacy.pseudonym("anna")
    assert row["session_id"] == behaviour.privacy.pseudonym("s1")
    assert abs(row["time"] - time.time() * 1_000) < 600_000
    assert "secret" not in str(dict(row))


def test_without_consent_the_shopper_is_not_stored(behaviour: Behaviour) -> None:
    behaviour.searches.record(SearchRequest(q="x", context=Context(user_id="anna", personalise=False)), response())
    assert stored(behaviour)[0]["user_id"] is None


def test_a_full_queue_drops_and_counts_but_never_waits(behaviour: Behaviour) -> None:
    log, lost = SearchLog(behaviour.database, behaviour.privacy, capacity=10), list[int]()
    log.on_drop = lost.append
    with log._idle:  # the writer cannot write
        start = time.perf_counter()
        for _ in range(2_000):
            log.record(SearchRequest(q="x"), response())
        assert time.perf_counter() - start < 2
    log.close()
    assert sum(lost) == 2_000 - 10
    assert len(stored(behaviour)) == 10


def test_a_broken_database_loses_searches_but_never_a_request(behaviour: Behaviour) -> None:
    lost = list[int]()
    behaviour.searches.on_drop = lost.append
    with behaviour.database.write() as connection:
        searches.drop(connection)
    behaviour.searches.record(SearchRequest(q="x"), response())
    behaviour.searches.flush()
    assert lost == [1]
    with behaviour.database.write() as connection:
        searches.create(connection)


def test_many_threads_and_close_lose_nothing(behaviour: Behaviour) -> None:
    log = SearchLog(behaviour.database, behaviour.privacy)

    def ask() -> None:
        for n in range(300):
            log.record(SearchRequest(q=f"w{n}"), response())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len(stored(behaviour)) == 1_200


def fill(behaviour: Behaviour, *rows: dict[str, Any]) -> None:
    base = {
        "time": NOW - 1_000, "language": "en", "total": 5, "took_ms": 2.0, "page": 1, "filters": "", "relaxed": False,
        "user_id": None, "session_id": None, "device": None, "locale": None,
    }  # fmt: skip
    with behaviour.database.write() as connection:
        connection.execute(insert(searches), [{**base, "query_id": f"q{n}", **row} for n, row in enumerate(rows)])


def test_popular_needs_several_visitors_and_nothing_masked(behaviour: Behaviour) -> None:
    fill(
        behaviour,
        *({"text": "mouse"} for _ in range(4)),
        *({"text": "mine", "session_id": "s"} for _ in range(9)),
        *({"text": "call [phone]"} for _ in range(9)),
        *({"text": "nothing", "total": 0} for _ in range(9)),
        *({"text": "old", "time": NOW - 40 * DAY} for _ in range(9)),
        *({"text": "toner"} for _ in range(3)),
    )
    assert behaviour.searches.popular(30, 10) == [("mouse", 4), ("toner", 3)]
    assert behaviour.searches.popular(30, 1) == [("mouse", 4)]


def test_recent_are_the_shoppers_own_newest_first(behaviour: Behaviour) -> None:
    anna = behaviour.privacy.pseudonym("anna")
    texts = ["a", "b", "a", "tel [phone]", "c"]
    fill(
        behaviour,
        *({"text": text, "user_id": anna, "time": NOW + n} for n, text in enumerate(texts)),
        {"text": "bob's"},
    )
    assert behaviour.searches.recent("anna", 2) == ["c", "a"]
    assert behaviour.searches.recent("nobody", 5) == []


def test_top_and_zero(behaviour: Behaviour) -> None:
    fill(
        behaviour,
        *({"text": "mouse", "session_id": f"s{n % 2}"} for n in range(4)),
        {"text": "mouse", "page": 2},
        *({"text": "unicorn", "total": 0} for _ in range(3)),
        {"text": "mouse", "total": 1, "relaxed": True},
        {"text": "", "total": 0},
    )
    assert [row.model_dump() for row in analytics.top(behaviour.database)] == [
        {"text": "mouse", "searches": 5, "visitors": 3, "mean_total": 4.2},
        {"text": "unicorn", "searches": 3, "visitors": 3, "mean_total": 0.0},
    ]
    assert [row.model_dump() for row in analytics.zero(behaviour.database)] == [
        {"text": "unicorn", "searches": 3, "zero": 3, "relaxed": 0},
        {"text": "mouse", "searches": 5, "zero": 0, "relaxed": 1},
    ]


def test_rising_needs_more_than_chance(behaviour: Behaviour) -> None:
    week, before = NOW - DAY, NOW - 10 * DAY
    fill(
        behaviour,
        *({"text": "steady", "time": moment} for moment in (week, before) for _ in range(100)),
        *({"text": "rising", "time": week} for _ in range(30)),
        *({"text": "rising", "time": before} for _ in range(2)),
        *({"text": "luck", "time": week} for _ in range(6)),
        *({"text": "luck", "time": before} for _ in range(4)),
        *({"text": "falling", "time": before} for _ in range(30)),
    )
    (row,) = analytics.rising(behaviour.database)
    assert (row.text, row.searches, row.before) == ("rising", 30, 2)
    assert row.z > 3
    assert row.growth == pytest.approx(31 / 137 / (3 / 137), abs=0.005)


def test_low_click_joins_clicks_and_has_an_interval(behaviour: Behaviour) -> None:
    fill(
        behaviour,
        *({"text": "ignored", "query_id": f"i{n}"} for n in range(40)),
        *({"text": "liked", "query_id": f"l{n}"} for n in range(40)),
        *({"text": "rare", "query_id": f"r{n}"} for n in range(9)),
    )
    clicks = [click(n, query_id=f"l{n}") for n in range(30)] + [click(99, query_id="l0"), click(98, query_id="i0")]
    behaviour.events.append(clicks)
    behaviour.events.append([click(200 + n, query_id=f"i{n}") for n in range(9)], bot=True)
    worst, best = analytics.low_click(behaviour.database)
    assert (worst.text, worst.searches, worst.clicked, worst.rate) == ("ignored", 40, 1, 0.025)
    assert (best.text, best.clicked, best.rate) == ("liked", 30, 0.75)
    assert worst.low < worst.rate < worst.high < best.low
    assert analytics.wilson(1, 40) == pytest.approx((0.0044, 0.1288), abs=1e-4)


def test_latency_by_day(behaviour: Behaviour) -> None:
    fill(
        behaviour, *({"text": "x", "time": NOW - n * DAY, "took_ms": float(ms)} for n in (0, 2) for ms in range(1, 102))
    )
    newest, older = analytics.latency(behaviour.database)
    assert newest.day == datetime.fromtimestamp(NOW / 1_000, UTC).date().isoformat()
    assert (newest.searches, newest.p50_ms, newest.p95_ms, newest.p99_ms) == (101, 51.0, 96.0, 100.0)
    assert older.day < newest.day


def test_volume_by_day(behaviour: Behaviour) -> None:
    fill(
        behaviour,
        *({"text": "x", "query_id": f"x{n}", "session_id": "s"} for n in range(4)),
        {"text": "none", "query_id": "n", "total": 0},
        {"text": "x", "page": 2},
        {"text": "x", "time": NOW - 2 * DAY},
    )
    behaviour.events.append([click(0, query_id="x0"), click(1, query_id="x0"), click(2, query_id="x1")])
    newest, older = analytics.volume(behaviour.database)
    assert newest.day == datetime.fromtimestamp(NOW / 1_000, UTC).date().isoformat()
    assert (newest.searches, newest.zero, newest.clicked, newest.visitors) == (5, 1, 2, 2)
    assert (older.searches, older.zero, older.clicked, older.visitors) == (1, 0, 0, 1)
    assert len(analytics.volume(behaviour.database, limit=1)) == 1


def test_reports_of_one_language(behaviour: Behaviour) -> None:
    fill(
        behaviour,
        *({"text": "鼠标", "language": "zh", "query_id": f"z{n}", "total": n % 2} for n in range(20)),
        *({"text": "mouse", "language": "en", "query_id": f"e{n}", "total": n % 2} for n in range(20)),
        *({"text": text, "language": "en", "time": NOW - 10 * DAY} for text in ("old",) * 40),
    )
    for report in (analytics.top, analytics.zero, analytics.low_click, analytics.rising):
        rows: list[Any] = report(behaviour.database, days=7, language="en")
        assert {row.text for row in rows} <= {"mouse"}, report
    assert [row.text for row in analytics.zero(behaviour.database, language="zh")] == ["鼠标"]
    assert [row.searches for row in analytics.volume(behaviour.database, days=7, language="zh")] == [20]
    assert [row.searches for row in analytics.latency(behaviour.database, days=7, language="zh")] == [20]


def test_an_empty_log_reports_nothing(behaviour: Behaviour) -> None:
    for report in (analytics.top, analytics.rising, analytics.zero, analytics.low_click, analytics.volume):
        assert report(behaviour.database) == []
    assert analytics.to_csv([]) == ""


def test_csv_runs_no_formula() -> None:
    row = analytics.ZeroQuery(text='=cmd|"x",1', searches=2, zero=1, relaxed=0)
    assert analytics.to_csv([row]) == 'text,searches,zero,relaxed\n"\'=cmd|""x"",1",2,1,0\n'


def test_old_searches_go(behaviour: Behaviour) -> None:
    fill(behaviour, {"text": "old", "time": NOW - 10 * DAY}, {"text": "new"})
    assert behaviour.searches.expire(datetime.now(UTC) - timedelta(days=5)) == 1
    assert [row["text"] for row in stored(behaviour)] == ["new"]


def test_names_of_filtered_fields() -> None:
    assert field_names({"not": {"brand": "x"}, "any": [{"price": {"gt": 1}}], "attributes.colour": "red"}) == [
        "attributes.colour",
        "brand",
        "price",
    ]
