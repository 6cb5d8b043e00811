"""Failed searches traced to what the catalogue lacks, over a real index and a real log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import SearchRequest, SearchResponse
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.pipeline.supply import Unmet, causes, unmet
from lingsou.testing.catalogue import tiny_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("shop")
    (root / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    opened = open_shop(root)
    opened.store.upsert(tiny_catalogue())
    opened.indexer().catch_up()
    opened.engine.refresh()
    opened.understanding.refresh(at_once=True)
    yield opened
    opened.close()


def searched(shop: Shop, text: str, times: int, total: int) -> None:
    for n in range(times):
        answer = SearchResponse(query_id=f"{text}{n}", total=total, hits=(), page=1, page_size=20, took_ms=1.0)
        shop.behaviour.searches.record(SearchRequest(q=text), answer)
    shop.behaviour.searches.flush()


@pytest.fixture(scope="module")
def rows(shop: Shop) -> dict[str, Unmet]:
    searched(shop, "洗碗机", 9, 0)
    searched(shop, "跑步鞋 10元以下", 7, 0)
    searched(shop, "圆领T恤 黑色", 12, 3)
    searched(shop, "blue t-shirt for men", 11, 2)
    searched(shop, "充电宝 防爆", 4, 0)
    search = PlannedSearch(shop.engine, shop.understanding, None)
    return {row.text: row for row in unmet(search, shop.behaviour.database)}


def test_what_nobody_sells_is_a_missing_product(rows: dict[str, Unmet]) -> None:
    row = rows["洗碗机"]
    assert (row.cause, row.failed, row.products) == ("product", 9, 0)
    assert "洗碗" in row.about


def test_a_limit_that_nothing_meets(rows: dict[str, Unmet]) -> None:
    row = rows["跑步鞋 10元以下"]
    assert (row.cause, row.about) == ("limit", "10元以下")
    assert row.products >= 2
    assert set(row.examples.split()) & {"s1", "s2"}


def test_what_is_not_chosen_although_it_fits(rows: dict[str, Unmet]) -> None:
    assert rows["blue t-shirt for men"].cause == "offer"
    assert rows["blue t-shirt for men"].failed == 11


def test_the_most_failures_come_first_and_causes_are_summed(rows: dict[str, Unmet]) -> None:
    failed = [row.failed for row in rows.values()]
    assert failed == sorted(failed, reverse=True)
    assert sum(causes(list(rows.values())).values()) == sum(failed)
    assert all(row.cure for row in rows.values())


def test_what_is_sold_out_and_what_says_nothing_of_an_attribute(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    opened = open_shop(tmp_path)
    shirts = [
        {"id": f"a{n}", "title": f"linen shirt {n}", "stock": 3, "attributes": {"colour": "green"} if n == 0 else {}}
        for n in range(6)
    ]
    hats = [{"id": f"h{n}", "title": f"straw hat {n}", "stock": 0} for n in range(3)]
    product = type(tiny_catalogue()[0])
    opened.store.upsert([product.model_validate(row) for row in (*shirts, *hats)])
    opened.indexer().catch_up()
    opened.engine.refresh()
    opened.understanding.refresh(at_once=True)
    for text in ("straw hat", "green linen shirt"):
        searched(opened, text, 10, 6)
    search = PlannedSearch(opened.engine, opened.understanding, None)
    found = {row.text: row for row in unmet(search, opened.behaviour.database)}
    opened.close()
    assert found["straw hat"].cause == "stock"
    assert (found["green linen shirt"].cause, found["green linen shirt"].about) == ("attribute", "colour")
