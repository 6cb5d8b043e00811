"""How many events a second one service takes through HTTP, each acknowledged when it is safe on disk.

    python -m benchmarks.events --events 100000 --batch 500

The service is `lingsou serve` with one worker, without an encoder, over SQLite with synchronous=FULL; the sender is
this process with a few connections, on the same machine. Events are what the collector sends: 16 impressions, 3
clicks and a query whose text has to be masked, in each 20. The last step kills the service with SIGKILL amid writing
and counts acknowledged events that are not in the log.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from lingsou.core.settings import DataFolder, load_settings
from lingsou.evaluation.report import result_line
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
START = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = (
    "蓝牙耳机 降噪",
    "running shoes size 42",
    "打印机 墨盒 13800138000",
    "黑色 连衣裙 送到建国路88号",
    "usb c cable 2m",
)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--connections", type=int, default=4)
    arguments = parser.parse_args()
    os.environ["LINGSOU_ENCODER__NAME"] = ""
    starts = range(0, arguments.events, arguments.batch)
    bodies = [orjson.dumps([event(n) for n in range(start, start + arguments.batch)]) for start in starts]
    metrics: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(temporary)
        folder.settings_file.write_text("", encoding="utf-8")
        with Service(folder) as service:
            throughput(service, bodies, arguments.connections, metrics)
        size = folder.events.stat().st_size
        metrics["bytes an event"] = size / arguments.events
        metrics["acknowledged, then lost by kill -9"] = float(lost_by_kill(folder, arguments.batch))
    for name, value in metrics.items():
        print(f"{name:40} {value}")
    print(result_line("events", "collector events", metrics, products=arguments.events, batch=arguments.batch))


def event(number: int) -> dict[str, Any]:
    """One of what a storefront sends."""
    page, place = divmod(number, 20)
    base: dict[str, Any] = {
        "event_id": f"e{number}", "application": "storefront", "client_id": f"browser{page % 5_000}",
        "session_id": f"session{page // 5}", "query_id": f"query{page}",
        "timestamp": (START + timedelta(milliseconds=20 * number)).isoformat(),
    }  # fmt: skip
    if place == 0:
        return {**base, "action_name": "query", "message": TEXTS[page % len(TEXTS)]}
    shown = {
        "object": {"object_id": f"p{number * 7 % 20_000}", "object_id_field": "id"},
        "position": {"ordinal": place},
    }
    return {**base, "action_name": "impression" if place < 17 else "click", "event_attributes": shown}


class Service:
    """`lingsou serve` over a folder, killed hard at the end."""

    def __init__(self, folder: DataFolder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "lingsou.cli", "serve", "--data", str(folder.root), "--port", port]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self) -> "Service":
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/ready").is_success:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise SystemExit("the service does not start")

    def cpu_seconds(self) -> float:
        """Processor time of the serving process so far, as Linux tells it."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """SIGKILL to all of its processes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __exit__(self, *_: object) -> None:
        self.kill()


def throughput(service: Service, bodies: list[bytes], connections: int, metrics: dict[str, Any]) -> None:
    """Send every body once; events a second, and the time to acknowledge a batch."""
    local = threading.local()

    def send(body: bytes) -> tuple[float, int]:
        if not hasattr(local, "client"):
            local.client = httpx.Client(base_url=service.url, timeout=60, headers=AGENT)
        start = time.perf_counter()
        answer = local.client.post("/v1/events", content=body).raise_for_status().json()
        return time.perf_counter() - start, answer["accepted"]

    before, start = service.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        sent = list(pool.map(send, bodies))
    seconds = time.perf_counter() - start
    accepted = sum(count for _, count in sent)
    metrics["events a second"] = accepted / seconds
    metrics["µs of the service's processor time an event"] = (service.cpu_seconds() - before) / accepted * 1e6
    p50, p95 = np.percentile([took * 1_000 for took, _ in sent], (50, 95))
    metrics["batch acknowledged, p50 ms"], metrics["batch acknowledged, p95 ms"] = float(p50), float(p95)


def lost_by_kill(folder: DataFolder, batch: int) -> int:
    """Acknowledged events that are not in the log after a SIGKILL."""
    acknowledged: list[str] = []
    with Service(folder) as service:

        def send_on() -> None:
            with httpx.Client(base_url=service.url, timeout=60, headers=AGENT) as client:
                for start in range(0, 10**9, batch):
                    names = [f"killed{n}" for n in range(start, start + batch)]
                    rows = [
                        event(20 * n + 18) | {"event_id": name, "query_id": name} for n, name in enumerate(names, start)
                    ]
                    try:
                        client.post("/v1/events", content=orjson.dumps(rows)).raise_for_status()
                    except httpx.HTTPError:
                        return
                    acknowledged.extend(names)

        sender = threading.Thread(target=send_on)
        sender.start()
        time.sleep(4)
        service.kill()
        sender.join()
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        stored = set(behaviour.events.read(Selection()).query_id)
    return len(set(acknowledged) - stored)


if __name__ == "__main__":
    main()
