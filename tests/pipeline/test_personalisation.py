"""Two shoppers, one query, two orders with reasons; through a real log, a trained ranker and the real pipeline."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import Context, Product, SearchRequest, SearchResponse
from lingsou.events.log import Selection
from lingsou.events.schema import Event
from lingsou.features import all_features
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.ranking.artefact import install
from lingsou.ranking.lambdamart import Choice, train
from lingsou.training.clicks import click_groups, searches_of
from lingsou.training.ranking import informative

pytest.importorskip("lightgbm")
NOW = datetime.now(UTC)
BRANDS = ("Kestrel", "Norrland", "Halden", "Brightoak", "Lumen", "Tallow")
QUERY, SHOWN = "trail running shoes", 20
PRODUCTS = [
    Product(
        id=f"{brand}-{n}",
        title=f"Trail running shoes {chr(65 + n)}",
        brand=brand,
        category=("Shoes", "Running"),
        price=50 + 7 * (n * 31 + len(brand) * 17) % 60,
    )
    for n in range(10)
    for brand in BRANDS
]


def log_of_shoppers(shop: Shop) -> None:
    """Sixty shoppers with one favourite brand each search five times; two more have only looked at products."""
    random = np.random.default_rng(3)
    events: list[Event] = []
    for search in range(300):
        shopper = search % 60
        liked = BRANDS[shopper % len(BRANDS)]
        moment = NOW - timedelta(days=20) + timedelta(hours=search * 1.5)
        base = {"query_id": f"q{search}", "user_id": f"shopper{shopper}", "session_id": f"s{search}"}
        events.append(Event(action_name="search", time=moment, message=QUERY, query_id=f"q{search}"))
        for place, number in enumerate(random.choice(len(PRODUCTS), SHOWN, replace=False), start=1):
            product = PRODUCTS[number]
            seen = {**base, "object_id": product.id, "ordinal": place}
            events.append(Event.model_validate({**seen, "action_name": "impression", "time": moment}))
            if random.random() < (0.9 if product.brand == liked else 0.05) / place**0.5:
                later = moment + timedelta(seconds=5 * place)
                events.append(Event.model_validate({**seen, "action_name": "click", "time": later}))
    for user, brand in (("anna", "Kestrel"), ("ben", "Norrland")):
        events += [
            Event(
                action_name="detail", time=NOW - timedelta(hours=20, minutes=n), user_id=user, object_id=f"{brand}-{n}"
            )
            for n in range(6)
        ]
    shop.behaviour.events.append(events)


def trained_shop(root: Path) -> Shop:
    """A shop whose ranker has learned from its log."""
    (root / SETTINGS_FILE).write_text("[encoder]\nname = ''\n[ranking]\nbudget_ms = 1000\n", encoding="utf-8")
    opened = open_shop(root)
    opened.store.upsert(PRODUCTS)
    opened.indexer().catch_up()
    opened.engine.refresh()
    opened.warm_up()
    log_of_shoppers(opened)
    columns = opened.behaviour.events.read(Selection())
    texts = {f"q{n}": QUERY for n in range(300)}
    search = PlannedSearch(opened.engine, opened.understanding, None)
    candidates = CandidateFeatures(opened.engine.segmenter)
    searches = searches_of(columns, texts)
    lessons = click_groups(columns, texts, searches, search, opened.store.get, candidates, all_features())
    features, groups = informative(all_features(), list(lessons))
    model = train(groups, [each.name for each in features], [each.monotone for each in features], Choice(), seeds=(1,))
    install(opened.folder.ranker, model, created=NOW)
    opened.ranking.refresh()
    opened.live_events.refresh()
    return opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened = trained_shop(tmp_path_factory.mktemp("shop"))
    yield opened
    opened.close()


def search(shop: Shop, **context: object) -> SearchResponse:
    return shop.pipeline.search(
        SearchRequest(q=QUERY, page_size=10, explain=True, context=Context.model_validate(context))
    )


def ids(response: SearchResponse) -> list[str]:
    return [hit.id for hit in response.hits]


def brands(response: SearchResponse) -> list[str]:
    return [hit.product.brand for hit in response.hits]


def texts_of(response: SearchResponse) -> str:
    return " ".join(hit.explanation.model_dump_json() for hit in response.hits if hit.explanation)


def test_each_shopper_gets_an_own_order_and_is_told_why(shop: Shop) -> None:
    anna, ben = search(shop, user_id="anna"), search(shop, user_id="ben")
    assert not [stage.fallback for stage in anna.stages if stage.stage == "rank" and stage.fallback]
    assert ids(anna) != ids(ben)
    assert brands(anna).count("Kestrel") >= 8
    assert brands(ben).count("Norrland") >= 8
    assert "you like this brand" in texts_of(anna)
    chinese = search(shop, user_id="anna", locale="zh-CN")
    assert "您偏爱该品牌" in texts_of(chinese)


def test_without_consent_nobody_is_known(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.now(UTC)

    class Stopped(datetime):
        """All searches at one moment: popularity fades while they run, and reasons name it."""

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return moment

    monkeypatch.setattr("lingsou.pipeline.search.datetime", Stopped)
    nobody = search(shop)
    for user in ("anna", "ben"):
        answer = search(shop, user_id=user, personalise=False)
        assert ids(answer) == ids(nobody)
        assert texts_of(answer) == texts_of(nobody)
        assert "you like" not in texts_of(answer)
        assert "your price range" not in texts_of(answer)
    assert len(set(brands(nobody))) > 1


def test_the_present_session_counts_as_soon_as_the_log_has_it(shop: Shop) -> None:
    def lumen(context: dict[str, object]) -> int:
        return brands(search(shop, **context)).count("Lumen")

    visit: dict[str, object] = {"session_id": "new-visit"}
    before = lumen(visit)
    shop.behaviour.events.append(
        [
            Event(
                action_name="click",
                time=datetime.now(UTC) - timedelta(seconds=20 + n),
                session_id="new-visit",
                object_id=f"Lumen-{n}",
            )
            for n in range(4)
        ]
    )
    shop.live_events.refresh()
    assert lumen(visit) > before
    # The clicks have made the brand more or less popular with everybody; nothing more than that is left.
    assert lumen({**visit, "personalise": False}) == lumen({})
    assert lumen(visit) > lumen({})
