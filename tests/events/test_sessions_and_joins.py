"""Sessions, robots, and from query to purchase; worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.events.bots import behaves_like_a_bot, is_bot_agent
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.events.joins import journeys
from lingsou.events.sessions import GAP_MS, cut_sessions

MINUTE = 60_000


def events(*rows: dict[str, object]) -> EventColumns:
    given = sorted(({"bot": False, **row} for row in rows), key=lambda row: row["time"])  # type: ignore[arg-type, return-value]
    return columns_of([[row.get(name) for name in COLUMNS] for row in given])


def test_a_pause_ends_a_session() -> None:
    time = np.array([0, 10, 10 + GAP_MS, 11 + 2 * GAP_MS, 5])
    assert cut_sessions(["a", "a", "a", "a", "b"], time).tolist() == [0, 0, 0, 2, 1]


def test_nobody_has_no_session() -> None:
    assert cut_sessions(["", "a", ""], np.array([1, 2, 3])).tolist() == [-1, 0, -1]
    assert cut_sessions([], np.array([], np.int64)).tolist() == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10 * GAP_MS)), max_size=30), st.randoms())
def test_sessions_do_not_depend_on_the_order_of_arrival(rows: list[tuple[str, int]], random) -> None:  # type: ignore[no-untyped-def]
    def partition(given: list[tuple[str, int]]) -> set[frozenset[tuple[str, int]]]:
        found = cut_sessions([who for who, _ in given], np.array([when for _, when in given], np.int64))
        return {frozenset(given[i] for i in np.flatnonzero(found == each)) for each in set(found.tolist())}

    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert partition(rows) == partition(shuffled)


def test_from_query_to_purchase() -> None:
    shown = [
        {"time": n, "action": "impression", "query_id": "q1", "session_id": "s", "object_id": p, "ordinal": n}
        for n, p in ((1, "a"), (2, "b"))
    ]
    found = journeys(
        events(
            *shown,
            {"time": 3, "action": "click", "query_id": "q1", "session_id": "s", "object_id": "b", "ordinal": 2},
            {"time": 4, "action": "detail", "session_id": "s", "object_id": "b"},
            {"time": 5, "action": "cart", "session_id": "s", "object_id": "b"},
            {"time": 6, "action": "cart", "session_id": "s", "object_id": "a"},  # never clicked: belongs to no query
            {"time": 7, "action": "click", "query_id": "q2", "session_id": "s", "object_id": "b", "ordinal": 9},
            {"time": 8, "action": "purchase", "session_id": "s", "object_id": "b", "quantity": 3},
            {"time": 9, "action": "purchase", "session_id": "other", "object_id": "b"},
        )
    )
    rows = {(q, p): place for place, (q, p) in enumerate(zip(found.query_id, found.object_id, strict=True))}
    assert set(rows) == {("q1", "a"), ("q1", "b"), ("q2", "b")}
    b1, b2 = rows["q1", "b"], rows["q2", "b"]
    assert (found.ordinal[b1], found.impressions[b1], found.clicks[b1], found.details[b1], found.carts[b1]) == (
        2,
        1,
        1,
        1,
        1,
    )
    assert (found.purchases[b1], found.purchases[b2]) == (0, 3), "the last click before it has the purchase"
    assert found.carts[rows["q1", "a"]] == 0
    assert found.time[b1] == 2


def test_a_purchase_in_the_next_session_is_not_the_clicks() -> None:
    found = journeys(
        events(
            {"time": 0, "action": "click", "query_id": "q", "session_id": "s", "object_id": "a"},
            {"time": GAP_MS + 1, "action": "purchase", "session_id": "s", "object_id": "a"},
        )
    )
    assert found.purchases.tolist() == [0]


def test_no_events() -> None:
    assert len(journeys(events())) == 0


@pytest.mark.parametrize(
    ("agent", "bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", True),
        ("curl/8.5.0", True),
        ("python-requests/2.32", True),
        ("", True),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.49", False),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT X70) Chrome/126.0 Mobile Safari/537.36", False),
    ],
)
def test_robots_by_name(agent: str, bot: bool) -> None:
    assert is_bot_agent(agent) is bot


def test_robots_by_behaviour() -> None:
    def visitor(name: str, count: int, pause: int, product: str = "") -> list[dict[str, object]]:
        return [
            {
                "time": n * pause + n % 7 * pause // 9,
                "action": "click",
                "session_id": name,
                "object_id": product or f"p{n}",
            }
            for n in range(count)
        ]

    steady = [{"time": n * MINUTE, "action": "click", "session_id": "steady", "object_id": f"p{n}"} for n in range(60)]
    columns = events(
        *visitor("fast", 70, 500), *visitor("same", 60, MINUTE, "p"), *steady, *visitor("human", 60, MINUTE)
    )
    found = behaves_like_a_bot(columns)
    assert set(columns.session_id[found]) == {"fast", "same", "steady"}
