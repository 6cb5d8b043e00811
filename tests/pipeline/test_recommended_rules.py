"""Merchandising rules in lists of recommendations: best sellers of the tiny catalogue, and a trained model's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import ProductPatch, RecommendRequest, RecommendResponse, SearchRequest
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.rules.schema import parse_rules
from lingsou.testing.catalogue import tiny_catalogue
from tests.pipeline.test_recommending import shop as trained  # noqa: F401 (a fixture)


def opened(root: Path) -> Shop:
    (root / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    made = open_shop(root)
    made.store.upsert(tiny_catalogue())
    made.indexer().catch_up()
    made.engine.refresh()
    return made


@pytest.fixture(scope="module")
def selling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop without a recommender: its lists are best sellers."""
    made = opened(tmp_path_factory.mktemp("selling"))
    yield made
    made.close()


def publish(shop: Shop, *rules: dict[str, Any]) -> None:
    """Put these rules in force, instead of all before."""
    raw = [{"id": f"rule-{place}", **rule} for place, rule in enumerate(rules)]
    shop.rules.store.put(parse_rules(raw), "ann", replace=True)
    if shop.rules.store.sets().changes:
        shop.rules.store.publish("ann")
    shop.rules.refresh()


def ask(shop: Shop, kind: str = "for-you", **fields: Any) -> RecommendResponse:
    return shop.recommendations.answer(RecommendRequest.model_validate({"kind": kind, "n": 5, **fields}))


def ids(answer: RecommendResponse) -> list[str]:
    return [item.id for item in answer.items]


EVERYWHERE = {"lists": ["recommend"]}


def test_rules_of_searches_leave_recommendations_alone(selling: Shop) -> None:
    publish(selling, {"then": [{"do": "hide", "filter": {"brand": {"exists": True}}}]})
    plain = ask(selling)
    assert len(plain.items) == 5
    assert plain.rules == ()
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "hide", "ids": [ids(plain)[0]]}]})
    hidden = ask(selling)
    assert ids(plain)[0] not in ids(hidden)
    assert (hidden.rules[0].id, hidden.rules[0].did) == ("rule-0", (f"hide {ids(plain)[0]}",))
    assert len(selling.pipeline.search(SearchRequest()).hits) == 12, "and the other way round"


def test_a_boost_lifts_by_a_share_of_the_list_and_burying_sinks(selling: Shop) -> None:
    publish(selling)
    everything = ids(ask(selling, n=60))
    count = len(everything)
    third = everything[2]
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "boost", "filter": {"id": third}, "weight": 1.5 / count}]})
    assert ids(ask(selling))[:3] == [everything[0], third, everything[1]], "by one place and a half"
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "boost", "filter": {"id": everything[-1]}, "weight": 1}]})
    assert ids(ask(selling, n=1)) == [everything[-1]], "chosen from further down than the list is long"
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "bury", "filter": {"id": everything[0]}, "weight": 1}]})
    assert ids(ask(selling, n=60)) == [*everything[1:], everything[0]]


def test_a_pin_stands_where_it_should_unless_it_cannot_be_had(selling: Shop) -> None:
    publish(selling)
    plain = ids(ask(selling, n=60))
    pinned = plain[-1]
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "pin", "ids": [pinned], "position": 2}]})
    answer = ask(selling, explain=True, context={"locale": "zh-CN"})
    assert ids(answer) == [plain[0], pinned, *plain[1:4]]
    assert ids(ask(selling, n=60)).count(pinned) == 1
    assert pinned not in ids(ask(selling, exclude=[pinned]))
    assert pinned not in ids(ask(selling, items=[pinned]))
    assert pinned not in ids(ask(selling, filters={"id": {"not": [pinned]}}))
    selling.store.patch([ProductPatch(id=pinned, stock=0)])
    selling.indexer().catch_up()
    selling.engine.refresh()
    assert pinned not in ids(ask(selling)), "sold out"


def test_a_list_of_the_shops_own_choice(selling: Shop) -> None:
    """Nothing is bought together here, but with shoes the shop offers a T-shirt."""
    when = {"lists": ["bought-together"], "categories": ["Clothing > Shoes"]}
    publish(selling, {"when": when, "then": [{"do": "pin", "ids": ["t1"]}]})
    answer = ask(selling, "bought-together", items=["s1"], explain=True)
    assert (ids(answer), answer.source, answer.items[0].reason) == (["t1"], "rules", "Chosen by the shop")
    assert ids(ask(selling, "bought-together", items=["l1"])) == [], "not with a laptop"
    assert "t1" not in ids(ask(selling, "similar", items=["s1"]))[:1], "not beside similar ones"


def test_a_rule_that_the_index_does_not_understand_is_left_out(selling: Shop) -> None:
    publish(selling)
    plain = ids(ask(selling))
    publish(selling, {"when": EVERYWHERE, "then": [{"do": "hide", "filter": {"attributes.gone": "x"}}]})
    assert ids(ask(selling)) == plain


def test_rules_act_on_what_a_model_recommends(trained: Shop) -> None:  # noqa: F811
    publish(trained)
    walker: dict[str, Any] = {"context": {"user_id": "walker"}}
    plain = ids(ask(trained, **walker))
    assert plain[0] == "bike6"
    publish(
        trained,
        {"when": {"lists": ["for-you"]}, "then": [{"do": "hide", "ids": ["bike6"]}, {"do": "pin", "ids": ["tea1"]}]},
        {"when": {"lists": ["for-you"]}, "then": [{"do": "boost", "filter": {"brand": "Elm"}, "weight": 1}]},
    )
    answer = ask(trained, **walker)
    assert ids(answer)[0] == "tea1"
    assert "bike6" not in ids(answer)
    assert {item.product.brand for item in answer.items[1:]} == {"Elm"}
    assert [rule.id for rule in answer.rules] == ["rule-0", "rule-1"]
    assert answer.source == "blend"
    similar = ask(trained, "similar", items=["bike5"])
    assert "bike6" in ids(similar)
    assert similar.rules == ()
    publish(trained)
