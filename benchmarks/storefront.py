"""Server time and weight of the storefront's pages, over HTTP on this machine.

    python -m benchmarks.storefront --products 20000
    python -m benchmarks.storefront --shop FOLDER        a data folder that is loaded and indexed already

The shop is the demo generator's, encoded where the encoder is there (`--words`: without). Queries are words of random
titles; `first page, new query` asks each for the first time, so it is encoded too, `again` a second time. A page of
results is several searches at once: the results with reasons, and facets counted without their own filter. The
client is the standard one of httpx, gzip included. Weight: the page of results with its stylesheet and scripts, and
those that scripts load.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.search_latency import load, queries, service
from lingsou.core.settings import DataFolder
from lingsou.evaluation.report import result_line
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock

WARM_UP = 20


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--shop", type=Path, help="an indexed data folder of demo products, instead of making one")
    parser.add_argument("--words", action="store_true", help="without encoder and vectors")
    arguments = parser.parse_args()
    if arguments.words:
        os.environ["LINGSOU_ENCODER__NAME"] = ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(arguments.shop or temporary)
        if not arguments.shop:
            folder.settings_file.write_text("", encoding="utf-8")
            load(folder, arguments.products, {})
            shop = open_shop(folder.root)
            with indexer_lock(folder):
                shop.indexer().embed()
            shop.close()
        with service(folder) as client:
            titles = titles_of(client, arguments.queries + WARM_UP)
            words = list(dict.fromkeys(queries(titles, arguments.queries + WARM_UP)))
            wait_until_loaded(client)
            metrics = measured(client, words)
            products = client.get("/ready").json()["products"]
    for name, value in metrics.items():
        print(f"{name:28} {value}")
    print(result_line("storefront", "demo generator", metrics, products=products))


def titles_of(client: httpx.Client, count: int) -> dict[str, str]:
    """Titles of products, spread over the orders of the catalogue; id → title."""
    titles: dict[str, str] = {}
    for sort in ("newest", "price", "-price", "sales", "rating"):
        answer = client.get("/v1/search", params={"sort": sort, "page_size": min(200, count)}).json()
        titles |= {hit["id"]: hit["product"]["title"] for hit in answer["hits"]}
    return titles


def wait_until_loaded(client: httpx.Client, seconds: float = 120) -> None:
    """Until the encoder is open, and words and suggestions of the catalogue are learnt: they load beside the start."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        stages = client.get("/v1/search", params={"q": "T恤"}).json()["stages"]
        suggested = client.get("/v1/suggest", params={"q": "a"}).json()["groups"]
        if suggested and not any("loading" in str(stage.get("fallback")) for stage in stages):
            return
        time.sleep(0.2)


def measured(client: httpx.Client, words: Sequence[str]) -> dict[str, Any]:
    """Milliseconds of each kind of page, and bytes of one."""
    for q in words[:WARM_UP]:
        client.get("/search", params={"q": q}).raise_for_status()
    words = words[WARM_UP:]
    brands = client.get("/v1/search", params={"facet": "brand"}).json()["facets"][0]["values"]
    chosen = {"brand": [each["value"] for each in brands[:2]], "min": 20, "max": 500}
    ids = [hit["id"] for hit in client.get("/v1/search", params={"page_size": 100}).json()["hits"]]
    pages: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "first page, new query": [("/search", {"q": q}) for q in words],
        "first page, again": [("/search", {"q": q}) for q in words],
        "first page, three filters": [("/search", {"q": q, **chosen}) for q in words],
        "third page": [("/search", {"q": q, "page": 3}) for q in words],
        "home": [("/", {})] * 50,
        "product": [(f"/product/{each}", {}) for each in ids],
    }
    metrics: dict[str, Any] = {name: percentiles(client, requests) for name, requests in pages.items()}
    return metrics | weight(client, words)


def percentiles(client: httpx.Client, requests: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, float]:
    """Milliseconds from the request to the last byte."""
    times = []
    for path, params in requests:
        start = time.perf_counter()
        client.get(path, params=params).raise_for_status()
        times.append((time.perf_counter() - start) * 1_000)
    return dict(zip(("p50_ms", "p95_ms"), np.percentile(times, (50, 95)).tolist(), strict=True))


def weight(client: httpx.Client, words: Sequence[str]) -> dict[str, float]:
    """Bytes of a page of results as it is, and as it is sent; pictures left out."""
    sizes: dict[str, list[float]] = {}
    for q in words[:50]:
        plain, sent, text = fetched(client, str(httpx.URL("/search", params={"q": q})))
        sizes.setdefault("html_bytes", []).append(plain)
        sizes.setdefault("html_gzip_bytes", []).append(sent)
    found = {name: float(np.median(each)) for name, each in sizes.items()}
    waiting = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    known: set[str] = set()
    while waiting:
        name = waiting.pop()
        known.add(name)
        plain, sent, content = fetched(client, unescape(name))
        if name.endswith(".js"):  # the collector of events is loaded once the page is there
            waiting |= {f"/static/{each}" for each in re.findall(r'"\./([\w.-]+\.js)"', content)} - known
        kind = name.rpartition(".")[2]
        found[f"{kind}_bytes"] = found.get(f"{kind}_bytes", 0) + plain
        found[f"{kind}_gzip_bytes"] = found.get(f"{kind}_gzip_bytes", 0) + sent
    found["first_visit_gzip_bytes"] = sum(size for name, size in found.items() if name.endswith("gzip_bytes"))
    return found


def fetched(client: httpx.Client, address: str) -> tuple[int, int, str]:
    """Bytes unpacked, bytes sent, text."""
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        content = answer.read()
        return len(content), answer.num_bytes_downloaded, content.decode()


if __name__ == "__main__":
    main()
