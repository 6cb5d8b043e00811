"""`/v1/events` over real HTTP: batches, per-row errors, browsers, and what a crash leaves."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lingsou.core.settings import load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection
from lingsou.testing.events import ALL

from .conftest import Service, make_folder, serving, wait_for

CHROME = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
ROUNDS = 5


def event(number: int, **more: Any) -> dict[str, Any]:
    place = {"object": {"object_id": f"p{number}"}, "position": {"ordinal": 1}}
    return {"action_name": "click", "timestamp": "2026-03-01T12:00:00Z", "event_attributes": place, **more}


def test_one_many_and_lines(service: Service) -> None:
    post = service.client.post
    assert post("/v1/events", json=event(1, event_id="one")).json() == {
        "accepted": 1, "duplicates": 0, "rejected": 0, "problems": [],
    }  # fmt: skip
    batch = [event(n, event_id=f"many{n}") for n in range(3)]
    assert post("/v1/events", json=[*batch, batch[0]]).json()["duplicates"] == 1
    lines = b'{"action_name": "watch", "timestamp": "2026-03-01T12:00:00Z"}\n\nnot json\n'
    answer = post("/v1/events", content=lines, headers={"Content-Type": "application/x-ndjson"}).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert answer["problems"][0]["row"] == 2


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own: events would change what others count."""
    with serving(*make_folder(tmp_path_factory.mktemp("events"))) as running:
        yield running


def test_bad_rows_are_named_and_the_others_kept(service: Service) -> None:
    bad = [event(1, event_id="good"), event(2, timestamp="?"), 7, event(3, query_id="x" * 200)]
    answer = service.client.post("/v1/events", json=bad)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 3)
    assert [(p["row"], p.get("field")) for p in answer.json()["problems"]] == [
        (2, "timestamp"),
        (3, None),
        (4, "query_id"),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"[1]", 422),
        (b"[" + b"{}," * 5_000 + b"{}]", 422),
        (b" " * (4 << 20) + b"1", 413),
    ],
    ids=["empty", "no json", "no event", "no object", "too many", "too large"],
)
def test_what_is_refused_as_a_whole(service: Service, body: bytes, status: int) -> None:
    answer = service.client.post("/v1/events", content=body)
    assert answer.status_code == status
    assert answer.json()["cure"]


def test_robots_are_flagged_and_searches_logged(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    with serving(folder, key) as service:
        service.client.post("/v1/events", json=event(1))
        service.client.post("/v1/events", json=event(2), headers=CHROME)
        body = {"q": "红色 13800138000", "context": {"user_id": "anna"}}
        query_id = service.client.post("/v1/search", json=body).json()["query_id"]
        with open_behaviour(folder, load_settings(folder)) as behaviour:
            assert list(behaviour.events.read(Selection()).object_id) == ["p2"]
            assert sorted(behaviour.events.read(ALL).object_id) == ["p1", "p2"]
            wait_for(service, lambda: _searches(behaviour))
            (row,) = _searches(behaviour)
            assert (row["query_id"], row["text"]) == (query_id, "红色 [phone]")
            assert row["user_id"] == behaviour.privacy.pseudonym("anna")
        metrics = service.client.get("/metrics").text
        assert 'lingsou_events_total{outcome="accepted"} 2.0' in metrics
        assert "lingsou_search_log_dropped_total 0.0" in metrics
        log = (folder.root / "service.log").read_text(encoding="utf-8")
        assert "anna" not in log
        assert "13800138000" not in log
        assert folder.secret.read_text().strip() not in log


def _searches(behaviour: Any) -> list[Any]:
    from sqlalchemy import select

    from lingsou.events.tables import searches

    with behaviour.database.read() as connection:
        return list(connection.execute(select(searches)).mappings())


def test_the_last_searches_are_written_at_the_end(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    with serving(folder, key) as service:
        for n in range(20):
            service.client.get("/v1/search", params={"q": f"word{n}"})
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        assert len(_searches(behaviour)) == 20


def test_a_key_where_the_shop_asks_for_one_and_pages_of_other_origins(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    text = folder.settings_file.read_text(encoding="utf-8")
    text = text.replace(
        "[server]\n", '[events]\nkey_required = true\n[server]\ncors_origins = ["https://shop.example"]\n'
    )
    folder.settings_file.write_text(text, encoding="utf-8")
    with serving(folder, key) as service:
        post = service.client.post
        refused = post("/v1/events", json=event(1), headers={"Origin": "https://shop.example"})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://shop.example"
        assert post("/v1/events", json=event(1), headers=service.auth).json()["accepted"] == 1
        other = post("/v1/events", json=event(1), headers={**service.auth, "Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_9_loses_no_acknowledged_event(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    acknowledged: set[str] = set()
    rng = random.Random(5)
    for round_ in range(ROUNDS):
        with serving(folder, key, workers=1 + round_ % 2) as service:
            stop = threading.Event()
            writers = [
                threading.Thread(target=send_on, args=(service, f"{round_}-{n}", acknowledged, stop)) for n in range(3)
            ]
            for writer in writers:
                writer.start()
            before = len(acknowledged)
            wait_for(service, lambda before=before: len(acknowledged) > before + 100)
            time.sleep(rng.uniform(0.3, 1.2))
            os.killpg(service.process.pid, signal.SIGKILL)
            stop.set()
            for writer in writers:
                writer.join()
    assert len(acknowledged) > ROUNDS * 100
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        stored = list(behaviour.events.read(ALL).object_id)
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored)), "and none is there twice"


def send_on(service: Service, name: str, acknowledged: set[str], stop: threading.Event) -> None:
    place = 0
    with httpx.Client(base_url=service.client.base_url, timeout=30) as client:
        while not stop.is_set():
            ids = [f"{name}-{place + n}" for n in range(100)]
            rows = [event(0) | {"event_attributes": {"object": {"object_id": each}}} for each in ids]
            try:
                answer = client.post("/v1/events", json=rows)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.update(ids)
            place += 100
