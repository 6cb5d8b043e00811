"""Aggregates equal a recomputation from the events before the moment, and never see later ones."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.features.aggregates import Aggregates, Moment, query_key, rank_column, replay
from lingsou.features.decay import DecayedCounts
from lingsou.features.events_view import COUNTED, DAYS, RANKS, WORTH, EventView, Floats
from lingsou.features.trails import LONGEST
from lingsou.models.click_models import power_law

DAY = 86_400_000
START = 1_767_225_600_000
PRODUCTS = {
    "a": Product(id="a", title="A", brand="Kestrel", category=("Shoes", "Running"), price=50),
    "b": Product(id="b", title="B", brand="Norr", category=("Shoes", "Hiking"), price=200),
}
Row = dict[str, Any]


def lookup(ids: Sequence[str]) -> dict[str, Product]:
    return {id_: PRODUCTS[id_] for id_ in ids if id_ in PRODUCTS}


def columns(rows: Sequence[Row]) -> EventColumns:
    ordered = sorted(({"bot": False, **row} for row in rows), key=lambda row: row["time"])
    return columns_of([[row.get(name) for name in COLUMNS] for row in ordered])


def brute(rows: Sequence[Row], texts: dict[str, str], moment: Moment, theta: Floats) -> dict[str, Any]:
    """The same from scratch, event by event, only of events before the moment."""
    past = [row for row in sorted(rows, key=lambda row: row["time"]) if row["time"] < moment.time and not row["bot"]]
    ids, key = list(moment.ids), query_key(moment.query)
    counts = np.zeros((len(ids), len(COUNTED), len(DAYS)))
    searched, paired = np.zeros((2, len(ids), RANKS)), np.zeros((2, len(ids), RANKS))
    looks = clicks = clicked = bought = 0.0
    trail = []
    for row in past:
        age = (moment.time - int(row["time"])) / DAY
        action, id_, month = row["action"], row["object_id"], math.exp(-age / 30)
        clicked += month * (action == "click")
        bought += month * (action == "purchase")
        if action in COUNTED and id_ in ids:
            counts[ids.index(id_), COUNTED.index(action)] += [math.exp(-age / days) for days in DAYS]
        if action in ("impression", "click") and row["query_id"] and row["ordinal"]:
            kind, place = int(action == "click"), rank_column(row["ordinal"])
            looks += (1 - kind) * month * theta[place]
            clicks += kind * month
            if id_ in ids:
                searched[kind, ids.index(id_), place] += month
                if query_key(texts.get(row["query_id"], "?")) == key:
                    paired[kind, ids.index(id_), place] += month
        person = ("u", row["user_id"]) if row["user_id"] else ("s", row["session_id"])
        if action in WORTH and person in {("u", moment.user_id), ("s", moment.session_id)} and person[1]:
            trail.append((age * 86_400, action, id_))
    return {
        "counts": counts, "shown": searched[0], "clicked": searched[1],
        "query_shown": paired[0], "query_clicked": paired[1],
        "base_ctr": (clicks + 1) / (looks + 20), "base_conversion": (bought + 1) / (clicked + 20),
        "trail": trail[-LONGEST:],
    }  # fmt: skip


def check(view: EventView, wanted: dict[str, Any]) -> None:
    for name in ("counts", "shown", "clicked", "query_shown", "query_clicked", "base_ctr", "base_conversion"):
        np.testing.assert_allclose(getattr(view, name), wanted[name], rtol=1e-9, atol=1e-12, err_msg=name)
    trail = view.trail
    found = [] if trail is None else list(zip(trail.age_s, trail.actions, (f.id for f in trail.facts), strict=True))
    assert [(round(age, 3), action, id_) for age, action, id_ in sorted(found)] == [
        (round(age, 3), action, id_) for age, action, id_ in sorted(wanted["trail"])
    ]


event = st.fixed_dictionaries(
    {
        "time": st.integers(0, 40 * 24).map(lambda hours: START + hours * DAY // 24),
        "action": st.sampled_from(
            ["impression", "impression", "click", "detail", "cart", "purchase", "query", "other"]
        ),
        "object_id": st.sampled_from(["a", "b", "c"]),
        "query_id": st.sampled_from([None, "q1", "q2", "q3"]),
        "ordinal": st.sampled_from([None, 1, 2, 15, 400]),
        "user_id": st.sampled_from([None, "u"]),
        "session_id": st.sampled_from([None, "s", "t"]),
        "bot": st.sampled_from([False, False, False, True]),
    }
)
moment = st.builds(
    Moment,
    time=st.integers(0, 41 * 24).map(lambda hours: START + hours * DAY // 24),
    query=st.sampled_from(["Shoes", "鞋", "none"]),
    ids=st.sampled_from([("a",), ("b", "a"), ("c", "unknown", "a")]),
    user_id=st.sampled_from([None, "u"]),
    session_id=st.sampled_from([None, "s"]),
)
TEXTS = {"q1": "SHOES", "q2": "鞋"}


@settings(deadline=None)
@given(st.lists(event, max_size=40), st.lists(moment, max_size=6))
def test_a_training_row_never_sees_the_future(rows: list[Row], moments: list[Moment]) -> None:
    theta = power_law(RANKS, 0.5)
    ordered = sorted(moments, key=lambda each: each.time)
    seen = list(replay(columns(rows), TEXTS, ordered, Aggregates(lookup), refit=False))
    assert [each for each, _ in seen] == ordered
    for each, view in seen:
        check(view, brute(rows, TEXTS, each, theta))


@settings(deadline=None)
@given(st.lists(event, max_size=40), moment, st.randoms())
def test_events_that_come_late_and_in_any_order_count_the_same(rows: list[Row], asked: Moment, random) -> None:  # type: ignore[no-untyped-def]
    past = [row for row in rows if row["time"] < asked.time]
    shuffled = past.copy()
    random.shuffle(shuffled)
    online = Aggregates(lookup)
    for row in shuffled:
        online.add(columns([row]), TEXTS)
    view = online.at(asked.ids, query_key(asked.query), asked.time, asked.user_id, asked.session_id)
    check(view, brute(rows, TEXTS, asked, power_law(RANKS, 0.5)))


def test_what_happens_at_the_moment_itself_is_the_future() -> None:
    rows: list[Row] = [{"time": START, "action": "click", "object_id": "a", "user_id": "u"}]
    aggregates = Aggregates(lookup)
    asked = [Moment(START, "q", ("a",), "u"), Moment(START + 1, "q", ("a",), "u")]
    (_, before), (_, after) = replay(columns(rows), {}, asked, aggregates)
    assert before.counts.sum() == 0
    assert before.trail is None
    assert after.counts[0, COUNTED.index("click"), 0] == pytest.approx(1, abs=1e-6)
    assert after.trail is not None
    assert after.trail.facts[0].brand == "Kestrel"


def test_a_count_fades_with_its_mean_life() -> None:
    counts = DecayedCounts(1, (1.0, 7.0), 100)
    counts.add(["a"], np.zeros(1, np.int64), np.array([START]))
    found = counts.at(["a", "b"], START + 7 * DAY)
    assert found[0, 0] == pytest.approx([math.exp(-7), math.exp(-1)])
    assert found[1].tolist() == [[0, 0]]


def test_counts_hold_for_years() -> None:
    """The landmark moves several times; an event of long ago has faded, a new one is whole."""
    counts = DecayedCounts(1, (1.0, 30.0), 100)
    for year in range(20):
        counts.add(["a"], np.zeros(1, np.int64), np.array([START + year * 365 * DAY]))
    found = counts.at(["a"], START + 19 * 365 * DAY)[0, 0]
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx(sum(math.exp(-365 / 30 * years) for years in range(20)))


def test_memory_is_bounded() -> None:
    counts = DecayedCounts(1, (30.0,), 100)
    for block in range(50):
        keys = [f"{block}-{n}" for n in range(20)] + ["often"] * 5
        counts.add(keys, np.zeros(25, np.int64), np.full(25, START + block))
    assert len(counts) <= 120
    assert counts.at(["often"], START + 50)[0, 0, 0] == pytest.approx(250, rel=1e-3), "what counts most stays"
    assert counts.total(START + 50)[0, 0] == pytest.approx(50 * 25, rel=1e-3)


def test_trails_are_bounded() -> None:
    aggregates = Aggregates(lookup, actions=100)
    rows: list[Row] = [
        {"time": START + n, "action": "click", "object_id": "a", "user_id": f"u{n % 50}"} for n in range(500)
    ]
    aggregates.add(columns(rows))
    views = [aggregates.at(("a",), "", START + 1_000, f"u{n}") for n in range(50)]
    assert sum(len(view.trail) for view in views if view.trail) <= 100
    assert views[49].trail is not None, "whoever acted last is remembered"
    many: list[Row] = [{"time": START + n, "action": "click", "object_id": "a", "user_id": "u"} for n in range(90)]
    aggregates.add(columns(many))
    trail = aggregates.at(("a",), "", START + 1_000, "u").trail
    assert trail is not None
    assert len(trail) == LONGEST


def test_rates_by_hand() -> None:
    """a: 40 looks at the first place, 10 clicks. b: 40 showings at the fourth, looked at half as often, 10 clicks."""
    rows: list[Row] = []
    for id_, place in (("a", 1), ("b", 4)):
        rows += [
            {"time": START, "action": action, "object_id": id_, "query_id": "q1", "ordinal": place}
            for action in ["impression"] * 40 + ["click"] * 10
        ]
    aggregates = Aggregates(lookup)
    aggregates.add(columns(rows), TEXTS)
    view = aggregates.at(("a", "b", "new"), query_key("shoes"), START + 1)
    base = (20 + 1) / (40 + 20 + 20)
    assert view.base_ctr == pytest.approx(base)
    ctr = [(10 + 10 * base) / 50, (10 + 10 * base) / 30, base]
    assert view.ctr() == pytest.approx(ctr)
    assert view.query_ctr() == pytest.approx([(10 + 10 * ctr[0]) / 50, (10 + 10 * ctr[1]) / 30, base])
    other = aggregates.at(("a", "b", "new"), query_key("other"), START + 1)
    assert other.query_ctr() == pytest.approx(ctr), "other words know what all searches know"


def test_the_bias_of_places_is_learned_from_the_log() -> None:
    random = np.random.default_rng(5)
    truth, attraction = np.array([1.0, 0.6, 0.35, 0.2]), random.uniform(0.1, 0.7, 30)
    rows: list[Row] = []
    for number in range(12_000):
        for place, product in enumerate(random.choice(30, 4, replace=False), start=1):
            base: Row = {"time": START + number, "object_id": f"p{product}", "query_id": "q1", "ordinal": place}
            rows.append({**base, "action": "impression"})
            if random.random() < truth[place - 1] * attraction[product]:
                rows.append({**base, "action": "click"})
    aggregates = Aggregates()
    aggregates.add(columns(rows), TEXTS)
    assert aggregates.fit_examination()[:4] == pytest.approx(truth, abs=0.05)
    assert aggregates.view(["p1"], "shoes", datetime.fromtimestamp(START / 1_000 + 10, UTC)).ctr() == pytest.approx(
        attraction[1], abs=0.06
    )
