"""The demo shop reindexed under load: what fails, what is mixed, and how much slower searches are meanwhile.

    python -m benchmarks.reindex --products 3200 --rebuilds 5

`lingsou serve` with one worker; clients search without pause, with facets and explanations, while one more changes
prices and adds a product each half second and looks for it. First a quiet phase, then `lingsou index --rebuild` again
and again and one `--rollback`, as processes of their own. An answer is mixed if within it the counts of brands, of
which every product has one, do not add up to the total, a place of the page is empty, a place or a score is not what
its explanation says, or if it misses added products that the client has seen before. With the encoder where it is there
(`--words`: without), vectors all in the store before.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np

from benchmarks.search_latency import load, queries, service
from benchmarks.storefront import wait_until_loaded
from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import DataFolder, load_settings
from lingsou.evaluation.report import result_line
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock

PAGE = 10
FACETS = [{"field": "brand", "size": 1_000}]
MARKER = "Marker"


class Clients:
    """Searches without pause from several threads, in the phase that is on."""

    def __init__(self, url: str, words: Sequence[str], count: int):
        self._url, self._words, self._count = url, words, count
        self.phase = "quiet"
        self.milliseconds: dict[str, list[float]] = {"quiet": [], "reindexing": []}
        self.failed = self.mixed = 0
        self._stop = threading.Event()

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Until the end of the block."""
        threads = [threading.Thread(target=self._search, args=(seed,)) for seed in range(self._count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _search(self, seed: int) -> None:
        rng, markers = random.Random(seed), 0
        asked = {"facets": FACETS, "explain": True, "page_size": PAGE, "collapse": False}
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stop.is_set():
                for body in ({"q": rng.choice(self._words)}, {"filters": {"brand": MARKER}}):
                    phase, start = self.phase, time.perf_counter()
                    try:
                        response = client.post("/v1/search", json={**body, **asked}).raise_for_status()
                    except httpx.HTTPError:
                        self.failed += 1
                        continue
                    self.milliseconds[phase].append((time.perf_counter() - start) * 1_000)
                    answer = response.json()
                    known, markers = markers, answer["total"] if "filters" in body else markers
                    self.mixed += markers < known or not consistent(answer)


def consistent(answer: dict[str, Any]) -> bool:
    """Whether one answer is of one state."""
    total, hits = answer["total"], answer["hits"]
    if any(sum(each["count"] for each in facet["values"]) != total for facet in answer["facets"]):
        return False
    if len(hits) != min(PAGE, total):
        return False
    return all(
        hit["explanation"]["value"] == place
        and abs(hit["explanation"]["children"][0]["value"] - hit["score"]) < 1e-4 * max(1, hit["score"])
        for place, hit in enumerate(hits, 1)
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=3_200)
    parser.add_argument("--rebuilds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--quiet", type=float, default=10, help="seconds of the quiet phase")
    parser.add_argument("--words", action="store_true", help="without encoder and vectors")
    arguments = parser.parse_args()
    if arguments.words:
        os.environ["LINGSOU_ENCODER__NAME"] = ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(temporary)
        folder.settings_file.write_text("", encoding="utf-8")
        titles = load(folder, arguments.products, {})
        shop = open_shop(folder.root)
        with indexer_lock(folder):
            shop.indexer().embed()
        shop.close()
        with Store.of(folder, load_settings(folder)) as store:
            _, key = create_key(store.database, "benchmark")
        with service(folder) as client:
            wait_until_loaded(client)
            words = list(dict.fromkeys(queries(titles, 200)))
            clients = Clients(str(client.base_url), words, arguments.clients)
            metrics = measured(folder, client, key, clients, list(titles), arguments.rebuilds, arguments.quiet)
        sizes = [sum(path.stat().st_size for path in each.iterdir()) for each in folder.index.glob("g*")]
        metrics["generation_bytes"] = max(sizes)
    for name, value in metrics.items():
        print(f"{name:24} {value}")
    print(
        result_line(
            "reindex", "demo generator", metrics, products=arguments.products, rebuilds=arguments.rebuilds,
            clients=arguments.clients, words=arguments.words,
        )
    )  # fmt: skip


def measured(
    folder: DataFolder, client: httpx.Client, key: str, clients: Clients, ids: list[str], rebuilds: int, quiet: float
) -> dict[str, Any]:
    """All figures."""
    stop, shown = threading.Event(), list[float]()
    writer = threading.Thread(target=write, args=(str(client.base_url), key, ids, stop, shown))
    with clients.searching():
        writer.start()
        try:
            time.sleep(quiet)
            clients.phase = "reindexing"
            rebuilt = [run(folder, client, "--rebuild") for _ in range(rebuilds)]
            rolled_back = run(folder, client, "--rollback")
        finally:
            stop.set()
            writer.join()
    phases = {name: percentiles(values) for name, values in clients.milliseconds.items()}
    return {
        "searches": sum(map(len, clients.milliseconds.values())),
        "failed": clients.failed,
        "mixed": clients.mixed,
        **{f"{name} ms": figures for name, figures in phases.items()},
        "rebuild_seconds": float(np.median(rebuilt)),
        "rollback_seconds": rolled_back,
        "written_to_shown_seconds": {"products": len(shown), "p50": float(np.median(shown)), "max": max(shown)},
    }


def run(folder: DataFolder, client: httpx.Client, option: str) -> float:
    """Seconds of `lingsou index` with that option, until the service shows the generation it published."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "lingsou.cli", "index", option, "--json", "--data", str(folder.root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    published = json.loads(done.stdout)["generation"]
    while client.get("/ready").json()["generation"] != published:
        time.sleep(0.02)
    return time.perf_counter() - start


def write(url: str, key: str, ids: list[str], stop: threading.Event, shown: list[float]) -> None:
    """Change prices and add a product each half second; how long each took to be found."""
    rng, count = random.Random(1), 0
    with httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {key}"}) as client:
        while not stop.wait(0.5):
            count += 1
            patches = [{"id": id_, "price": rng.randint(10, 900)} for id_ in rng.sample(ids, min(50, len(ids)))]
            client.patch("/v1/products", json=patches).raise_for_status()
            marker = {"id": f"marker-{count}", "title": f"marker {count}", "brand": MARKER, "price": 1}
            start = time.perf_counter()
            client.post("/v1/products", json=[marker]).raise_for_status()
            while not client.get("/v1/search", params={"filter": f"id={marker['id']}"}).json()["total"]:
                time.sleep(0.01)
            shown.append(time.perf_counter() - start)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Of milliseconds."""
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    return {"p50": p50, "p95": p95, "p99": p99, "max": max(values)}


if __name__ == "__main__":
    main()
