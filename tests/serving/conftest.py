"""A real service: `lingsou serve` as a child process over a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import SETTINGS_FILE, DataFolder, load_settings
from lingsou.testing.catalogue import tiny_catalogue

START_SECONDS = 120


@dataclass
class Service:
    """A running service and a client of it."""

    folder: DataFolder
    client: httpx.Client
    key: str
    process: subprocess.Popen[bytes]

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def make_folder(root: Path) -> tuple[DataFolder, str]:
    """An initialised data folder and a key that may write."""
    root.mkdir(parents=True, exist_ok=True)
    settings = "[index]\npoll_ms = 50\n[server]\nmax_body_mb = 2\n[encoder]\nname = ''\n"
    (root / SETTINGS_FILE).write_text(settings, encoding="utf-8")
    folder = DataFolder(root)
    with Store.of(folder, load_settings(folder)) as store:
        _, key = create_key(store.database, "test")
    return folder, key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: DataFolder, key: str, *, workers: int = 1) -> Iterator[Service]:
    """Start the service, wait until it is ready, stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "lingsou.cli", "serve", "--data", str(folder.root), "--port", str(port)]
    with (folder.root / "service.log").open("ab") as log:
        process = subprocess.Popen([*command, "--workers", str(workers)], stderr=log, start_new_session=True)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    try:
        wait_until_ready(client, process)
        yield Service(folder, client, key, process)
    finally:
        client.close()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended early"
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the service did not become ready")


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the tiny catalogue, shared by tests that read."""
    folder, key = make_folder(tmp_path_factory.mktemp("shop"))
    with Store.of(folder, load_settings(folder)) as store:
        store.upsert(tiny_catalogue())
    with serving(folder, key) as running:
        wait_for(running, lambda: int(running.client.get("/ready").json()["lag"]) == 0)
        yield running


def wait_for(service: Service, condition: object, seconds: float = 60) -> float:
    """Wait until `condition()` holds; the seconds that took."""
    assert callable(condition)
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "waited too long"
        time.sleep(0.02)
    return time.monotonic() - start
