"""`/v1/rules` over real HTTP: keys, draft, preview, publish, history, undo, conflicts, other workers."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import load_settings
from lingsou.testing.catalogue import tiny_catalogue

from .conftest import Service, make_folder, serving, wait_for
from .test_http import problem

PIN = {
    "id": "pin-card",
    "name": "礼品卡",
    "when": {"queries": [{"words": "laptop"}]},
    "then": [{"do": "pin", "ids": ["g1"]}],
}
FRESH = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), timeout=30)
"""Keeps no connection; a client made for each request would first read all certificates."""
SYNONYM = {"id": "tee", "then": [{"do": "synonyms", "words": ["sneakers", "running shoes"]}]}


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of two processes, so that what one publishes has to reach the other."""
    folder, key = make_folder(tmp_path_factory.mktemp("shop"))
    with Store.of(folder, load_settings(folder)) as store:
        store.upsert(tiny_catalogue())
    with serving(folder, key, workers=2) as running:
        wait_for(running, lambda: int(running.client.get("/ready").json()["lag"]) == 0)
        yield running


def call(service: Service, method: str, path: str = "", body: Any = None) -> httpx.Response:
    """One request with the key."""
    content = None if body is None else json.dumps(body)
    headers = {**service.auth, "content-type": "application/json"}
    return service.client.request(method, f"/v1/rules{path}", content=content, headers=headers)


def ids(service: Service, q: str) -> list[str]:
    """Over a new connection each time."""
    answer = FRESH.get(f"{service.client.base_url}/v1/search", params={"q": q}).json()
    return [hit["id"] for hit in answer["hits"]]


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("query_id", "took_ms", "stages")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/publish"),
        ("POST", "/undo"),
        ("GET", "/history"),
        ("POST", "/preview"),
    ],
)
def test_every_route_needs_a_key_that_may_write(service: Service, method: str, path: str) -> None:
    url = f"/v1/rules{path}"
    problem(service.client.request(method, url, json={}), 401)
    with Store.of(service.folder, load_settings(service.folder)) as store:
        _, reader = create_key(store.database, "reader", ["read"])
    problem(service.client.request(method, url, json={}, headers={"X-API-Key": reader}), 401)


def test_from_draft_to_undo(two_workers: Service) -> None:
    service = two_workers
    before = ids(service, "laptop")
    assert "g1" not in before
    sets = call(service, "PUT", body={"rules": [PIN, SYNONYM]}).json()
    assert (sets["version"], sets["revision"], sets["author"]) == (0, 1, "test")
    assert sets["draft"] == [PIN, SYNONYM]
    assert sets["changes"] == [{"id": "pin-card", "change": "added"}, {"id": "tee", "change": "added"}]
    assert ids(service, "laptop") == before, "a draft changes no search"

    request = {"q": "laptop", "explain": True}
    preview = call(service, "POST", "/preview", {"request": request}).json()
    assert [hit["id"] for hit in preview["live"]["hits"]] == before
    assert [hit["id"] for hit in preview["draft"]["hits"]] == ["g1", *before]
    bare = lasting(service.client.post("/v1/search", json=request).json())
    assert lasting(preview["live"]) == bare

    version = call(service, "POST", "/publish", {"note": "开业", "revision": 1}).json()
    assert (version["version"], version["author"], version["note"], version["rules"]) == (1, "test", "开业", 2)
    took = wait_for(service, lambda: all(ids(service, "laptop") == ["g1", *before] for _ in range(12)))
    assert took < 5
    live = lasting(service.client.post("/v1/search", json=request).json())
    assert live == lasting(preview["draft"])
    assert live["rules"] == [{"id": "pin-card", "name": "礼品卡", "did": ["pin g1 at 1"]}]

    undone = call(service, "POST", "/undo", {"version": 1}).json()
    assert (undone["version"], undone["restores"]) == (2, 0)
    wait_for(service, lambda: all(ids(service, "laptop") == before for _ in range(12)))
    assert lasting(service.client.post("/v1/search", json=request).json()) == bare
    versions = call(service, "GET", "/history").json()["versions"]
    assert [each["version"] for each in versions] == [2, 1]
    assert versions[1] == version
    problem(call(service, "POST", "/undo"), 409)


def test_conflicts_and_mistakes_name_the_cure(two_workers: Service) -> None:
    service = two_workers
    revision = call(service, "GET").json()["revision"]
    put = call(service, "PUT", body={"rules": [PIN], "revision": revision})
    assert put.status_code == 200
    late = problem(call(service, "PUT", body={"rules": [SYNONYM], "revision": revision}), 409)
    assert "'test' changed it" in late["detail"]
    assert late["cure"]
    problem(call(service, "POST", "/publish", {"revision": revision}), 409)
    problem(call(service, "POST", "/undo", {"version": 99}), 409)
    problem(call(service, "DELETE", body={"ids": ["no-such"]}), 404)
    assert call(service, "DELETE", body={"ids": ["pin-card"]}).json()["draft"] == []
    nothing = problem(call(service, "POST", "/publish"), 409)
    assert "same as what is published" in nothing["detail"]


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        ({"id": "r", "then": [{"do": "boost", "filter": {"colr": "x"}}]}, "then.0.filter.colr", "no field 'colr'"),
        ({"id": "r", "then": [{"do": "boost", "filter": {"price": "cheap"}}]}, "then.0.filter.price", "not a number"),
        ({"id": "r", "then": [{"do": "hide"}]}, "then.0.hide", "`ids` or `filter`"),
        ({"id": "r", "then": [{"do": "filter", "filter": {"brand": "\ud800"}}]}, "then.0.filter.filter", "JSON"),
        ({"id": "\ud800", "then": []}, "id", "Rule '\\ud800'"),
        ("r", None, "A rule without an id"),
    ],
)
@pytest.mark.parametrize("path", ["", "/preview"])
def test_a_wrong_rule_is_named_with_its_field(service: Service, path: str, rule: Any, field: str, words: str) -> None:
    body: dict[str, Any] = {"rules": [rule]} if not path else {"request": {}, "draft": [rule]}
    found = problem(call(service, "POST" if path else "PUT", path, body), 422)
    assert found.get("field") == field
    assert words in found["detail"]
    assert found["cure"]


def test_a_wrong_search_in_a_preview_is_a_wrong_request(service: Service) -> None:
    body = {"request": {"filters": {"colr": 1}}, "draft": []}
    assert problem(call(service, "POST", "/preview", body), 400)["field"] == "colr"
    assert problem(call(service, "POST", "/preview", {"request": {"page": 0}}), 422)["field"] == "request.page"


def test_the_service_describes_rules(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    assert "then" in document["components"]["schemas"]["Rule"]["properties"]
    items = document["components"]["schemas"]["PutRules"]["properties"]["rules"]["items"]
    assert items == {"$ref": "#/components/schemas/Rule"}
