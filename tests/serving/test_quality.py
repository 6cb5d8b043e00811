"""`/v1/quality` in process: keys, a run as a task, suggestions decided one by one and together, products, conflicts."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from lingsou.catalog.quality_tables import QUALITY_SCHEMA
from lingsou.catalog.suggestions import SuggestionStore
from lingsou.catalog.tasks import create_task
from lingsou.core.builtins import BUILTINS
from lingsou.core.keys import create_key
from lingsou.core.types import Product
from lingsou.pipeline.quality import quality_lock
from lingsou.serving.app import create_app
from lingsou.serving.worker import Worker

from .conftest import make_folder

LOUD = [Product(id=f"p{place}", title=f"LAMP {'X' * place}", brand="Lux") for place in range(1, 7)]
ROUTES = [
    ("GET", ""),
    ("POST", "/runs"),
    ("GET", "/suggestions"),
    ("POST", "/suggestions/apply"),
    ("POST", "/suggestions/refuse"),
    ("POST", "/suggestions/a/apply"),
    ("POST", "/suggestions/a/refuse"),
    ("POST", "/suggestions/a/undo"),
    ("GET", "/products/p1"),
]


class Api:
    """A client with a key, and what stands behind it."""

    def __init__(self, client: TestClient, key: str, worker: Worker):
        self.client, self.worker = client, worker
        self.auth = {"Authorization": f"Bearer {key}"}

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        sent = {} if body is None else {"json": body}
        answer = self.client.request(method, f"/v1/quality{path}", headers=self.auth, **sent)
        assert answer.status_code == status, answer.text
        return answer.json()

    def run(self, **body: Any) -> dict[str, Any]:
        """Run the checks, and wait for the end of the task."""
        task = self.call("POST", "/runs", body, 202)["task_id"]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            told: dict[str, Any] = self.client.get(f"/v1/tasks/{task}", headers=self.auth).json()
            if told["status"] != "running":
                return told
            time.sleep(0.02)
        raise AssertionError("the run does not end")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application, with one check and two audits."""
    root, here = tmp_path_factory.mktemp("quality"), "tests.pipeline.test_quality"
    (root / "own.toml").write_text("about = 'no exceptions'", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTINS, "check", {"shouting": f"{here}:Shouting"})
        patch.setitem(BUILTINS, "audit", {"absent": f"{here}:Absent", "brands": f"{here}:Brands"})
        patch.setenv("LINGSOU_QUALITY__PROFILE", str(root / "own.toml"))
        folder, key = make_folder(root / "shop")
        app = create_app(folder.root)
        with TestClient(app) as client:
            yield Api(client, key, app.state.worker)


@pytest.fixture
def api(opened: Api) -> Api:
    """The same, as if nothing had ever run."""
    store = opened.worker.shop.store
    with store.database.write() as connection:
        for table in QUALITY_SCHEMA.tables:
            connection.execute(delete(table))
    store.upsert([*LOUD, Product(id="a/b", title="Lamp", brand="Lux")])
    return opened


