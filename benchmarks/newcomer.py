"""The newcomer's path, timed: clone, `make demo`, a search, a new rule, its effect on the search.

    python -m benchmarks.newcomer                     this repository, as it is committed
    python -m benchmarks.newcomer --repository URL

Everything happens in a temporary folder with nothing kept from before: no environment, no package cache, no encoder. So
most of it is the download from the package index. `make demo` is timed in two: what `make setup` does, and the
rest until the first answer. The rule pins the last product of the first page to its top.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from lingsou.evaluation.report import result_line

HERE = Path(__file__).parents[1]
QUERY = {"q": "蓝色T恤"}
MOST_SECONDS = 1_800


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", default=str(HERE), help="what to clone; default: this one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lingsou-newcomer-") as temporary:
        root = Path(temporary)
        metrics, products = walked(arguments.repository, root)
    metrics["total_seconds"] = sum(metrics.values())
    for name, value in metrics.items():
        print(f"{name:20} {value:8.1f}")
    print(result_line("newcomer", "demo shop", metrics, products=products))


def walked(repository: str, root: Path) -> tuple[dict[str, float], int]:
    """Seconds of each step, and how many products the shop has."""
    clone, port = root / "lingsou", free_port()
    own = ("LINGSOU_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environment |= {"XDG_DATA_HOME": str(root / "data"), "PIP_NO_CACHE_DIR": "1", "LINGSOU_SERVER__PORT": str(port)}
    metrics: dict[str, float] = {}

    def run(*command: str, cwd: Path = clone) -> None:
        subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, timeout=MOST_SECONDS)

    @contextmanager
    def step(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        metrics[f"{name}_seconds"] = time.perf_counter() - start
        print(f"{name}: {metrics[f'{name}_seconds']:.1f} s", flush=True)

    with step("clone"):
        run("git", "clone", "--quiet", repository, str(clone), cwd=root)
    with step("setup"):
        run("make", "setup")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        def found() -> list[str]:
            return [hit["id"] for hit in client.get("/v1/search", params=QUERY).raise_for_status().json()["hits"]]

        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=clone,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with step("demo"):
                wait_until(lambda: bool(found()), demo)
            with step("search"):
                before = found()
            with step("rule"):
                then = [{"do": "pin", "ids": [before[-1]], "position": 1}]
                rules = [{"id": "first", "name": "First", "when": {"queries": [QUERY["q"]]}, "then": then}]
                (root / "rules.json").write_text(json.dumps({"rules": rules}), encoding="utf-8")
                for command in (["put", str(root / "rules.json")], ["publish"]):
                    run(".venv/bin/lingsou", "rules", *command, "--data", "demo-shop")
            with step("changed_result"):
                wait_until(lambda: found()[0] == before[-1], demo)
            products = int(client.get("/ready").json()["products"])
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            demo.wait(30)
    return metrics, products


def wait_until(condition: Callable[[], Any], process: "subprocess.Popen[bytes]") -> None:
    """Until it holds; errors of the connection are a service that is not there yet."""
    deadline = time.monotonic() + MOST_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the demo shop did not answer")
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
