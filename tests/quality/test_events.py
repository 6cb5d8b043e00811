"""The report over the event log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from lingsou.events.columns import EventColumns, columns_of
from lingsou.events.log import SqlEventLog
from lingsou.events.privacy import Privacy
from lingsou.events.schema import Event
from lingsou.events.tables import open_database
from lingsou.quality.events import event_report, latest_events, replayed, unseen

START = 1_700_000_000_000


def row(time: int, action: str, session: str | None = "s", product: str | None = "p", **more: Any) -> list[Any]:
    given = {"query_id": None, "user_id": None, "client_id": None, "ordinal": None, "bot": False} | more
    return [
        START + time, action, given["query_id"], given["user_id"], given["client_id"], session, product,
        given["ordinal"], None, None, None, given["bot"],
    ]  # fmt: skip


def healthy(number: int = 200) -> list[list[Any]]:
    """Each shopper looks, clicks, and one in two buys, a minute between."""
    rows = []
    for shopper in range(number // 4):
        session, first = f"s{shopper}", shopper * 600_000
        rows += [
            row(first, "impression", session, "p1", ordinal=1),
            row(first, "impression", session, "p2", ordinal=2),
            row(first + 60_000, "click", session, "p1"),
            row(first + 130_000, "purchase" if shopper % 2 else "detail", session, "p1"),
        ]
    return rows


def columns(rows: list[list[Any]]) -> EventColumns:
    return columns_of(sorted(rows, key=lambda each: each[0]))


def problems(rows: list[list[Any]], offset: Any = None) -> list[tuple[str, str]]:
    events = columns(rows)
    received = None if offset is None else events.time - offset
    return [(each.severity, each.problem) for each in event_report(events, received)]


def test_a_healthy_log_has_no_finding_and_a_short_one_is_not_judged() -> None:
    assert problems(healthy(), np.zeros(200, np.int64)) == []
    assert problems([row(0, "purchase", None)] * 99) == []
    assert problems([]) == []


def test_a_replay_is_the_same_within_milliseconds() -> None:
    rows = [
        row(0, "click"), row(40, "click"),
        row(1_000, "click"),  # a second click
        row(1_010, "click", product="q"), row(1_020, "click", "t"), row(1_030, "cart"),
        row(2_000, "impression", None), row(2_000, "impression", None),  # nobody: cannot be told apart
    ]  # fmt: skip
    assert replayed(columns(rows)).tolist() == [False, True, *[False] * 6]
    assert ("warning", "events that are sent twice") in problems([*healthy(), *healthy()[:10]])


def test_a_purchase_needs_an_earlier_view_by_session_client_or_user() -> None:
    rows = [
        row(0, "click", "s1", "p1", user_id="ann"),
        row(1, "purchase", "s1", "p1"),  # by session
        row(2, "purchase", "s2", "p1", user_id="ann"),  # by user
        row(3, "purchase", "s2", "p1"),
        row(4, "purchase", "s1", "p2"),
        row(5, "click", "s1", "p2"),  # too late
        row(6, "purchase", None, "p1"),
    ]
    assert unseen(columns(rows)).tolist() == [False, False, False, True, True, False, True]


def test_purchases_without_views_are_an_error_at_scale_only() -> None:
    lost = [row(10**9 + number * 60_000, "purchase", f"x{number}") for number in range(30)]
    assert problems([*healthy(), *lost[:5]]) == [("info", "purchases without any view before")]
    assert problems([*healthy(), *lost]) == [("error", "purchases without any view before")]


def test_clocks_are_held_against_the_arrival() -> None:
    offset = np.zeros(200, np.int64)
    offset[:20] = 3_600_000
    offset[20:60] = -3 * 86_400_000
    assert problems(healthy(), offset) == [
        ("warning", "clocks ahead of the time of arrival"),
        ("info", "events that arrive a day late"),
    ]


def test_machines_robots_and_nobody() -> None:
    fast = [row(10**9 + number * 100, "click", "fast", f"p{number}") for number in range(100)]
    robots = [row(2 * 10**9, "click", "robot", bot=True)]
    nobody = [row(3 * 10**9 + number, "click", None) for number in range(5)]
    assert problems([*healthy(), *fast, *robots, *nobody]) == [
        ("warning", "events of nobody"),
        ("warning", "visitors who behave like machines"),
        ("info", "events of what called itself a robot"),
    ]


def test_the_latest_events_come_with_their_arrival(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'events.db'}")
    log = SqlEventLog(database, Privacy(b"k" * 32))
    now = datetime.now(UTC)
    log.append(
        [
            Event(action_name="click", time=now - timedelta(minutes=minutes), session_id="s", object_id=f"p{minutes}")
            for minutes in (1, 9, 5)
        ]
    )
    arrived = latest_events(database)
    assert arrived.events.object_id.tolist() == ["p9", "p5", "p1"]
    assert (arrived.received - arrived.events.time >= 60_000 - 1).all()
    assert len(latest_events(database, most=2).events) == 2
    log.close()
