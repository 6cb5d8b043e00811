"""The service is killed while events come in: nothing acknowledged is lost, and all of it is recommended by."""

import os
import random
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from lingsou.cli.app import app
from lingsou.core.settings import load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.pipeline.shop import open_shop
from lingsou.testing.events import ALL
from tests.pipeline.test_recommending import PRODUCTS, shopping

from .conftest import Service, make_folder, serving, wait_for

KILLS = 20
LOOKED_AT = 30
"""Shoppers whose recommendations are looked at in the end."""
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_while_events_come_in_loses_nothing_acknowledged(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm")
    folder, key = make_folder(tmp_path / "shop")
    shop = open_shop(folder.root)
    shop.store.upsert(PRODUCTS)
    shop.indexer().catch_up()
    shop.behaviour.events.append(shopping())
    shop.close()
    assert CliRunner().invoke(app, ["train", "recommend", "--data", str(folder.root)]).exit_code == 0
    acknowledged: dict[str, str] = {}
    chance = random.Random(5)
    for kill in range(KILLS):
        with serving(folder, key) as service:
            writer = threading.Thread(target=click_on, args=(service, kill, acknowledged))
            before = len(acknowledged)
            writer.start()
            wait_for(service, lambda before=before: len(acknowledged) > before)
            time.sleep(chance.uniform(0.0, 0.3))
            os.killpg(service.process.pid, signal.SIGKILL)
            writer.join()
    assert len(acknowledged) >= KILLS
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        stored = behaviour.events.read(ALL)
        pseudonym = behaviour.privacy.pseudonym
        clicked = dict(zip(stored.user_id, stored.object_id, strict=True))
        assert {who: clicked.get(pseudonym(who)) for who in acknowledged} == acknowledged
    with serving(folder, key) as service:
        for who in chance.sample(sorted(acknowledged), min(LOOKED_AT, len(acknowledged))):
            wait_for(service, lambda who=who: spoke(service, who) == {acknowledged[who]})


def click_on(service: Service, kill: int, acknowledged: dict[str, str]) -> None:
    """One shopper after the other clicks one product, until the service is gone."""
    with httpx.Client(base_url=service.client.base_url, timeout=30, headers=AGENT) as client:
        for number in range(100_000):
            who, product = f"shopper {kill}/{number}", f"tea{number % 20}"
            event = {
                "action_name": "click",
                "timestamp": datetime.now(UTC).isoformat(),
                "user_id": who,
                "event_attributes": {"object": {"object_id": product}},
            }
            try:
                answer = client.post("/v1/events", json=event)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged[who] = product


def spoke(service: Service, who: str) -> set[str]:
    """The products of the history that the recommendations are for."""
    body = {"n": 3, "explain": True, "context": {"user_id": who}}
    items = service.client.post("/v1/recommend", json=body).json()["items"]
    return {item["because"] for item in items if "because" in item}
