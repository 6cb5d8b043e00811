"""Every feature on products small enough to know its value, and what holds for all of them."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.core.plan import CategoryBelief, Constraint, Entity, QueryPlan
from lingsou.core.types import Context
from lingsou.features import RankingBatch, TermCache, all_features, feature_named, matrix
from lingsou.features.check import Finding, check
from lingsou.features.plan_match import wished_for

from .batches import SEGMENTER, batch, product


def value(name: str, of: RankingBatch) -> list[float]:
    return [round(each, 6) for each in feature_named(name).compute(of).tolist()]


def test_coverage_is_the_share_of_idf() -> None:
    found = batch([product(title="Blue cotton"), product(title="Shirt")], "blue shirt", {"blue": 3, "shirt": 1})
    assert value("title-coverage", found) == [0.75, 0.25]
    assert value("brand-coverage", found) == [0, 0]


def test_coverage_of_every_field() -> None:
    whole = product(
        title="x", brand="Blue", category=("Blue things",), short_description="so blue", attributes={"colour": ["blue"]}
    )
    found = batch([whole], "blue")
    for field in ("brand", "category", "short_description", "attributes"):
        assert value(f"{field}-coverage", found) == [1]


def test_numbers_among_attributes_are_no_words() -> None:
    assert value("attributes-coverage", batch([product(attributes={"size": 42})], "42")) == [0]


def test_bm25_share_by_hand() -> None:
    """Lengths 1 and 3, mean 2: norms 1.2 · (0.25 + 0.75 · 0.5) = 0.75 and 1.2 · (0.25 + 0.75 · 1.5) = 1.65."""
    found = batch([product(title="red"), product(title="red red car")], "red")
    assert value("title-bm25", found) == [round(1 / 1.75, 6), round(2 / 3.65, 6)]


def test_phrase_counts_ordered_neighbours() -> None:
    titles = ["red running shoes", "running red shoes", "shoes running red", "red shoes"]
    assert value("title-phrase", batch([product(title=each) for each in titles], "red running shoes")) == [1, 0, 0, 0]
    assert np.isnan(feature_named("title-phrase").compute(batch([product()], "red"))).all()


def test_a_phrase_that_stands_twice_counts_once() -> None:
    assert value("title-phrase", batch([product(title="red car, red car")], "red car wash")) == [0.5]


def test_position_and_density() -> None:
    found = batch([product(title="a new red car"), product(title="boat")], "red car")
    assert value("title-position", found)[0] == 2
    assert math.isnan(value("title-position", found)[1])
    assert value("title-density", found) == [0.5, 0]


def test_the_head_is_the_last_word() -> None:
    found = batch([product(title="laptop bag"), product(title="laptop")], "laptop bag")
    assert value("title-head", found) == [1, 0]
    chinese = batch([product(title="黑色 手机壳"), product(title="黑色 手机")], "手机壳")
    assert value("title-head", chinese)[0] == 1


def test_similarity_and_its_gap() -> None:
    found = batch([product(), product()], vector=[0.2, 0.5])
    assert value("similarity", found) == [0.2, 0.5]
    assert value("similarity-gap", found) == [-0.3, 0]
    assert value("similarity-rank", found) == [0.5, 1]


def test_ranks_share_the_best_place() -> None:
    assert value("lexical-rank", batch([product()] * 3, lexical=[0.2, 0.9, 0.2])) == [0.5, 1, 0.5]


def test_fused_gap() -> None:
    assert value("fused-gap", batch([product(), product()], fused=[0.7, 1.2])) == [-0.5, 0]


def test_shares_of_category_and_brand_weigh_by_squared_score() -> None:
    """Weights 1, 0.25 and 0.25 of 1.5 in all."""
    goods = [
        product(brand="A", category=("x",)),
        product(brand="a", category=("y",)),
        product(brand="", category=("y",)),
    ]
    found = batch(goods, fused=[1, 0.5, 0.5])
    assert value("category-share", found) == [round(2 / 3, 6), round(1 / 3, 6), round(1 / 3, 6)]
    assert value("brand-share", found)[:2] == [round(5 / 6, 6)] * 2
    assert math.isnan(value("brand-share", found)[2])


def test_price_beside_the_norm() -> None:
    found = batch([product(price=99), product(price=199), product(price=49), product()])
    norm = value("price-norm", found)
    assert norm[:3] == [0, round(math.log(2), 6), round(-math.log(2), 6)]
    assert value("price-distance", found)[:3] == [abs(each) for each in norm[:3]]
    assert math.isnan(norm[3])


def test_a_rating_of_few_is_shrunk() -> None:
    """The prior: (10 · 3.5 + 5 · 1 + 4 · 90) / (10 + 91) = 400 / 101."""
    found = batch([product(rating=5, review_count=1), product(rating=4, review_count=90), product()])
    prior = 400 / 101
    assert value("rating", found) == [
        round((10 * prior + 5) / 11, 6),
        round((10 * prior + 360) / 100, 6),
        round(prior, 6),
    ]


def test_age_in_days_and_never_below_zero() -> None:
    found = batch([product(created_at="2026-06-21T12:00:00Z"), product(created_at="2027-01-01T00:00:00Z"), product()])
    ages = value("age", found)
    assert ages[:2] == [round(math.log(11), 6), 0]
    assert math.isnan(ages[2])


def test_counts_and_lengths() -> None:
    rich = product(title="one two", description="abc", images=("a", "b"), attributes={"x": 1}, sales=9, stock=3)
    found = batch([rich])
    assert value("title-length", found) == [2]
    assert value("image-count", found) == [2]
    assert value("attribute-count", found) == [1]
    assert value("sales", found) == [round(math.log(10), 6)]
    assert value("stock", found) == [round(math.log(4), 6)]
    assert value("description-length", found) == [round(math.log(4), 6)]


def plan(**more: Any) -> QueryPlan:
    return QueryPlan(raw="hp black under 50", language="en", text="hp black", tokens=("hp", "black"), **more)


def entity(
    surface: str, kind: str, field: str, values: tuple[str, ...], confidence: float = 1.0, at: int = 0
) -> Entity:
    return Entity.model_validate(
        {"start": at, "end": at + len(surface), "surface": surface, "kind": kind, "field": field, "values": values}
        | {"source": "catalogue", "confidence": confidence}
    )


def test_plan_matches_count_by_confidence() -> None:
    """Of two readings of one word the better counts; the sure word weighs 1, the unsure 0.5."""
    understood = plan(
        entities=(
            entity("black", "attribute", "attributes.colour", ("black",), 1.0, at=3),
            entity("black", "attribute", "attributes.finish", ("black",), 0.4, at=3),
            entity("big", "attribute", "attributes.size", ("XL", "17 inch"), 0.5, at=20),
        )
    )
    goods = [
        product(attributes={"colour": "black", "size": {"value": 17, "unit": "inch"}}),
        product(attributes={"finish": "black"}),
        product(attributes={"colour": ["red", "black"]}),
    ]
    found = batch(goods, plan=understood)
    assert value("plan-attribute", found) == [1, round(0.4 / 1.5, 6), round(1 / 1.5, 6)]
    assert np.isnan(feature_named("plan-brand").compute(found)).all()


def test_plan_limits_and_categories() -> None:
    wish = Constraint(
        start=9,
        end=17,
        surface="under 50",
        field="price",
        condition={"lte": 50},
        hard=False,
        source="price",
        confidence=1,
    )
    beliefs = (CategoryBelief(category="Office > Ink", probability=0.8),)
    goods = [product(price=50, category=("Office", "Ink")), product(price=51, category=("Office",)), product()]
    found = batch(goods, plan=plan(constraints=(wish,), categories=beliefs))
    assert value("plan-limits", found) == [1, 0, 0]
    assert value("category-probability", found) == [0.8, 0, 0]
    assert wished_for(plan(constraints=(wish,)), goods[0]) == ["under 50"]
    named = entity("ink", "category", "category", ("Office",))
    assert value("plan-category", batch(goods, plan=plan(entities=(named,)))) == [1, 1, 0]


def test_the_moment_needs_consent_and_a_time() -> None:
    when = datetime(2026, 1, 3, 18, 30, tzinfo=UTC)  # a Saturday
    known = batch([product()], time=when, context=Context(time=when, device="iPhone (mobile)"))
    assert [value(name, known)[0] for name in ("hour", "weekend", "phone")] == [18.5, 1, 1]
    for context in (Context(), Context(time=when, device="mobile", personalise=False)):
        unknown = batch([product()], time=when, context=context)
        assert math.isnan(value("hour", unknown)[0])
        assert math.isnan(value("phone", unknown)[0])


def test_changed_words_of_a_product_are_cut_anew() -> None:
    cache = TermCache(SEGMENTER, kept=2)
    first = cache.terms(product("a", "red"))
    assert cache.terms(product("a", "red")) is first
    assert cache.terms(product("a", "red car")).title.tolist() != first.title.tolist()
    for number in range(5):
        cache.terms(product(str(number)))
    assert len(cache._kept) == 2


ANY_PRODUCT = st.builds(
    product,
    title=st.text(min_size=1, max_size=30).filter(str.strip).filter(lambda text: "\0" not in text),
    brand=st.sampled_from(["", "HP", "云栖"]),
    category=st.sampled_from([(), ("a",), ("a", "b")]),
    price=st.none() | st.integers(0, 10**6),
    stock=st.none() | st.integers(0, 10**6),
    rating=st.none() | st.floats(0, 5),
    review_count=st.none() | st.integers(0, 10**6),
)


@given(st.lists(ANY_PRODUCT, min_size=1, max_size=6), st.text(max_size=20), st.data())
def test_every_feature_is_one_number_a_product_whatever_comes(goods: list[Any], text: str, data: st.DataObject) -> None:
    scores = st.lists(st.floats(-2, 2), min_size=len(goods), max_size=len(goods))
    found = batch(goods, text, fused=data.draw(scores), lexical=data.draw(scores), vector=data.draw(scores))
    table = matrix(all_features(), found)
    assert table.shape == (len(goods), len(all_features()))
    assert not np.isinf(table).any()


def test_no_products_no_numbers() -> None:
    assert matrix(all_features(), batch([], "red")).shape == (0, len(all_features()))


def test_names_are_distinct_and_described_in_both_languages() -> None:
    for each in all_features():
        assert feature_named(each.name) is each
        assert each.describe("zh") != each.describe("en")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each.describe("zh")), each.name
    with pytest.raises(ConfigurationError, match="no feature named 'nonsense'"):
        feature_named("nonsense")


def test_check_names_what_says_nothing() -> None:
    table = np.array([[1, 1, np.nan, 0.5, 0.5, np.inf], [1, 2, np.nan, 0.7, 0.7, 1.0]])
    assert check(["same", "good", "gone", "one", "two", "wild"], table) == [
        Finding("same", "constant"),
        Finding("gone", "missing"),
        Finding("two", "same as", "one"),
        Finding("wild", "infinite"),
    ]


def test_quality_is_that_of_the_last_run() -> None:
    goods = [product(title="red"), product(title="blue")]
    assert value("quality", replace(batch(goods, "red"), quality=np.array([40.0, 100.0]))) == [40, 100]
    assert np.isnan(feature_named("quality").compute(batch(goods, "red"))).all()
