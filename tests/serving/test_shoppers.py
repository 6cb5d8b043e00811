"""`/v1/shoppers/{id}`: for whom, with which key, and what is told without consent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.client import Client
from lingsou.core.errors import AuthenticationError
from lingsou.core.keys import create_key
from lingsou.core.settings import load_settings
from tests.serving.conftest import Service, wait_for

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
NOW = datetime.now(UTC) - timedelta(minutes=2)


def post(service: Service, *done: tuple[str, str, dict[str, str]]) -> None:
    """Post actions of the tiny catalogue's shoppers: action, product, ids."""
    rows: list[dict[str, Any]] = [
        {
            "action_name": action,
            "timestamp": (NOW + timedelta(seconds=place)).isoformat(),
            "event_attributes": {"object": {"object_id": product}},
            **ids,
        }
        for place, (action, product, ids) in enumerate(done)
    ]
    assert service.client.post("/v1/events", json=rows, headers=AGENT).json()["accepted"] == len(rows)


def profile(service: Service, name: str, **params: str) -> dict[str, Any]:
    answer = service.client.get(f"/v1/shoppers/{name}", params=params, headers=service.auth)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def test_a_profile_follows_what_is_done(service: Service) -> None:
    assert profile(service, "profiled")["events"] == 0
    user, visit = {"user_id": "profiled"}, {"session_id": "visit/1"}
    post(service, ("click", "s1", user), ("purchase", "s3", user), ("click", "t1", visit))
    wait_for(service, lambda: profile(service, "profiled")["events"] == 2)
    found = profile(service, "profiled")
    assert found["user_id"] == "profiled"
    assert "session_id" not in found
    assert found["recent"] == ["s3", "s1"]
    assert (found["categories"][0]["name"], found["brands"][0]["name"]) == ("Clothing > Shoes", "Kestrel")
    assert found["price_band"]["high"] == pytest.approx(549)
    assert "will_buy" not in found, "no recommender was trained"
    both = profile(service, "profiled", session_id="visit/1")
    assert (both["events"], both["recent"], both["session_id"]) == (3, ["t1", "s3", "s1"], "visit/1")
    assert profile(service, "visit/1")["recent"] == ["t1"], "a session by its id alone"


def test_without_consent_nothing_is_told(service: Service) -> None:
    post(service, ("click", "s1", {"user_id": "shy"}))
    wait_for(service, lambda: profile(service, "shy")["events"] == 1)
    silent = profile(service, "shy", personalise="false")
    assert (silent["events"], silent["recent"]) == (0, [])


def test_it_needs_a_key_that_may_write(service: Service) -> None:
    assert service.client.get("/v1/shoppers/anna").status_code == 401
    with Store.of(service.folder, load_settings(service.folder)) as store:
        _, reader = create_key(store.database, "reader", ["read"])
    assert service.client.get("/v1/shoppers/anna", headers={"X-API-Key": reader}).status_code == 401
    with Client(str(service.client.base_url)) as nobody, pytest.raises(AuthenticationError):
        nobody.shopper("anna")


def test_the_clients_know_it(service: Service) -> None:
    post(service, ("click", "s3", {"user_id": "a client"}))
    with Client(str(service.client.base_url), api_key=service.key) as client:
        wait_for(service, lambda: client.shopper("a client").events == 1)
        assert client.shopper("a client").brands[0].name == "Kestrel"
        assert client.shopper("a client", personalise=False).events == 0
        assert client.shopper("nobody", session_id="a client").session_id == "a client"
