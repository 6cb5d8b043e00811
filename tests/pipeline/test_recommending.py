"""Recommendations through a real store, index, event log and trained model."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lingsou.cli.app import app
from lingsou.core.errors import RequestError
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import Context, Product, ProductPatch, RecommendRequest, RecommendResponse
from lingsou.events.schema import Event
from lingsou.pipeline.recommending import Recommendations
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.recommend.artefact import current

pytest.importorskip("lightgbm")
NOW = datetime.now(UTC) - timedelta(minutes=5)
PRODUCTS = [
    Product(
        id=f"{kind}{number}",
        title=f"{kind.capitalize()} number {number}",
        category=(kind,),
        brand="Oak" if number % 2 else "Elm",
        price=10 + number,
        stock=5,
        sales=number,
    )
    for kind in ("tea", "bike")
    for number in range(20)
]


def event(user: str, kind: str, number: int, moment: datetime, action: str = "click") -> Event:
    return Event(action_name=action, time=moment, user_id=user, object_id=f"{kind}{number % 20}")


def shopping() -> list[Event]:
    """120 shoppers walk along one kind, one number up at a time; 60 others buy two teas together every 20 days."""
    random = np.random.default_rng(3)
    events = []
    for user in range(120):
        kind, first = ("tea", "bike")[user % 2], int(random.integers(0, 20))
        for step in range(6):
            moment = NOW - timedelta(days=100 - 10 * step, seconds=user)
            events.append(event(f"u{user}", kind, first + step, moment))
    for buyer in range(60):
        for days in (85, 65, 45):
            moment = NOW - timedelta(days=days, seconds=buyer)
            events.append(event(f"b{buyer}", "tea", buyer % 5, moment, "purchase"))
            events.append(event(f"b{buyer}", "tea", buyer % 5 + 10, moment, "purchase"))
    events += [event("walker", "bike", number, NOW - timedelta(minutes=9 - number)) for number in (3, 4, 5)]
    return events


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("shop")
    (root / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    opened = open_shop(root)
    opened.store.upsert(PRODUCTS)
    opened.indexer().catch_up()
    opened.engine.refresh()
    opened.behaviour.events.append(shopping())
    told = CliRunner().invoke(app, ["train", "recommend", "--data", str(root), "--json"])
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert report["installed"] == current(opened.folder.recommender)
    assert report["ndcg@10"]["blend"] > 0.5
    assert opened.recommendations.refresh()
    assert not opened.recommendations.refresh()
    opened.live_events.refresh()
    yield opened
    opened.close()


def ask(shop: Shop, kind: str, user: str | None = None, **fields: object) -> RecommendResponse:
    values = {"kind": kind, "n": 3, "context": Context(user_id=user), "explain": True, **fields}
    return shop.recommendations.answer(RecommendRequest.model_validate(values))


def ids(response: RecommendResponse) -> list[str]:
    return [item.id for item in response.items]


def test_a_shopper_goes_on_along_the_row_and_is_told_why(shop: Shop) -> None:
    answer = ask(shop, "for-you", "walker")
    assert ids(answer)[0] == "bike6"
    assert answer.source == "blend"
    assert answer.model == shop.recommendations.version
    assert answer.items[0].because == "bike5"
    assert answer.items[0].reason == "Because you looked at Bike number 5"
    chinese = ask(shop, "for-you", context={"user_id": "walker", "locale": "zh-CN"})
    assert chinese.items[0].reason == "因为您看过Bike number 5"
    assert not {"bike3", "bike4", "bike5"} & set(ids(ask(shop, "for-you", "walker", n=40)))


def test_a_new_event_changes_that_shoppers_answer_and_nobody_elses(shop: Shop) -> None:
    before = ids(ask(shop, "for-you", "walker"))
    assert ids(ask(shop, "for-you", "newcomer")) != ["tea8"]
    shop.behaviour.events.append([event("newcomer", "tea", 7, datetime.now(UTC) - timedelta(seconds=1))])
    shop.live_events.refresh()
    assert ids(ask(shop, "for-you", "newcomer"))[0] == "tea8"
    assert ids(ask(shop, "for-you", "walker")) == before


def test_clicks_in_the_request_count_before_the_log_has_them(shop: Shop) -> None:
    assert ids(ask(shop, "session", items=["tea1", "tea2"]))[0] == "tea3"


def test_without_consent_or_name_there_is_what_is_popular(shop: Shop) -> None:
    nobody = ask(shop, "for-you")
    assert nobody.notices == ("nothing is known of the shopper",)
    assert len(nobody.items) == 3
    assert nobody.items[0].reason == "Popular with other shoppers"
    unasked = ask(shop, "for-you", context={"user_id": "walker", "personalise": False})
    assert ids(unasked) == ids(nobody)


def test_filters_and_exclusions_hold_however_narrow(shop: Shop) -> None:
    answer = ask(shop, "for-you", "walker", filters={"brand": ["Oak"]}, exclude=["bike7"])
    assert [item.product.brand for item in answer.items] == ["Oak"] * 3
    assert "bike7" not in ids(answer)
    dear = ask(shop, "for-you", "walker", filters={"price": {"gte": 29}}, n=10)
    assert set(ids(dear)) <= {"tea19", "bike19"}
    assert dear.items
    with pytest.raises(RequestError, match="colour"):
        ask(shop, "for-you", "walker", filters={"colour": ["red"]})


def test_a_varied_list_has_the_same_first_and_more_brands(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ask(shop, "for-you", "walker", n=6)
    monkeypatch.setattr(shop.recommendations, "_diversity", 0.9)
    varied = ask(shop, "for-you", "walker", n=6)
    assert ids(varied)[0] == ids(plain)[0]
    kinds = {item.product.category for item in varied.items[:3]}
    assert len(kinds) == 2, "teas beside bikes"
    assert len(varied.items) == 6
    assert len(set(ids(varied))) == 6


def test_what_is_sold_out_does_not_come(shop: Shop) -> None:
    shop.store.patch([ProductPatch(id="bike6", stock=0)])
    shop.indexer().catch_up()
    shop.engine.refresh()
    try:
        assert "bike6" not in ids(ask(shop, "for-you", "walker", n=40))
    finally:
        shop.store.patch([ProductPatch(id="bike6", stock=5)])
        shop.indexer().catch_up()
        shop.engine.refresh()


def test_beside_a_product_and_beside_a_cart(shop: Shop) -> None:
    similar = ask(shop, "similar", "walker", items=["tea5"])
    assert all(id_.startswith("tea") for id_ in ids(similar))
    assert "tea5" not in ids(similar)
    assert similar.items[0].reason == "Similar to Tea number 5"
    together = ask(shop, "bought-together", items=["tea2"])
    assert ids(together) == ["tea12"]
    assert together.items[0].reason == "Often bought together with Tea number 2"
    assert ids(ask(shop, "bought-together", items=["bike2"])) == []


def test_tea_comes_again_when_it_runs_out(shop: Shop) -> None:
    events = [event("drinker", "tea", 3, NOW - timedelta(days=days), "purchase") for days in (56, 37, 18)]
    shop.behaviour.events.append(events)
    shop.live_events.refresh()
    answer = ask(shop, "replenish", "drinker")
    assert ids(answer) == ["tea3"]
    assert answer.items[0].reason == "You bought it before and may need it again"
    assert ids(ask(shop, "replenish", "walker")) == []


def test_nothing_trends_in_a_quiet_shop(shop: Shop) -> None:
    answer = ask(shop, "trending")
    assert answer.source == "popularity"
    assert answer.notices == ("nothing trends just now: what is popular instead",)
    assert len(answer.items) == 3


def test_before_any_training_there_are_best_sellers(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    opened = open_shop(tmp_path)
    try:
        opened.store.upsert(PRODUCTS)
        opened.indexer().catch_up()
        opened.engine.refresh()
        answer = ask(opened, "for-you", exclude=["tea19"])
        assert answer.source == "sales"
        assert answer.model is None
        assert "lingsou train recommend" in answer.notices[0]
        assert ids(answer)[0] == "bike19"
        assert "tea19" not in ids(answer)
    finally:
        opened.close()


def test_a_model_that_cannot_be_read_leaves_the_one_before(shop: Shop) -> None:
    """The next version is damaged: answers go on as they were."""
    version = shop.recommendations.version
    told = CliRunner().invoke(app, ["train", "recommend", "--data", str(shop.folder.root)])
    assert told.exit_code == 0
    assert "ndcg@10" in told.stdout
    newest = current(shop.folder.recommender)
    assert newest
    (shop.folder.recommender / newest / "model.json").write_text("{}")
    assert shop.recommendations.refresh()
    assert shop.recommendations.version == version
    assert ids(ask(shop, "for-you", "walker"))[0] == "bike6"
    fresh = Recommendations(shop.folder.recommender, shop.store.get, shop.engine.view, shop.live_events)
    answer = fresh.answer(RecommendRequest())
    assert answer.source == "sales"
    assert answer.notices == ("the recommender cannot be read: lingsou train recommend",)
    ModelStore(shop.folder.recommender).rollback()
    assert fresh.refresh()
    assert fresh.version == version


def test_on_the_terminal_and_for_everybody(shop: Shop, tmp_path: Path) -> None:
    where, out = ["--data", str(shop.folder.root)], tmp_path / "all.parquet"
    told = CliRunner().invoke(app, ["recommend", "--user", "walker", "--n", "3", "--explain", "--json", *where])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["items"][0]["id"] == "bike6"
    shown = CliRunner().invoke(
        app, ["recommend", "--kind", "similar", "--item", "tea5", "--filter", "brand=Elm", *where]
    )
    assert shown.exit_code == 0
    assert "Elm" in shown.stdout
    assert "Oak" not in shown.stdout
    wrong = CliRunner().invoke(app, ["recommend", "--kind", "psychic", *where])
    assert isinstance(wrong.exception, RequestError)
    written = CliRunner().invoke(app, ["recommend", "--out", str(out), "--n", "2", *where])
    assert written.exit_code == 0, written.output
    table = import_module("pyarrow.parquet").read_table(out).to_pydict()
    walker = f"u{shop.behaviour.privacy.pseudonym('walker')}"
    own = [
        (place, id_)
        for who, place, id_ in zip(table["shopper"], table["place"], table["product"], strict=True)
        if who == walker
    ]
    assert own[0] == (1, "bike6")
    assert len(own) == 2
