"""How long one shop of N products takes to load, index, start, search and change; all through the real parts.

    python -m benchmarks.search_latency --products 100000 --vectors ~/.cache/lingsou/demo-vectors.sqlite3

Encoding takes most of it (about 110 products a second on two cores); `--vectors` keeps the vectors, so that a run that
was interrupted, and every later run, goes on with what is there. `--words` leaves out all that needs an encoder.
Products come from the demo generator. The store is SQLite with synchronous=FULL, the service is `lingsou serve` with
one worker and its indexer, asked over a kept connection on this machine. Requests are words drawn from the titles of
random products; `words`, `facets` (brand, category, price) and `filters` (price range, in stock, and the facets).
"""

import argparse
import json
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.types import Product, ProductPatch, SearchRequest
from lingsou.demo import generate
from lingsou.evaluation.report import result_line
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.retrieval.indexer import indexer_lock

BATCH = 1_000
ALONE = "[search]\nrecent_matches_mb = 0\n"
"""Settings under which a search has nothing of the same query's search before."""

HEADLINE = (
    "search_p95_ms",
    "search_cached_p95_ms",
    "qps_vs_fastest_peer",
    "search_to_encoder_ratio",
    "understand_p95_ms",
    "restart_seconds",
    "resident_mb",
)
"""Metrics that stand at the top of the result line too."""

FACETS = ["brand", "category", "price"]
FILTERS = {"price": {"gte": 50, "lt": 500}, "stock": {"gt": 0}}
KINDS: dict[str, dict[str, Any]] = {
    "words": {},
    "facets": {"facets": FACETS},
    "filters": {"facets": FACETS, "filters": FILTERS},
}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--vectors", type=Path, help="file that keeps the vectors of the products between runs")
    parser.add_argument("--words", action="store_true", help="without encoder, vectors and the two libraries")
    arguments = parser.parse_args()
    # Words alone are timed first; a service that encodes meanwhile would blur its own figures.
    os.environ["LINGSOU_ENCODER__NAME"] = ""
    metrics: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(temporary)
        folder.settings_file.write_text(ALONE, encoding="utf-8")
        titles = load(folder, arguments.products, metrics)
        requests = list(queries(titles, arguments.queries))
        open_again(folder, metrics)
        shop = open_shop(folder.root)
        in_process(shop, requests, metrics)
        partial_updates(shop, titles, metrics)
        shop.close()
        over_http(folder, requests, metrics)
        if not arguments.words:
            from benchmarks.hybrid_latency import by_meaning, lines

            del os.environ["LINGSOU_ENCODER__NAME"]
            metrics |= by_meaning(folder, requests, KINDS, arguments.vectors and arguments.vectors.expanduser())
            open_again(folder, metrics)
            print(*lines(metrics["legs"]), sep="\n")
    metrics["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, value in metrics.items():
        if name != "legs":
            print(f"{name:28} {value}")
    extra = {name: metrics[name] for name in HEADLINE if name in metrics}
    print(result_line("search_latency", "demo generator", metrics, products=arguments.products, **extra))


def load(folder: DataFolder, count: int, metrics: dict[str, Any]) -> dict[str, str]:
    """Products into the store and the index; returns id → title."""
    titles: dict[str, str] = {}
    stored = 0.0
    with Store.of(folder, load_settings(folder)) as store:
        batch: list[Product] = []
        for product in generate(count, 7):
            titles[product.id] = product.title
            batch.append(product)
            if len(batch) == BATCH or len(titles) == count:
                start = time.perf_counter()
                store.upsert(batch)
                stored += time.perf_counter() - start
                batch = []
    metrics["store_seconds"] = stored
    start = time.perf_counter()
    shop = open_shop(folder.root)
    with indexer_lock(folder):
        shop.indexer().catch_up()
        shop.engine.compact(force=True)
    shop.close()
    metrics["index_seconds"] = time.perf_counter() - start
    return titles


def queries(titles: dict[str, str], count: int) -> Iterator[str]:
    """One to four words of random titles."""
    rng = random.Random(7)
    known = list(titles.values())
    for _ in range(count):
        words = rng.choice(known).split()
        yield " ".join(rng.sample(words, min(len(words), rng.randint(1, 4))))


def open_again(folder: DataFolder, metrics: dict[str, Any]) -> None:
    """Start of a new process until its first answer."""
    code = (
        "import sys; from lingsou.pipeline.shop import open_shop; from lingsou.core.types import SearchRequest\n"
        "shop = open_shop(sys.argv[1]); assert shop.pipeline.search(SearchRequest()).total"
    )
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder.root)], check=True)
    metrics["restart_seconds"] = time.perf_counter() - start


