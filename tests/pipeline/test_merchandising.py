"""Rules in a search: what each action does, what the answer says of it, preview, publishing and undo."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from lingsou.catalog.store import Store
from lingsou.core.errors import InputError
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import Explanation, SearchRequest, SearchResponse
from lingsou.pipeline.merchandising import check_rules
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.rules.schema import parse_rules
from lingsou.rules.store import RuleBook, RuleStore
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.text.segment import Segmenter


class Shop:
    """The tiny catalogue with understanding and rules, and no encoder."""

    def __init__(self, store: Store, folder: Path):
        segmenter = Segmenter()
        self.engine = EmbeddedEngine(folder, store.identity(), segmenter, SearchSettings())
        Indexer(store, self.engine, IndexSettings()).catch_up()
        understanding = Understanding(self.engine, segmenter, "CNY")
        understanding.refresh()
        self.rules = RuleBook(RuleStore(store.database), segmenter)
        self.pipeline = SearchPipeline(store, self.engine, segmenter, understanding=understanding, rules=self.rules)

    def publish(self, *then: dict[str, Any], when: dict[str, Any] | None = None, **more: Any) -> None:
        """Put one rule in force, instead of all before."""
        raw = {"id": "rule-1", "name": "The rule", "when": when or {}, "then": list(then), **more}
        self.rules.store.put(parse_rules([raw]), "ann", replace=True)
        self.rules.store.publish("ann")
        self.rules.refresh()

    def search(self, q: str = "", **more: Any) -> SearchResponse:
        return self.pipeline.search(SearchRequest(q=q, **more))

    def ids(self, q: str = "", **more: Any) -> list[str]:
        return [hit.id for hit in self.search(q, **more).hits]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}") as store:
        store.upsert(tiny_catalogue())
        yield Shop(store, tmp_path / "index")


def lasting(response: SearchResponse) -> bytes:
    """The answer as bytes, without its name and its times."""
    return orjson.dumps(response.model_dump(mode="json", exclude={"query_id", "took_ms", "stages"}))


def nodes(explanation: Explanation | None) -> Iterator[Explanation]:
    assert explanation
    yield explanation
    for child in explanation.children:
        yield from nodes(child)


def test_without_rules_nothing_is_said_of_them(shop: Shop) -> None:
    response = shop.search("laptop")
    assert (response.rules, response.banners, response.redirect) == ((), (), None)
    assert "rules" not in [stage.stage for stage in response.stages]


def test_synonyms_find_what_the_words_do_not(shop: Shop) -> None:
    assert shop.ids("sneakers") == []
    shop.publish({"do": "synonyms", "words": ["sneakers", "running shoes", "跑步鞋"]})
    assert set(shop.ids("sneakers")) == {"s3", "s1"}
    assert "s3" in shop.ids("跑步鞋")
    response = shop.search("sneakers", explain=True)
    assert response.rules[0].did == ("synonyms of sneakers: running shoes, 跑步鞋",)
    assert all(any("rule-1" in node.detail for node in nodes(hit.explanation)) for hit in response.hits)


def test_boost_and_bury_reorder_and_explain(shop: Shop) -> None:
    first, second, *_ = shop.ids("laptop")
    shop.publish({"do": "boost", "filter": {"id": second}, "weight": 0.9}, when={"queries": ["laptop"]})
    response = shop.search("laptop", explain=True)
    assert [hit.id for hit in response.hits][:2] == [second, first]
    boosts = [node for node in nodes(response.hits[0].explanation) if node.name == "boost" and "rule-1" in node.detail]
    assert [(node.value, node.detail) for node in boosts] == [(0.9, "rule rule-1: The rule")]
    assert response.hits[0].explanation
    assert response.hits[0].explanation.children[0].value == pytest.approx(response.hits[0].score, rel=1e-4)
    shop.publish({"do": "bury", "filter": {"id": first}, "weight": 0.9}, when={"queries": ["laptop"]})
    assert shop.ids("laptop")[-1] == first


def test_an_exact_identifier_wins_over_every_rule(shop: Shop) -> None:
    up = [{"do": "boost", "filter": {"id": "l1"}, "weight": 1.0}] * 25
    shop.publish(*up, *[{"do": "bury", "filter": {"id": "l2"}, "weight": 1.0}] * 25)
    assert shop.ids("LAP-0002")[0] == "l2"


def test_pins_stand_and_say_why(shop: Shop) -> None:
    shop.publish({"do": "pin", "ids": ["g1", "t3"], "position": 2}, when={"queries": ["laptop"]})
    response = shop.search("laptop", explain=True, facets=["category"])
    assert [hit.id for hit in response.hits][1:3] == ["g1", "t3"]
    assert response.total == 5
    pin = [node for node in nodes(response.hits[1].explanation) if node.name == "pin"]
    assert [(node.value, node.detail) for node in pin] == [(2, "rule rule-1: The rule")]
    assert not [node for node in nodes(response.hits[0].explanation) if node.name == "pin"]
    paged = [shop.ids("laptop", page=page, page_size=2) for page in (1, 2, 3, 4)]
    assert list(itertools.chain(*paged)) == [hit.id for hit in response.hits]
    assert "g1" not in shop.ids("laptop", filters={"price": {"gt": 0}}), "the request's own filters hold"


def test_hidden_and_filtered_products_are_gone_from_counts_too(shop: Shop) -> None:
    shop.publish({"do": "hide", "ids": ["l1"], "filter": {"brand": "轨迹"}})
    assert shop.ids("laptop") == ["l2"]
    assert shop.search(facets=["brand"], filters={"category": "Electronics > Laptops"}).facets[0].values[0].count == 1
    shop.publish({"do": "filter", "filter": {"stock": {"gt": 0}}}, {"do": "pin", "ids": ["x-100"]})
    assert shop.search().total == 10
    assert "x-100" not in shop.ids(page_size=50), "a pin passes the rules' filters as well"


def test_hidden_products_stay_hidden_when_limits_are_relaxed(shop: Shop) -> None:
    shop.publish({"do": "hide", "ids": ["l1"]})
    response = shop.search("laptop 1元以内")
    assert response.notices
    assert "l1" not in [hit.id for hit in response.hits]


def test_redirect_and_banner_come_with_the_results(shop: Shop) -> None:
    shop.publish(
        {"do": "redirect", "url": "/sale"},
        {"do": "banner", "text": "双十一", "url": "/1111", "image": "https://cdn.example/b.jpg"},
        when={"queries": [{"exact": "laptop"}]},
    )
    response = shop.search("Laptops")
    assert (response.redirect, response.total) == ("/sale", 3)
    assert [(banner.rule, banner.text, banner.url) for banner in response.banners] == [("rule-1", "双十一", "/1111")]
    assert [(each.id, each.name, each.did) for each in response.rules] == [
        ("rule-1", "The rule", ("redirect to /sale", "banner: 双十一"))
    ]
    assert shop.search("laptop bag").redirect is None


def test_categories_come_from_filters_and_from_words(shop: Shop) -> None:
    shop.publish({"do": "banner", "text": "shoes"}, when={"categories": ["Clothing > Shoes"]})
    assert shop.search(filters={"category": "Clothing > Shoes"}).banners
    assert shop.search(filters={"category": ["Electronics", "Clothing > Shoes"]}).banners
    assert not shop.search(filters={"category": "Clothing"}).banners
    assert not shop.search(filters={"category": {"not": ["Clothing > Shoes"]}}).banners
    assert shop.search("shoes").banners, "the words name the category"
    assert not shop.search("shoes", understand=False).banners
    # Nothing in these words names a category, but what they find is there: believed after matching.
    believed = shop.search("疾风 男士 透气网面")
    assert believed.plan
    assert not [entity for entity in believed.plan.entities if entity.kind == "category"]
    assert believed.banners
    shop.publish({"do": "synonyms", "words": ["透气网面"], "to": ["充电宝"]}, when={"categories": ["Clothing > Shoes"]})
    assert "c2" in shop.ids("男士 透气网面"), "matched again with the synonym"


def test_audience_and_time(shop: Shop) -> None:
    shop.publish({"do": "banner", "text": "vip"}, when={"audience": {"segments": ["vip"], "locales": ["zh"]}})
    assert shop.search(context={"segments": ["vip"], "locale": "zh-CN"}).banners
    assert not shop.search(context={"segments": ["vip"]}).banners
    shop.publish({"do": "banner", "text": "soon"}, when={"time": {"starts": "2126-01-01"}})
    later = SearchRequest.model_validate({"context": {"time": "2126-06-01T00:00:00Z"}})
    assert not shop.pipeline.search(later).banners, "no shopper looks into the future"
    assert shop.pipeline.preview(later, shop.rules.index).draft.banners, "a preview does"


def test_a_field_that_is_gone_is_left_out_and_named(shop: Shop) -> None:
    shop.publish({"do": "boost", "filter": {"attributes.gone": "x"}}, {"do": "filter", "filter": {"gone": 1}})
    response = shop.search("laptop")
    assert response.total == 3
    (stage,) = (stage for stage in response.stages if stage.fallback)
    assert stage.fallback
    assert "rule rule-1: There is no field 'attributes.gone'" in stage.fallback
    with pytest.raises(InputError, match="Rule 'rule-1'") as caught:
        check_rules(shop.rules.index.rules, shop.engine.fields())
    assert caught.value.field == "then.0.filter.attributes.gone"
    assert caught.value.cure


REQUESTS: list[dict[str, Any]] = [
    {},
    {"q": "laptop", "explain": True, "facets": ["brand", "price"]},
    {"q": "sneakers", "explain": True},
    {"q": "跑步鞋 黑色", "page_size": 1, "page": 2},
    {"q": "laptop", "sort": "-price", "collapse": False},
    {"q": "shoes 600元以内", "filters": {"stock": {"gt": 0}}, "context": {"segments": ["vip"]}},
]
RULES = parse_rules(
    [
        {"id": "syn", "then": [{"do": "synonyms", "words": ["sneakers", "跑步鞋", "running shoes"]}]},
        {
            "id": "pins",
            "when": {"queries": ["laptop", {"prefix": "跑步"}]},
            "then": [{"do": "pin", "ids": ["g1", "s2"]}, {"do": "banner", "text": "置顶"}],
        },
        {"id": "up", "then": [{"do": "boost", "filter": {"brand": ["Kestrel", "Orbit"]}, "weight": 0.3}]},
        {"id": "down", "priority": 3, "then": [{"do": "bury", "filter": {"price": {"gt": 5000}}}]},
        {"id": "vip", "when": {"audience": {"segments": ["vip"]}}, "then": [{"do": "redirect", "url": "/vip"}]},
        {"id": "gone", "then": [{"do": "hide", "ids": ["x-100"]}]},
    ]
)


def test_a_preview_is_what_publishing_gives_and_undo_gives_back_the_same_bytes(shop: Shop) -> None:
    requests = [SearchRequest.model_validate(each) for each in REQUESTS]

    def live() -> list[bytes]:
        return [lasting(shop.pipeline.search(each)) for each in requests]

    first = RULES[:3]
    shop.rules.store.put(first, "ann")
    shop.rules.store.publish("ann")
    shop.rules.refresh()
    before = live()
    shop.rules.store.put(RULES, "ann")
    draft = shop.rules.index_of(shop.rules.store.sets().draft)
    previews = [shop.pipeline.preview(each, draft) for each in requests]
    assert [lasting(each.live) for each in previews] == before
    assert live() == before, "a preview changes nothing"
    shop.rules.store.publish("ann")
    shop.rules.refresh()
    after = live()
    assert [lasting(each.draft) for each in previews] == after
    assert all(old != new for old, new in zip(before, after, strict=True)), "every request is touched"
    shop.rules.store.undo("ann")
    shop.rules.refresh()
    assert live() == before
    shop.rules.store.undo("ann", to=2)
    shop.rules.refresh()
    assert live() == after


def test_a_preview_answers_both_at_one_moment(shop: Shop) -> None:
    rules = parse_rules(
        [{"id": "eve", "when": {"time": {"ends": "2026-01-01"}}, "then": [{"do": "banner", "text": "old year"}]}]
    )
    shop.rules.store.put(rules, "ann")
    shop.rules.store.publish("ann")
    shop.rules.refresh()
    request = SearchRequest.model_validate({"context": {"time": datetime(2025, 12, 31, tzinfo=UTC)}})
    preview = shop.pipeline.preview(request, shop.rules.index)
    assert lasting(preview.live) == lasting(preview.draft)
    assert preview.live.banners
