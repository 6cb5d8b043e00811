"""Examples from a shop itself: its catalogue, and what its shoppers did, through a real store and log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lingsou.core.errors import InputError
from lingsou.core.settings import SETTINGS_FILE
from lingsou.core.types import Product
from lingsou.events.schema import Event
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.training.data import load, splits_of
from lingsou.training.examples import HistorySet, LabelSet, PairSet, TextSet
from lingsou.training.recipe import DataSpec

HERE = Path()
NOW = datetime.now(UTC)
PLACES = 8
LOG = DataSpec(format="log", validation=0, test=0.2)
CATALOGUE = DataSpec(format="catalogue")


def opened(root: Path) -> Shop:
    (root / SETTINGS_FILE).write_text("[encoder]\nname = ''\n", encoding="utf-8")
    return open_shop(root)


def event(action: str, minutes: float, **more: Any) -> Event:
    return Event.model_validate({"action_name": action, "time": NOW - timedelta(days=9, minutes=-minutes), **more})


def searched(
    number: int, words: str, shown: list[str], clicked: list[str], bought: tuple[str, ...] = ()
) -> list[Event]:
    base = {"query_id": f"q{number}", "user_id": f"u{number % 5}", "session_id": f"s{number}"}
    events = [event("search", number, query_id=f"q{number}", message=words)]
    for place, id_ in enumerate(shown, start=1):
        seen = {**base, "object_id": id_, "ordinal": place}
        events.append(event("impression", number, **seen))
        events += [event("click", number + 0.1 + place / 100, **seen)] if id_ in clicked else []
        events += [event("purchase", number + 0.5, **seen)] if id_ in bought else []
    return events


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    found = opened(tmp_path_factory.mktemp("shop"))
    kinds = ("Lamps", "Chairs")
    found.store.upsert(
        [
            Product(id=f"p{n}", title=f"Thing {n}", brand="Kestrel", category=("Home", kinds[n % 2]), price=10 * n + 1)
            for n in range(PLACES + 2)
        ]
    )
    shown = [f"p{n}" for n in range(PLACES)]
    events: list[Event] = []
    for number in range(40):
        words = ("desk lamp", "Chair")[number % 2]
        # p1 is clicked wherever it stands, p0 never; p3 of the chairs is bought; what p9 was is not known any more.
        order = shown[number % 3 :] + shown[: number % 3]
        wanted = ["p1", "p3"] if words == "Chair" else ["p1"]
        events += searched(number, words, order, wanted, ("p3",) if words == "Chair" else ())
    events.append(event("click", 99, user_id="u1", object_id="gone"))
    found.behaviour.events.append(events)
    yield found
    found.close()


def test_every_product_has_the_text_that_the_encoder_gets(shop: Shop) -> None:
    found = load(CATALOGUE, "masking", HERE, shop)
    assert isinstance(found, TextSet)
    assert len(found) == PLACES + 2
    assert found.texts[0] == "Thing 0. Kestrel. Lamps"
    assert found.slices["brand"][0] == "Kestrel"


def test_categories_are_those_of_the_first_level_that_differs_and_not_told_by_the_text(shop: Shop) -> None:
    found = load(CATALOGUE, "classes", HERE, shop)
    assert isinstance(found, LabelSet)
    assert found.names == ("Chairs", "Lamps")
    assert found.texts[0] == "Thing 0. Kestrel"
    assert "category" not in found.slices


def test_clicks_and_purchases_make_grades(shop: Shop) -> None:
    found = load(LOG, "matching", HERE, shop)
    assert isinstance(found, PairSet)
    assert set(found.queries) == {"desk lamp", "chair"}
    grades = {
        (found.queries[q], found.texts[t][6]): float(grade)
        for q, t, grade in zip(found.query, found.text, found.grades, strict=True)
    }
    assert grades["chair", "3"] == 3.0
    assert 0 < grades["desk lamp", "1"] < 3
    assert grades["desk lamp", "0"] == 0
    assert grades["chair", "1"] > 0


def test_only_what_was_looked_at_counts_as_not_clicked(shop: Shop) -> None:
    found = load(LOG, "click", HERE, shop)
    assert isinstance(found, PairSet)
    assert set(found.grades.tolist()) == {0.0, 1.0}
    texts = {found.texts[t][6] for q, t in zip(found.query, found.text, strict=True) if found.queries[q] == "desk lamp"}
    # A third of the desk lamp searches begin with p0 p1, a third with p1, and a third has p1 last of all.
    assert texts == {str(n) for n in range(PLACES)}
    short = [n for n in range(40) if n % 3 == 1 and n % 2 == 0]
    rows = sum(found.queries[q] == "desk lamp" for q in found.query)
    assert rows == len(short) * 1 + 7 * 2 + (20 - len(short) - 7) * PLACES


def test_histories_are_of_shoppers_and_of_products_that_exist(shop: Shop) -> None:
    found = load(LOG, "history", HERE, shop)
    assert isinstance(found, HistorySet)
    assert len(found) == 5
    assert {text[6] for text in found.texts} == {"1", "3"}
    assert not any(shopper.startswith("u") for shopper in found.shoppers)
    splits, card = splits_of(LOG, "history", HERE, shop)
    assert (len(splits.train), len(splits.test)) == (4, 1)
    assert card.source == "the shop's log"


def test_an_empty_shop_says_what_to_do(tmp_path: Path) -> None:
    empty = opened(tmp_path)
    try:
        for spec, kind in (
            (CATALOGUE, "masking"),
            (CATALOGUE, "classes"),
            (LOG, "matching"),
            (LOG, "click"),
            (LOG, "history"),
        ):
            with pytest.raises(InputError) as caught:
                load(spec, kind, HERE, empty)  # type: ignore[arg-type] # the literal is lost in the tuple
            assert caught.value.cure
    finally:
        empty.close()


def test_judgements_of_the_shops_own_products(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("query,docid,rating\nlamp,p0,3\nlamp,p1,0\n", encoding="utf-8")
    found = load(DataSpec(format="judgements", path="ratings.csv"), "relevance", tmp_path, shop)
    assert isinstance(found, PairSet)
    assert found.texts == ("Thing 0. Kestrel. Lamps", "Thing 1. Kestrel. Chairs")