def in_process(shop: Shop, texts: Sequence[str], metrics: dict[str, Any]) -> None:
    """The whole pipeline without HTTP; the kinds take turns."""
    prepared = [(kind, SearchRequest(q=text, **more)) for text in texts for kind, more in KINDS.items()]
    metrics |= {f"in_process_{kind}": each for kind, each in timed(prepared, shop.pipeline.search).items()}


def over_http(folder: DataFolder, texts: Sequence[str], metrics: dict[str, Any]) -> None:
    """The same requests to a running service, and how soon an upsert shows."""
    with Store.of(folder, load_settings(folder)) as store:
        _, key = create_key(store.database, "benchmark")
    with service(folder) as client:
        prepared = [(kind, json.dumps({"q": text, **more})) for text in texts for kind, more in KINDS.items()]

        def ask(body: str) -> None:
            client.post("/v1/search", content=body, headers={"content-type": "application/json"}).raise_for_status()

        metrics |= {f"http_{kind}": each for kind, each in timed(prepared, ask).items()}
        metrics["upsert_visible_seconds"] = float(np.max([visible(client, key, n) for n in range(20)]))
        patches = [[{"id": "fresh-0", "stock": n}] * BATCH for n in range(20)]
        start = time.perf_counter()
        for body in patches:
            client.patch("/v1/products", json=body, headers={"X-API-Key": key}).raise_for_status()
        metrics["http_patch_rows_per_second"] = len(patches) * BATCH / (time.perf_counter() - start)


def visible(client: httpx.Client, key: str, number: int) -> float:
    """Seconds from sending an upsert until a search finds it."""
    word = f"freshword{number:03}"
    row = {"id": f"fresh-{number}", "title": word}
    start = time.perf_counter()
    client.post("/v1/products", json=[row], headers={"X-API-Key": key}).raise_for_status()
    while not client.get("/v1/search", params={"q": word}).json()["total"]:
        time.sleep(0.005)
    return time.perf_counter() - start


def partial_updates(shop: Shop, titles: dict[str, str], metrics: dict[str, Any]) -> None:
    """Stock changes through the store, and then through the indexer."""
    ids = list(titles)[:20_000]
    start = time.perf_counter()
    for first in range(0, len(ids), BATCH):
        shop.store.patch([ProductPatch(id=id_, stock=5) for id_ in ids[first : first + BATCH]])
    stored = time.perf_counter()
    with indexer_lock(shop.folder):
        shop.indexer().catch_up()
    metrics["patch_per_second"] = len(ids) / (stored - start)
    metrics["patch_and_index_per_second"] = len(ids) / (time.perf_counter() - start)


def timed(requests: Sequence[tuple[str, Any]], run: Callable[[Any], object]) -> dict[str, dict[str, float]]:
    """Milliseconds by kind; the first twentieth warms up and is not counted."""
    times: dict[str, list[float]] = {}
    for place, (kind, request) in enumerate(requests):
        start = time.perf_counter()
        run(request)
        if place >= len(requests) // 20:
            times.setdefault(kind, []).append((time.perf_counter() - start) * 1_000)
    return {
        kind: dict(zip(("p50_ms", "p95_ms", "p99_ms"), np.percentile(each, (50, 95, 99)).tolist(), strict=True))
        for kind, each in times.items()
    }


@contextmanager
def service(folder: DataFolder) -> Iterator[httpx.Client]:
    """`lingsou serve` until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lingsou.cli", "serve", "--data", str(folder.root), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    if client.get("/ready").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
