"""From joined logs to grades; worked by hand, and against simulated shoppers."""

from typing import Any

import numpy as np
import pytest

from lingsou.evaluation.clicks import PositionBased
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.events.joins import journeys
from lingsou.models.click_models import power_law
from lingsou.ranking.clicks import (
    DEPTH,
    TOP_GRADE,
    Objective,
    SearchPairs,
    estimate,
    gains,
    graded,
    pairs_of,
    read_from_the_top,
)
from lingsou.training.clicks import MOST_WEIGHT, searches_of


def events(*rows: dict[str, Any]) -> EventColumns:
    ordered = sorted(({"bot": False, **row} for row in rows), key=lambda row: row["time"])
    return columns_of([[row.get(name) for name in COLUMNS] for row in ordered])


def page(search: str, time: int, *ids: str) -> list[dict[str, Any]]:
    base = {"action": "impression", "query_id": search, "session_id": search}
    return [{**base, "time": time, "object_id": id_, "ordinal": n} for n, id_ in enumerate(ids, start=1)]


def act(action: str, search: str, time: int, id_: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "query_id": search, "session_id": search, "time": time, "object_id": id_, **more}


LOG = events(
    *page("q1", 0, "a", "b"), *page("q2", 10, "b", "a"), *page("q3", 20, "a", "b"), *page("q4", 30, "a", "c"),
    act("click", "q1", 1, "a", ordinal=1), act("click", "q1", 2, "a", ordinal=1), act("click", "q2", 11, "a"),
    act("cart", "q2", 12, "a"), act("purchase", "q2", 13, "a", quantity=2), act("click", "q4", 31, "c"),
)  # fmt: skip
TEXTS = {"q1": "SHOES", "q2": "shoes", "q3": "boots"}


def table(**cells: float) -> np.ndarray[Any, Any]:
    row = np.zeros(DEPTH)
    for place, value in cells.items():
        row[int(place[1:]) - 1] = value
    return row


def test_pairs_by_hand() -> None:
    """q1 and q2 are the same words; q4's words are not known. Two clicks in one search count once."""
    pairs = pairs_of(journeys(LOG), TEXTS)
    assert list(zip(pairs.query, pairs.id, strict=True)) == [
        ("shoes", "a"), ("shoes", "b"), ("boots", "a"), ("boots", "b"),
    ]  # fmt: skip
    assert pairs.shown[0].tolist() == table(p1=1, p2=1).tolist()
    assert pairs.clicked[0].tolist() == table(p1=1, p2=1).tolist()
    assert pairs.carts[0].tolist() == table(p2=1).tolist()
    assert pairs.purchases[0].tolist() == table(p2=2).tolist()
    assert pairs.shown[3].tolist() == table(p2=1).tolist()
    assert len(read_from_the_top(journeys(LOG), TEXTS).attraction) == len(pairs)


def test_gains_by_hand() -> None:
    """Of a at places 1 and 2, looked at 1 and 0.5 times: two clicks, a cart, two units of a margin of 4."""
    pairs = pairs_of(journeys(LOG), TEXTS)
    theta = np.full(DEPTH, 0.5)
    theta[0] = 1.0
    goal = Objective(click=1, cart=3, purchase=10, margin=0.5)
    worth = 2 * 1 + 1 * 3 + 2 * (10 + 0.5 * 4)
    looked = np.array([1.5, 1.5, 1.0, 0.5])
    mean = worth / looked.sum()
    found = gains(pairs, theta, goal, {"a": 4.0}, looks=2.0)
    assert found[0] == pytest.approx((worth + 2 * mean) / 3.5)
    assert found[1] == pytest.approx(2 * mean / 3.5)
    assert gains(pairs, theta, goal, {"a": 4.0}, looks=1e-9)[0] == pytest.approx(worth / 1.5)


def test_grades_are_in_proportion_to_gains() -> None:
    pairs = pairs_of(journeys(LOG), TEXTS)
    judgements = graded(pairs, np.array([1.0, 0.5, 0.25, 0.0]))
    steps = {name: 2**grade - 1 for name, grade in judgements.grades["shoes"].items()}
    assert judgements.grades["shoes"]["a"] == TOP_GRADE
    assert steps["b"] / steps["a"] == pytest.approx(0.5)
    assert judgements.grades["boots"]["b"] == 0


def test_an_empty_log_teaches_nothing() -> None:
    pairs = pairs_of(journeys(events()), {})
    assert len(pairs) == 0
    assert graded(pairs, gains(pairs, estimate(pairs).examination)).grades == {}
    assert searches_of(events(), {}) == []


def test_estimated_weights_take_the_bias_out() -> None:
    """Good products were mostly shown low. Plain rates turn the order round, weighted ones do not."""
    random = np.random.default_rng(4)
    attraction = np.array([0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65])
    truth = PositionBased.power_law(8)
    # Gumbel noise: each product keeps to its neighbourhood of places.
    order = np.argsort(np.arange(8) / 8 + 0.15 * random.gumbel(size=(20_000, 8)), axis=1)
    clicks = truth.simulate(attraction[order], random)
    shown, clicked = np.zeros((8, DEPTH)), np.zeros((8, DEPTH))
    for place in range(8):
        shown[:, place] = np.bincount(order[:, place], minlength=8)
        clicked[:, place] = np.bincount(order[:, place], clicks[:, place], minlength=8)
    nothing = np.zeros((8, DEPTH))
    pairs = SearchPairs(("q",) * 8, tuple("abcdefgh"), shown, clicked, nothing, nothing)
    theta = estimate(pairs).examination
    assert theta[:8] == pytest.approx(truth.examination, abs=0.03)
    assert gains(pairs, theta) == pytest.approx(attraction, abs=0.06)
    naive = gains(pairs, np.ones(DEPTH))
    assert naive.argsort().tolist() == list(range(7, -1, -1))


def test_a_regression_is_used_where_the_order_never_changes() -> None:
    pytest.importorskip("lightgbm")
    random = np.random.default_rng(5)
    kind = random.integers(0, 2, 400)
    place = np.arange(400) % 4
    truth = np.array([1.0, 0.5, 0.3, 0.1])
    shown, clicked = np.zeros((400, DEPTH)), np.zeros((400, DEPTH))
    shown[np.arange(400), place] = 200
    clicked[np.arange(400), place] = random.binomial(200, truth[place] * np.where(kind == 1, 0.6, 0.2))
    pairs = SearchPairs(("q",) * 400, tuple(map(str, range(400))), shown, clicked, 0 * shown, 0 * shown)
    alone, helped = (estimate(pairs, features).examination[:4] for features in (None, kind[:, None].astype(float)))
    assert alone == pytest.approx(power_law(4, 0.5), abs=0.01), "nothing to learn from"
    assert np.abs(helped - truth).max() < np.abs(alone - truth).max() / 2


def test_searches_carry_their_moment_and_weights() -> None:
    found = searches_of(LOG, {**TEXTS, "q4": "socks"}, Objective(click=1, cart=3, purchase=10))
    assert [each.moment.query for each in found] == ["SHOES", "shoes", "socks"], "boots had no click"
    first, second = found[0], found[1]
    assert (first.moment.time, first.moment.ids, first.moment.session_id) == (0, ("a", "b"), "q1")
    assert first.worth[0] == 1, "the first place is looked at for certain"
    bought = second.worth[second.moment.ids.index("a")]
    assert 24 <= bought <= 24 * MOST_WEIGHT, "worth 1 + 3 + 2 · 10 at the second place"
    assert second.worth[second.moment.ids.index("b")] == 0
