"""The gate and `/v1/quality/quarantine` over real HTTP: what is sent, held back, listed, released, dropped."""

from typing import Any

import httpx
import pytest

from .conftest import Service, wait_for
from .test_http import problem

PATH = "/v1/quality/quarantine"


def send(service: Service, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = service.client.post("/v1/products", json=list(rows), headers=service.auth)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def listed(service: Service, **parameters: Any) -> dict[str, Any]:
    answer = service.client.get(PATH, params=parameters, headers=service.auth)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def close(service: Service, entry: int, how: str) -> httpx.Response:
    return service.client.post(f"{PATH}/{entry}/{how}", headers=service.auth)


def entry_of(service: Service, product_id: str, state: str = "held") -> dict[str, Any]:
    (entry,) = [each for each in listed(service, state=state, limit=500)["entries"] if each["product_id"] == product_id]
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/1/release"), ("POST", "/1/drop")])
def test_every_route_needs_a_key(service: Service, method: str, path: str) -> None:
    problem(service.client.request(method, PATH + path), 401)


def test_what_is_sent_passes_the_gate_and_the_task_says_what_did_not(service: Service) -> None:
    bad = {"id": "gate-bad", "title": "Beige gadget <script>x</script>"}
    answer = send(service, {"id": "gate-good", "title": "Beige gadget"}, bad, {"id": "gate-none", "title": ""})
    assert (answer["accepted"], answer["quarantined"], answer["rejected"], answer["added"]) == (1, 1, 1, 1)
    assert [(each["row"], each["field"]) for each in answer["problems"]] == [(2, "title"), (3, "title")]
    assert "held back by html" in answer["problems"][0]["reason"]
    assert answer["problems"][0]["cure"]
    task = service.client.get(f"/v1/tasks/{answer['task_id']}", headers=service.auth).json()
    assert (task["accepted"], task["quarantined"], task["rejected"]) == (1, 1, 1)
    problem(service.client.get("/v1/products/gate-bad"), 404)
    entry = entry_of(service, "gate-bad")
    assert (entry["source"], entry["row"], entry["state"]) == ("http", 2, "held")
    assert entry["reasons"][0]["check"] == "html"
    assert entry["product"]["title"] == bad["title"]


def test_a_release_loads_it_and_is_kept_with_its_name(service: Service) -> None:
    bad = {"id": "gate-release", "title": "Quixotic gizmo <script>x</script>"}
    assert send(service, bad)["accepted"] == 0
    number = entry_of(service, "gate-release")["id"]
    answer = close(service, number, "release").json()
    assert (answer["entry"]["state"], answer["entry"]["closed_by"]) == ("released", "test")
    assert answer["sequence"] > 0
    search = {"q": "quixotic gizmo"}
    wait_for(service, lambda: service.client.get("/v1/search", params=search).json()["total"] == 1)
    problem(close(service, number, "release"), 409)
    problem(close(service, 10**9, "release"), 404)
    again = send(service, bad)
    assert (again["accepted"], again["quarantined"], again["unchanged"]) == (1, 0, 1), "as it was released"
    assert send(service, bad | {"title": "Other <script>"})["quarantined"] == 1
    assert service.client.get("/v1/products/gate-release").json()["title"] == bad["title"], "the old version stays"


def test_what_is_dropped_is_forgotten_and_a_good_version_replaces_what_is_held(service: Service) -> None:
    rows = [{"id": f"gate-{name}", "title": "Gadget <script>"} for name in ("drop", "mend")]
    send(service, *rows)
    assert close(service, entry_of(service, "gate-drop")["id"], "drop").json()["entry"]["state"] == "dropped"
    problem(service.client.get("/v1/products/gate-drop"), 404)
    assert send(service, {"id": "gate-mend", "title": "Gadget"})["added"] == 1
    assert entry_of(service, "gate-mend", "replaced")["closed_at"]


def test_of_two_rows_with_one_id_the_last_holds(service: Service) -> None:
    good, bad = {"id": "gate-two", "title": "Gadget"}, {"id": "gate-two", "title": "Gadget <script>"}
    first = send(service, bad, good)
    assert (first["accepted"], first["quarantined"]) == (2, 0)
    second = send(service, good, bad)
    assert (second["accepted"], second["quarantined"]) == (1, 1)
    assert entry_of(service, "gate-two")["row"] == 2


def test_pages_and_problems(service: Service) -> None:
    send(service, *({"id": f"gate-page-{number}", "title": "Gadget <script>"} for number in range(5)))
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = listed(service, check="html", limit=2, after=after)
        seen += [entry["id"] for entry in page["entries"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert len(seen) == page["total"] >= 5
    assert {"check": "html", "problem": "markup that runs or loads something", "count": len(seen)} in page["problems"]
    assert listed(service, check="nothing")["total"] == listed(service, check="\0")["total"] == 0
    problem(service.client.get(PATH, params={"state": "lost"}, headers=service.auth), 422)
