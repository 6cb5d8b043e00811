"""What a crash, several workers and a full disk do to the service."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from lingsou.catalog.store import Store
from lingsou.core.settings import load_settings
from lingsou.testing.catalogue import tiny_catalogue

from .conftest import Service, make_folder, serving, wait_for

ROUNDS = 20


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_9_during_continuous_writes_loses_nothing_acknowledged(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    acknowledged: dict[str, int] = {}
    rng = random.Random(3)
    for round_ in range(ROUNDS):
        with serving(folder, key) as service:
            stop = threading.Event()
            writer = threading.Thread(target=write_on, args=(service, round_, acknowledged, stop))
            writer.start()
            before = len(acknowledged)
            wait_for(service, lambda before=before: len(acknowledged) > before)
            time.sleep(rng.uniform(0.05, 0.6))
            assert service.client.get("/v1/search", params={"q": "row"}).status_code == 200, "search goes on"
            os.killpg(service.process.pid, signal.SIGKILL)
            stop.set()
            writer.join()
    assert len(acknowledged) > ROUNDS
    with serving(folder, key) as service:
        wait_for(service, lambda: service.client.get("/ready").json()["lag"] == 0)
        with Store.of(folder, load_settings(folder)) as store:
            stored = {id_: product.stock for id_, product in store.get(list(acknowledged)).items()}
        assert stored == acknowledged
        found = int(service.client.get("/v1/search", params={"q": "row"}).json()["total"])
        assert found >= len(acknowledged), "what is stored is found"


def write_on(service: Service, round_: int, acknowledged: dict[str, int], stop: threading.Event) -> None:
    place = 0
    with httpx.Client(base_url=service.client.base_url, timeout=30) as client:
        while not stop.is_set():
            rows = [
                {"id": f"r{round_}-{place + n}", "title": f"row {place + n}", "stock": place + n} for n in range(20)
            ]
            try:
                response = client.post("/v1/products", json=rows, headers=service.auth)
            except httpx.TransportError:
                return
            if response.status_code == 202:
                acknowledged |= {str(row["id"]): place + n for n, row in enumerate(rows)}
            place += 20


def test_two_workers_answer_alike_and_add_up_their_metrics(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    with Store.of(folder, load_settings(folder)) as store:
        store.upsert(tiny_catalogue())
    with serving(folder, key, workers=2) as service:
        # Each worker learns the catalogue's words by itself, a little after it has the products.
        wait_for(service, lambda: all(ready_lag(service) == 0 and knows(service, "黑色") for _ in range(10)))
        answers = set()
        for _ in range(30):
            # A client of its own each time: a kept connection would always reach the same worker.
            with httpx.Client(base_url=service.client.base_url) as client:
                hits = client.get("/v1/search", params={"q": "黑色"}).json()["hits"]
                answers.add(tuple((hit["id"], hit["score"]) for hit in hits))
        assert len(answers) == 1
        line = 'lingsou_requests_total{method="GET",route="/v1/search",status="200"}'
        (count,) = [row.split()[-1] for row in service.client.get("/metrics").text.splitlines() if row.startswith(line)]
        assert float(count) == 30


def knows(service: Service, word: str) -> bool:
    """Whether whichever worker answers has learned that the catalogue uses a word."""
    with httpx.Client(base_url=service.client.base_url) as client:
        answer = client.get("/v1/understand", params={"q": word})
    return answer.status_code == 200 and bool(answer.json()["entities"])


def ready_lag(service: Service) -> int:
    with httpx.Client(base_url=service.client.base_url) as client:
        return int(client.get("/ready").json()["lag"])


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    with serving(folder, key, workers=2) as service:
        service.process.kill()
        service.process.wait()

        def all_gone() -> bool:
            listed = subprocess.run(["ps", "-eo", "pgid="], capture_output=True, text=True, check=True).stdout.split()
            return str(service.process.pid) not in listed

        wait_for(service, all_gone)


def test_the_indexer_comes_back_when_it_is_killed(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    with serving(folder, key) as service:
        for name in ("before", "after"):
            service.client.post("/v1/products", json=[{"id": name, "title": name}], headers=service.auth)
            wait_for(
                service, lambda name=name: service.client.get("/v1/search", params={"q": name}).json()["total"] == 1
            )
            listed = subprocess.run(
                ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
            ).stdout.splitlines()
            children = [row.split() for row in listed if row.split()[1] == str(service.process.pid)]
            for pid in (int(row[0]) for row in children if "spawn_main" in " ".join(row)):
                os.kill(pid, signal.SIGKILL)


def test_a_full_disk_is_said_and_nothing_is_half_kept(tmp_path: Path) -> None:
    folder, key = make_folder(tmp_path)
    code = (
        "import sys, sqlite3; from lingsou.core import database as d; plain = d._configure_sqlite\n"
        "def limited(connection, wait): plain(connection, wait); connection.execute('PRAGMA max_page_count = 60')\n"
        "d._configure_sqlite = limited; sys.argv = ['lingsou', *sys.argv[1:]]\n"
        "from lingsou.serving.app import create_app; import uvicorn\n"
        "uvicorn.run(create_app(sys.argv[1]), port=int(sys.argv[2]), log_level='error')"
    )
    from .conftest import free_port, wait_until_ready

    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", code, str(folder.root), str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_ready(client, process)
            rows = [{"id": f"p{n}", "title": "x" * 1500} for n in range(400)]
            response = client.post("/v1/products", json=rows, headers={"Authorization": f"Bearer {key}"})
            assert response.status_code == 507
            assert response.json()["cure"]
            assert client.get("/v1/products/p0").status_code == 404
            assert client.get("/v1/search").status_code == 200
    finally:
        process.kill()
        process.wait()
