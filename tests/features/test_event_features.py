"""Features of events, worked by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from lingsou.core.types import Context, Product
from lingsou.features import ProductTerms, RankingBatch, all_features, feature_named
from lingsou.features.events_view import COUNTED, DAYS, RANKS, EventView, Facts, Trail

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PRODUCTS = [
    Product.model_validate(
        {"id": "a", "title": "A", "brand": "Kestrel", "category": ("Shoes", "Running"), "price": 50,
         "attributes": {"Size": ("42", "43")}}
    ),
    Product.model_validate({"id": "b", "title": "B", "brand": "Norr", "category": ("Shoes", "Hiking"), "price": 100}),
    Product.model_validate({"id": "c", "title": "C", "attributes": {"size": "36"}}),
]  # fmt: skip
EVENTS = (
    "popularity-day", "popularity-week", "popularity-month", "popularity-views", "popularity-trend",
    "ctr-debiased", "query-ctr", "conversion",
)  # fmt: skip
PERSONAL = (
    "affinity-brand", "affinity-category", "affinity-size", "price-habit",
    "session-brand", "session-category", "session-seen",
)  # fmt: skip


def view(trail: Trail | None = None) -> EventView:
    counts = np.zeros((3, len(COUNTED), len(DAYS)))
    counts[0] = [[0, 20, 0], [4, 10, 30], [1, 2, 3], [0, 1, 6]]  # shown … purchased, in a day, a week, a month
    shown, clicked = np.zeros((3, RANKS)), np.zeros((3, RANKS))
    shown[0, :2], clicked[0, 0] = (10, 20), 5
    examination = np.full(RANKS, 0.5)
    examination[0] = 1
    return EventView(counts, shown, clicked, shown / 10, clicked / 5, examination, 0.2, 0.1, trail)


def batch(trail: Trail | None = None, *, consent: bool = True, events: bool = True) -> RankingBatch:
    return RankingBatch(
        query_terms=(), idf=np.empty(0), products=PRODUCTS, terms=[ProductTerms(*[np.empty(0, np.int64)] * 5)] * 3,
        fused=np.zeros(3), exact=np.zeros(3, np.bool_), lexical=np.zeros(3), vector=np.zeros(3), time=NOW,
        context=Context(user_id="u", personalise=consent), events=view(trail) if events else None,
    )  # fmt: skip


def trail(*steps: tuple[str, float, str, str, float, str]) -> Trail:
    """Steps: action, seconds ago, id, brand, price, category; oldest first."""
    facts = tuple(Facts(id_, brand, category, price, frozenset({"42"})) for _, _, id_, brand, price, category in steps)
    return Trail(facts, tuple(step[0] for step in steps), np.asarray([step[1] for step in steps], np.float64))


def value(name: str, of: RankingBatch) -> list[float]:
    return [float(each) for each in feature_named(name).compute(of)]


RUN = "Shoes > Running"
TRAIL = trail(("purchase", 4_000, "x", "Norr", 200, "Shoes > Hiking"), ("click", 60, "a", "Kestrel", 40, RUN))


def test_popularity_and_rates() -> None:
    of = batch()
    assert value("popularity-week", of) == pytest.approx([np.log1p(10 + 3 * 2 + 5 * 1), 0, 0])
    assert value("popularity-views", of) == pytest.approx([np.log1p(20), 0, 0])
    assert value("popularity-trend", of)[0] == pytest.approx(np.log1p(4 + 3) - np.log1p((30 + 9 + 30) / 30))
    assert value("conversion", of) == pytest.approx([(6 + 20 * 0.1) / 50, 0.1, 0.1])
    ctr = (5 + 10 * 0.2) / (20 + 10)
    assert value("ctr-debiased", of) == pytest.approx([ctr, 0.2, 0.2])
    assert value("query-ctr", of) == pytest.approx([(1 + 10 * ctr) / (2 + 10), 0.2, 0.2])


def test_liking_fades_and_weighs_actions() -> None:
    """A purchase an hour ago weighs 5, a click 1, and 3 stand beside both: 9 in all."""
    of = batch(TRAIL)
    assert value("affinity-brand", of) == pytest.approx([1 / 9, 5 / 9, 0], abs=0.01)
    half = trail(("click", 14 * 86_400, "x", "Norr", 1, RUN), ("click", 1, "y", "Kestrel", 1, RUN))
    assert value("affinity-brand", batch(half)) == pytest.approx([1 / 4.5, 0.5 / 4.5, 0], abs=0.01)


def test_half_a_path_in_common_counts_half() -> None:
    of = batch(TRAIL)
    assert value("affinity-category", of) == pytest.approx([1 / 9 + 5 / 9 / 2, 5 / 9 + 1 / 9 / 2, 0], abs=0.01)


def test_price_habit_and_size() -> None:
    of = batch(TRAIL)
    usual = (5 * np.log(201) + np.log(41)) / 6
    found = value("price-habit", of)
    assert found[:2] == pytest.approx([abs(np.log(51) - usual), abs(np.log(101) - usual)], abs=0.01)
    assert np.isnan(found[2]), "another top category"
    sizes = value("affinity-size", of)
    assert sizes[0] == pytest.approx(1)
    assert np.isnan(sizes[1]), "has no size"
    assert sizes[2] == 0


def test_only_the_present_session_counts_as_such() -> None:
    of = batch(TRAIL)
    assert value("session-seen", of) == [1, 0, 0], "the purchase was before a pause of more than half an hour"
    assert value("session-brand", of) == pytest.approx([1 / 4, 0, 0], abs=0.01)
    left = trail(("click", 1_801, "a", "Kestrel", 40, RUN))
    assert np.isnan(value("session-seen", batch(left))).all(), "half an hour ago: a new session"


@pytest.mark.parametrize("name", PERSONAL)
def test_without_consent_or_history_a_personal_feature_says_nothing(name: str) -> None:
    assert np.isnan(value(name, batch(TRAIL, consent=False))).all()
    assert np.isnan(value(name, batch())).all()
    assert not np.isnan(value(name, batch(TRAIL))).all()


@pytest.mark.parametrize("name", EVENTS + PERSONAL)
def test_without_events_a_feature_says_nothing(name: str) -> None:
    assert np.isnan(value(name, batch(events=False))).all()


def test_every_feature_of_events_is_tested_here() -> None:
    needing = [
        feature.name
        for feature in all_features()
        if not np.array_equal(feature.compute(batch(TRAIL)), feature.compute(batch(events=False)), equal_nan=True)
    ]
    assert set(needing) <= set(EVENTS + PERSONAL)
    assert set(EVENTS + PERSONAL) == set(needing)
