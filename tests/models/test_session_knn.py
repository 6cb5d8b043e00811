"""Session nearest neighbours: by hand, and against V-SKNN written with sets and loops."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.models.session_knn import VSKNN, SessionIndex, SessionKnnSettings, Sessions

PLAIN = SessionKnnSettings(
    neighbours=10, recent=10, position=None, after=None, before=None, age=None, length=0.0, shared_idf=0.0, item_idf=0.0
)
SESSIONS = [[0, 1, 2], [1, 2, 3], [4, 1], [2, 2, 5]]


def rows(sessions: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *map(len, sessions)])
    return starts, np.array([item for session in sessions for item in session], np.int64)


def past(sessions: list[list[int]], first: int = 0) -> Sessions:
    return Sessions(*rows(sessions), np.arange(first, first + len(sessions), dtype=float))


def ask(index: SessionIndex, query: list[int], how: SessionKnnSettings, now: float | None = None) -> dict[int, float]:
    found = index.vote(*rows([query]), how, now=now)
    return dict(zip(found.items.tolist(), found.scores.tolist(), strict=True))


INDEX = SessionIndex().extended(past(SESSIONS), 6)


def test_votes_of_all_sessions_with_the_last_item() -> None:
    # Item 1 is in the first three sessions, each of which votes with 1 for each of its clicks.
    assert ask(INDEX, [1], PLAIN) == {0: 1, 1: 3, 2: 2, 3: 1, 4: 1}


def test_earlier_items_weigh_by_their_place() -> None:
    # Of [1, 2] the item 1 weighs 1/2, the item 2 weighs 1: sessions 0 and 1 have both, 2 has 1, 3 has 2 twice.
    assert ask(INDEX, [1, 2], PLAIN) == {0: 1.5, 1: 3.5, 2: 5.0, 3: 1.5, 4: 0.5, 5: 1.0}


def test_of_an_item_clicked_twice_the_last_click_counts() -> None:
    # 2 stands last and weighs 1, not 1/3 more.
    assert ask(INDEX, [2, 4, 2], PLAIN) == pytest.approx(
        {0: 1, 1: 2 + 2 / 3, 2: 4, 3: 1, 4: 2 / 3, 5: 1},
    )


def test_the_most_similar_are_kept_and_of_equals_the_latest() -> None:
    one = SessionKnnSettings(**{**PLAIN.__dict__, "neighbours": 1})
    assert set(ask(INDEX, [1], one)) == {4, 1}
    assert set(ask(INDEX, [2, 1], one)) == {1, 2, 3}


def test_only_the_latest_sessions_of_an_item_are_looked_at() -> None:
    assert set(ask(INDEX, [1], SessionKnnSettings(**{**PLAIN.__dict__, "recent": 2}))) == {1, 2, 3, 4}


def test_decays_of_place_age_and_length() -> None:
    how = SessionKnnSettings(
        neighbours=10,
        recent=10,
        position=2.0,
        match=1.0,
        after=3.0,
        before=1.0,
        age=5.0,
        length=0.5,
        shared_idf=0.0,
        item_idf=0.0,
    )
    found = ask(SessionIndex().extended(past([[7, 3, 8, 9]]), 10), [3, 1], how, now=10.0)
    # One step before the last: exp(−1/2); its votes count 1/2; ten sessions old: exp(−2); four items: 1/2.
    vote = np.exp(-1 / 2) / 2 * np.exp(-2) / 2
    assert found == pytest.approx({7: vote * np.exp(-1), 3: vote, 8: vote * np.exp(-1 / 3), 9: vote * np.exp(-2 / 3)})


def test_rare_items_count_more() -> None:
    how = SessionKnnSettings(**{**PLAIN.__dict__, "shared_idf": 1.0, "item_idf": 1.0})
    found = ask(INDEX, [1], how)
    # Four sessions; 1 is in three of them, 0 in one.
    assert found[0] == pytest.approx(np.log(5 / 4) * np.log(5 / 2))
    assert found[1] == pytest.approx(3 * np.log(5 / 4) ** 2)


def test_the_latest_shared_item_decides_where_a_neighbour_is_near() -> None:
    how = SessionKnnSettings(**{**PLAIN.__dict__, "after": 1.0, "before": 1.0})
    found = ask(SessionIndex().extended(past([[1, 5, 6, 2]]), 7), [1, 2], how)
    # 2 is the last of the query: 5 is two steps before it in the neighbour, whose similarity is 1/2 + 1.
    assert found[5] == pytest.approx(1.5 * np.exp(-2))


def test_unknown_items_and_empty_sessions_say_nothing() -> None:
    found = INDEX.vote(*rows([[], [9], [1]]), PLAIN)
    assert set(found.queries.tolist()) == {2}
    assert not len(SessionIndex().vote(*rows([[1]]), PLAIN).items)
    assert not len(INDEX.vote(*rows([]), PLAIN).items)


def test_sessions_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match="not in order of time"):
        INDEX.extended(past([[1]], first=1), 6)


def loops(sessions: list[list[int]], query: list[int], neighbours: int, recent: int) -> dict[int, float]:
    """V-SKNN as the paper tells it, one session after the other."""
    last = {item: place for place, item in enumerate(query)}
    weight = {item: (place + 1) / len(query) for item, place in last.items()}
    looked: set[int] = set()
    for item in weight:
        looked |= set([number for number, session in enumerate(sessions) if item in session][-recent:])
    similarity: dict[int, tuple[Fraction, int]] = {}
    for number in looked:
        shared = {
            item
            for item in weight
            if item in sessions[number] and number in [n for n, s in enumerate(sessions) if item in s][-recent:]
        }
        total = sum((Fraction(place + 1, len(query)) for item, place in last.items() if item in shared), Fraction())
        similarity[number] = total, max(shared, key=lambda item: weight[item])
    near = sorted(similarity, key=lambda number: (-similarity[number][0], -number))[:neighbours]
    scores: dict[int, float] = {}
    for number in near:
        value, latest = similarity[number]
        steps = query[::-1].index(latest)
        for item in sessions[number]:
            scores[item] = scores.get(item, 0.0) + float(value) / (1 + steps)
    return scores


@settings(max_examples=80, deadline=None)
@given(
    sessions=st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=6), min_size=1, max_size=25),
    query=st.lists(st.integers(0, 7), min_size=1, max_size=5),
    neighbours=st.integers(1, 6),
    recent=st.integers(1, 6),
    parts=st.lists(st.integers(0, 25), max_size=4),
)
@example(sessions=[[1, 3], [0, 2, 3]], query=[2, 0, 0, 1, 3], neighbours=1, recent=2, parts=[])
def test_agrees_with_loops_however_the_sessions_came(
    sessions: list[list[int]], query: list[int], neighbours: int, recent: int, parts: list[int]
) -> None:
    how = SessionKnnSettings(**{**VSKNN.__dict__, "neighbours": neighbours, "recent": recent})
    index = SessionIndex()
    cuts = [0, *sorted(min(part, len(sessions)) for part in parts), len(sessions)]
    for low, high in pairwise(cuts):
        index = index.extended(past(sessions[low:high], first=low), 8)
    assert len(index) == len(sessions)
    assert ask(index, query, how) == pytest.approx(loops(sessions, query, neighbours, recent))


def test_queries_together_say_what_each_says_alone() -> None:
    queries = [[1, 2], [], [5], [3, 1, 1]]
    found = INDEX.vote(*rows(queries), SessionKnnSettings())
    for number, query in enumerate(queries):
        own = found.queries == number
        alone = INDEX.vote(*rows([query]), SessionKnnSettings())
        assert found.items[own].tolist() == alone.items.tolist()
        assert found.scores[own] == pytest.approx(alone.scores)


def test_added_sessions_keep_few_segments() -> None:
    index = SessionIndex()
    for number in range(64):
        index = index.extended(past([[number % 5, 1]], first=number), 5)
    assert len(index) == 64
    assert len(index._segments) <= 7
