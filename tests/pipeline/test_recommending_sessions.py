"""Sessions and shopper profiles through a real store, index, event log and trained model."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from lingsou.cli.app import app
from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import Context, Product, RecommendRequest, ShopperProfile
from lingsou.events.schema import Event
from lingsou.pipeline.shop import Shop, open_shop

pytest.importorskip("lightgbm")
NOW = datetime.now(UTC) - timedelta(minutes=5)
COUNT = 20
PRODUCTS = [
    Product(
        id=f"tea{number}",
        title=f"Tea number {number}",
        category=("Drinks", "Tea"),
        brand="Oak" if number % 2 else "Elm",
        price=10 + number,
        currency="CNY",
        stock=5,
        created_at=NOW if number == 19 else None,
    )
    for number in range(COUNT)
]


def event(who: str, number: int, moment: datetime, action: str = "click") -> Event:
    return Event(action_name=action, time=moment, session_id=who, object_id=f"tea{number % COUNT}")


def shopping() -> list[Event]:
    """1,200 sessions an hour apart go up three numbers and return to the first; every third buys what it returns to."""
    random = np.random.default_rng(3)
    events = []
    for session in range(1_200):
        begun, first = NOW - timedelta(hours=1_201 - session), int(random.integers(0, COUNT))
        steps = [(first + step, "click") for step in range(3)] + [(first, "click")]
        if session % 3 == 0:
            steps += [(first, "cart"), (first, "purchase")]
        events += [
            event(f"s{session}", number, begun + timedelta(seconds=20 * place), action)
            for place, (number, action) in enumerate(steps)
        ]
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
    told = CliRunner().invoke(app, ["train", "recommend", "--data", str(root)])
    assert told.exit_code == 0, told.output
    assert "sessions: item-walk" in told.stdout
    assert "will buy: AUC" in told.stdout
    opened.recommendations.refresh()
    yield opened
    opened.close()


def test_a_session_goes_on_and_then_returns(shop: Shop) -> None:
    def first(*numbers: int) -> str:
        request = RecommendRequest(kind="session", n=2, items=tuple(f"tea{number}" for number in numbers), explain=True)
        answer = shop.recommendations.answer(request)
        assert answer.source == "session"
        assert f"tea{numbers[-1]}" not in [item.id for item in answer.items], "it is what the shopper looks at"
        assert answer.items[0].because is not None
        return answer.items[0].id

    assert first(4) == "tea5"
    assert first(4, 5) == "tea6"
    assert first(4, 5, 6) == "tea4"


def test_a_new_product_takes_a_last_place(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RecommendRequest(kind="session", n=6, items=("tea4",))
    plain = [item.id for item in shop.recommendations.answer(request).items]
    monkeypatch.setattr(shop.recommendations, "_freshness", 0.2)
    assert "tea19" not in plain
    assert [item.id for item in shop.recommendations.answer(request).items] == [*plain[:5], "tea19"]


def test_an_unknown_shopper_has_no_profile(shop: Shop) -> None:
    told = shop.recommendations.shopper(Context(session_id="nobody"))
    assert told == ShopperProfile(
        session_id="nobody", events=0, model=shop.recommendations.version, notices=("nothing is known of the shopper",)
    )


def test_chances_follow_the_running_session(shop: Shop) -> None:
    def after(who: str, *actions: str) -> ShopperProfile:
        start = datetime.now(UTC) - timedelta(seconds=20 * len(actions))
        shop.behaviour.events.append(
            [event(who, 7, start + timedelta(seconds=19 * place), each) for place, each in enumerate(actions)]
        )
        shop.live_events.refresh()
        return shop.recommendations.shopper(Context(session_id=who))

    looking, buying = after("looking", "click"), after("buying", "click", "cart")
    assert looking.will_buy is not None
    assert buying.will_buy is not None
    assert looking.will_buy < 0.6 < buying.will_buy
    done = after("done", "click", "cart", "purchase")
    assert done.will_leave is not None
    assert done.will_leave > 0.8
    assert buying.notices == ()
    assert buying.model == shop.recommendations.version
    assert buying.recent == ("tea7",)
    assert buying.categories[0].name == "Drinks > Tea"
    assert buying.brands[0].name == "Oak"
    assert buying.price_band is not None
    assert (buying.price_band.median, buying.price_band.currency) == (17, "CNY")
    silent = shop.recommendations.shopper(Context(session_id="buying", personalise=False))
    assert silent.events == 0
    assert silent.will_buy is None


def test_yesterdays_shopper_is_known_and_in_no_session(shop: Shop) -> None:
    shop.behaviour.events.append([event("yesterday", 3, datetime.now(UTC) - timedelta(days=1))])
    shop.live_events.refresh()
    told = shop.recommendations.shopper(Context(session_id="yesterday"))
    assert told.events == 1
    assert told.will_buy is None
    assert told.notices == ("no session is running",)