def test_every_route_needs_a_key_that_may_write(api: Api) -> None:
    reader = create_key(api.worker.shop.store.database, "reader", ["read"])[1]
    for method, path in ROUTES:
        for headers in ({}, {"X-API-Key": reader}):
            answer = api.client.request(method, f"/v1/quality{path}", headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_run_and_what_it_found(api: Api) -> None:
    empty = api.call("GET", "")
    assert (empty["run"], empty["trend"], empty["suggestions"], empty["running"]) == (None, [], [], False)
    assert "not run yet" in api.call("GET", "/products/p1", status=404)["detail"]
    told = api.run()
    assert (told["kind"], told["accepted"], told["problems"]) == ("quality", 7, [])
    assert "state" not in told
    found = api.call("GET", "")
    assert (found["run"]["number"], found["run"]["author"], found["run"]["deep"]) == (1, "test", False)
    (check,) = found["run"]["checks"]
    assert (check["id"], check["counts"]) == ("shouting", {"error": 0, "warning": 6, "info": 0})
    assert found["suggestions"] == [{"check": "shouting", "state": "open", "count": 6}]
    api.run(deep=True)
    found = api.call("GET", "?limit=1")
    assert found["run"]["skipped"][0]["id"] == "absent"
    (point,) = found["trend"]
    assert (point["number"], point["warnings"], point["products"]) == (2, 6, 7)
    product = api.call("GET", "/products/p6")
    assert product["score"] == pytest.approx(100 * (1 - 0.15 * 0.95))
    assert [each["evidence"] for each in product["findings"]] == ["LAMP XXXXXX"]
    assert [each["new"] for each in product["suggestions"]] == ["Lamp xxxxxx"]
    assert api.call("GET", "/products/a/b")["score"] == 100
    assert api.call("GET", "/products/none", status=404)["field"] == "product_id"


def test_suggestions_one_by_one(api: Api) -> None:
    api.run()
    (first, second, *_) = api.call("GET", "/suggestions")["suggestions"]
    path = f"/suggestions/{first['id']}"
    applied = api.call("POST", f"{path}/apply")
    assert (applied["state"], applied["history"][0]["author"]) == ("applied", "test")
    store = api.worker.shop.store
    assert store.get([first["product_id"]])[first["product_id"]].title == first["new"]
    assert "applied already" in api.call("POST", f"{path}/apply", status=409)["detail"]
    assert api.call("POST", f"{path}/undo")["state"] == "undone"
    assert store.get([first["product_id"]])[first["product_id"]].title == first["old"]
    store.upsert([Product(id=second["product_id"], title="Changed", brand="Lux")])
    stale = api.call("POST", f"/suggestions/{second['id']}/apply", status=409)
    assert 'is now "Changed"' in stale["detail"]
    assert stale["field"] == "title"
    assert stale["cure"]
    assert api.call("GET", "/suggestions?state=stale")["total"] == 1
    assert api.call("POST", f"/suggestions/{second['id']}/refuse")["state"] == "refused"
    assert api.call("POST", "/suggestions/nil/refuse", status=404)["field"] == "suggestion_id"


def test_suggestions_by_filter(api: Api) -> None:
    api.run()
    found = api.call("GET", "/suggestions?check=shouting&min_confidence=0.9&page_size=2&page=2")
    assert (found["total"], len(found["suggestions"]), found["page"]) == (6, 2, 2)
    assert api.call("GET", "/suggestions?min_confidence=0.99")["total"] == 0
    assert api.call("POST", "/suggestions/apply", {"product_id": "p1"}) == {"applied": 1, "refused": 0, "stale": 0}
    assert api.call("POST", "/suggestions/refuse", {"check": "shouting"}) == {"applied": 0, "refused": 5, "stale": 0}
    assert {each["state"]: each["count"] for each in api.call("GET", "")["suggestions"]} == {"applied": 1, "refused": 5}
    for path, body in (("/suggestions/apply", {"sate": "open"}), ("/suggestions/apply", {"min_confidence": 2})):
        assert api.call("POST", path, body, 422)["title"]
    assert api.call("GET", "/suggestions?state=lost", status=422)["field"] == "state"


def test_one_run_at_a_time_and_one_that_died(api: Api) -> None:
    database = api.worker.shop.store.database
    dead = create_task(database, "quality", accepted=0, sequence=0, state="running")
    with quality_lock(api.worker.shop.folder, database):
        assert "under way" in api.call("POST", "/runs", status=409)["detail"]
        assert api.call("GET", "")["running"]
        assert api.client.get(f"/v1/tasks/{dead.id}", headers=api.auth).json()["status"] == "running"
    api.run()
    told = api.client.get(f"/v1/tasks/{dead.id}", headers=api.auth).json()
    assert told["status"] == "failed"
    assert "has ended" in told["problems"][0]["reason"]


def test_a_run_that_fails_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the reason is for the log alone")

    monkeypatch.setattr(SuggestionStore, "record", broken)
    told = api.run()
    assert told["status"] == "failed"
    assert told["problems"][0]["cure"] == "The service's log says what."
    monkeypatch.undo()
    api.worker.stop.set()  # as at the end of the service; its other threads are not needed any more
    stopped = api.run()
    assert (stopped["status"], stopped["problems"][0]["reason"]) == ("failed", "The run was stopped.")
    assert not api.call("GET", "")["running"]
