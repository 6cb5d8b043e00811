"""A shopper's brands and sizes: small boosts for vague queries, with consent alone, and never a filter."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.plan import CategoryBelief, Entity, QueryPlan
from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import Context, Product, SearchRequest, SearchResponse
from lingsou.events.schema import Event
from lingsou.features.events_view import Facts, Trail
from lingsou.pipeline.personal import PREFERENCE_WEIGHT, preferences_of, preferred
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.filters import Terms

SHOES = "Shoes > Running"
VALUES = {"brand": {"Kestrel": 5, "Norrland": 5, "Halden": 5}, "attributes.size": {"M": 3, "XL": 2, "42": 9}}


def trail(*facts: Facts, action: str = "purchase") -> Trail:
    return Trail(facts, (action,) * len(facts), np.full(len(facts), 60.0))


def bought(brand: str, size: str = "", category: str = SHOES) -> Facts:
    return Facts(f"{brand}-{size}", brand, category, 50.0, frozenset({size} if size else ()))


def plan(*entities: Entity, tokens: Sequence[str] = ("shoe",), category: str = SHOES) -> QueryPlan:
    beliefs = (CategoryBelief(category=category, probability=0.8),) if category else ()
    return QueryPlan(
        raw="shoes", language="en", text="shoes", tokens=tuple(tokens), entities=entities, categories=beliefs
    )


def entity(kind: str, field: str) -> Entity:
    return Entity.model_validate(
        {"start": 0, "end": 5, "surface": "shoes", "kind": kind, "field": field, "source": "catalogue", "confidence": 1}
        | {"values": ("x",)}
    )


def test_brand_and_size_by_share_worked_by_hand() -> None:
    """Two purchases of weight 5 and nothing else: 10 of 13 actions, counting three clicks on something else."""
    found = preferences_of(plan(), trail(bought("Kestrel", "xl"), bought("Kestrel", "xl")), VALUES)
    assert [(each.field, each.values, each.source) for each in found] == [
        ("brand", ("Kestrel",), "shopper"),
        ("attributes.size", ("XL",), "shopper"),
    ]
    assert [each.share for each in found] == pytest.approx([10 / 13, 10 / 13], rel=1e-3)
    boosts = preferred(plan().model_copy(update={"preferences": found}), {"brand": "keyword"})
    (boost,) = boosts
    assert boost.condition == Terms("brand", ("Kestrel",), ())
    assert boost.weight == PREFERENCE_WEIGHT * found[0].share
    assert boost.reason == "shopper: brand Kestrel"


@pytest.mark.parametrize(
    "asked",
    [
        plan(entity("brand", "brand")),
        plan(entity("model", "mpn")),
        plan(tokens=("a", "b", "c", "d", "e")),
        plan(category=""),
        plan(category="Toys > Blocks"),
    ],
    ids=["a brand", "a model", "many words", "of no category", "another category"],
)
def test_queries_that_are_specific_or_of_something_else(asked: QueryPlan) -> None:
    assert preferences_of(asked, trail(bought("Kestrel", "xl")), VALUES) == ()


def test_a_size_that_is_asked_for_is_not_outvoted() -> None:
    found = preferences_of(plan(entity("attribute", "attributes.size")), trail(bought("Kestrel", "xl")), VALUES)
    assert [each.field for each in found] == ["brand"]


def test_little_interest_and_what_is_not_sold_any_more_are_left_out() -> None:
    click = bought("Kestrel")
    assert preferences_of(plan(), trail(click, action="click"), VALUES) == (), "one click of four actions, and older"
    assert len(preferences_of(plan(), trail(click, click, action="click"), VALUES)) == 1
    assert preferences_of(plan(), trail(bought("Gone", "xs")), VALUES) == ()
    many = [bought(brand) for brand in ("Kestrel", "Norrland", "Halden")]
    assert [each.values for each in preferences_of(plan(), trail(*many), VALUES)] == [("Halden",), ("Kestrel",)]


def test_two_shoppers_one_query_two_orders_with_reasons_and_none_without_consent(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    shop = open_shop(tmp_path)
    try:
        shop.store.upsert(
            [
                Product(id=f"{brand}{n}", title="Trail running shoes", brand=brand, category=("Shoes", "Running"))
                for n in range(3)
                for brand in ("Kestrel", "Norrland", "Halden")
            ]
        )
        shop.indexer().catch_up()
        shop.engine.refresh()
        shop.warm_up()
        hour = datetime.now(UTC) - timedelta(hours=1)
        shop.behaviour.events.append(
            [
                Event(action_name="purchase", time=hour, user_id=user, object_id=f"{brand}{n}")
                for user, brand in (("anna", "Norrland"), ("ben", "Halden"))
                for n in range(2)
            ]
        )
        shop.live_events.refresh()

        def answer(user: str, q: str = "running shoes", *, personalise: bool = True) -> SearchResponse:
            context = Context(user_id=user, personalise=personalise)
            return shop.pipeline.search(SearchRequest(q=q, explain=True, context=context))

        anna, ben, nobody = answer("anna"), answer("ben"), answer("anna", personalise=False)
        assert [hit.product.brand for hit in anna.hits[:3]] == ["Norrland"] * 3
        assert [hit.product.brand for hit in ben.hits[:3]] == ["Halden"] * 3
        assert anna.total == ben.total == nobody.total == 9
        assert anna.plan is not None
        assert [(each.source, each.values) for each in anna.plan.preferences] == [("shopper", ("Norrland",))]
        assert "shopper: brand Norrland" in str(anna.hits[0].explanation)
        assert nobody.plan is not None
        assert nobody.plan.preferences == ()
        assert [hit.id for hit in nobody.hits] == [hit.id for hit in answer("carl").hits]
        assert {hit.product.brand for hit in answer("anna", "Kestrel running shoes").hits[:3]} == {"Kestrel"}
    finally:
        shop.close()
