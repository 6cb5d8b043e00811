"""`/v1/recommend` over HTTP, and how soon an event moves it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from lingsou.cli.app import app
from lingsou.pipeline.shop import open_shop
from tests.pipeline.test_recommending import PRODUCTS, shopping
from tests.serving.conftest import Service, make_folder, serving, wait_for

pytest.importorskip("lightgbm")
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}


@pytest.fixture(scope="module")
def recommending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder, key = make_folder(tmp_path_factory.mktemp("recommending") / "data")
    shop = open_shop(folder.root)
    shop.store.upsert(PRODUCTS)
    shop.indexer().catch_up()
    shop.behaviour.events.append(shopping())
    shop.close()
    with serving(folder, key) as service:
        yield service


def recommend(service: Service, **body: Any) -> dict[str, Any]:
    answer = service.client.post("/v1/recommend", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


def test_from_best_sellers_to_a_model_to_what_was_just_clicked(recommending: Service) -> None:
    """The service runs all the while: it takes the model up, and then each event."""
    before = recommend(recommending, n=3)
    assert before["source"] == "sales"
    assert "lingsou train recommend" in before["notices"][0]
    told = CliRunner().invoke(app, ["train", "recommend", "--data", str(recommending.folder.root)])
    assert told.exit_code == 0, told.output
    wait_for(recommending, lambda: "model" in recommend(recommending, n=3))

    shopper = {"user_id": "walker"}
    wait_for(recommending, lambda: ids(recommend(recommending, context=shopper))[:1] == ["bike6"])
    newcomer = {"user_id": "somebody-else"}
    assert ids(recommend(recommending, context=newcomer))[:1] != ["tea8"]
    click = {
        "action_name": "click",
        "timestamp": datetime.now(UTC).isoformat(),
        "user_id": "somebody-else",
        "event_attributes": {"object": {"object_id": "tea7"}},
    }
    start = time.monotonic()
    assert recommending.client.post("/v1/events", json=[click], headers=AGENT).json()["accepted"] == 1
    wait_for(recommending, lambda: ids(recommend(recommending, context=newcomer))[:1] == ["tea8"])
    assert time.monotonic() - start < 20, "a busy machine is granted much more than the second it takes"
    assert ids(recommend(recommending, context=shopper))[:1] == ["bike6"]
    assert recommend(recommending, context=newcomer, explain=True)["items"][0]["because"] == "tea7"


def test_what_is_wrong_is_named(recommending: Service) -> None:
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"kind": "psychic"}, 422, "kind"),
        ({"n": 0}, 422, "n"),
        ({"filters": {"colour": ["red"]}}, 400, "colour"),
        ({"nn": 3}, 422, "nn"),
    ]
    for body, status, field in wrong:
        answer = recommending.client.post("/v1/recommend", json=body)
        assert answer.status_code == status
        assert field in answer.text
