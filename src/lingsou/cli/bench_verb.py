"""`lingsou bench`: how fast this shop's searches are on this machine."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from rich.table import Table

from lingsou.cli.console import AsJson, Data, folder_of, output, print_json, progress_bar
from lingsou.core.errors import RequestError
from lingsou.core.types import MAX_QUERY_LENGTH, SearchRequest
from lingsou.evaluation.report import machine
from lingsou.pipeline.shop import Shop, open_shop

_FACETS = ("brand", "category", "price")


def bench(
    data: Data = None,
    queries: Annotated[
        Path | None, typer.Option(help="One query a line; default: words drawn from this shop's titles.")
    ] = None,
    count: Annotated[int, typer.Option(min=10, max=100_000, help="Searches of each kind.")] = 500,
    url: Annotated[str | None, typer.Option(help="Also measure a running service, e.g. http://127.0.0.1:8080.")] = None,
    seed: Annotated[int, typer.Option()] = 7,
    as_json: AsJson = False,
) -> None:
    """Time searches with words only, with facets, and with filters and facets; p50, p95 and p99 in ms."""
    shop = open_shop(folder_of(data).root)
    try:
        texts = list(_texts(shop, queries, count, random.Random(seed)))
        kinds = _kinds(shop, texts)
        runs: dict[str, Callable[[SearchRequest], object]] = {"in process": shop.pipeline.search}
        client = _client(url) if url else None
        if client:
            runs["http"] = lambda request: client.post(
                "/v1/search", json=request.model_dump(mode="json")
            ).raise_for_status()
        results: dict[str, dict[str, float]] = {}
        with progress_bar() as bar:
            for way, run in runs.items():
                for kind, requests in kinds.items():
                    name = f"{way}, {kind}"
                    results[name] = _timed(run, bar.track(requests, description=name))
        size = shop.engine.size
    finally:
        shop.close()
    if as_json:
        print_json({"benchmark": "shop", "products": size, "machine": machine(), "metrics": results})
        return
    table = Table("search", "p50 ms", "p95 ms", "p99 ms", title=f"{size:,} products, {len(texts):,} searches each")
    for name, figures in results.items():
        table.add_row(name, *(f"{figures[key]:.2f}" for key in ("p50_ms", "p95_ms", "p99_ms")))
    output.print(table)


def _client(url: str) -> httpx.Client:
    try:
        client = httpx.Client(base_url=url, timeout=30)
        client.get("/health").raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RequestError(f"No service answers at {url}: {error}", field="--url", cure="lingsou serve") from error
    return client


def _texts(shop: Shop, queries: Path | None, count: int, rng: random.Random) -> Iterator[str]:
    if queries:
        try:
            lines = [line.strip() for line in queries.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise RequestError(f"{queries} is not UTF-8 text.", cure="Save it as UTF-8.") from error
        if too_long := next((number for number, line in enumerate(lines, 1) if len(line) > MAX_QUERY_LENGTH), None):
            raise RequestError(
                f"Query {too_long} of {queries} is longer than {MAX_QUERY_LENGTH} characters.", cure="Shorten it."
            )
        if not lines:
            raise RequestError(f"{queries} holds no query.", cure="One query a line.")
        yield from (lines[place % len(lines)] for place in range(count))
        return
    titles = [product.title for batch in shop.store.products() for product in batch]
    if not titles:
        raise RequestError("The shop has no products.", cure="lingsou import FEED, then lingsou index")
    for _ in range(count):
        words = shop.engine.segmenter.terms(rng.choice(titles))
        yield " ".join(rng.sample(words, min(len(words), rng.randint(1, 4))))


def _kinds(shop: Shop, texts: list[str]) -> dict[str, list[SearchRequest]]:
    prices = [product.price for batch in shop.store.products() for product in batch if product.price is not None]
    low, high = (float(value) for value in np.quantile([float(price) for price in prices] or [0.0], (0.2, 0.8)))
    filters: dict[str, Any] = {"price": {"gte": low, "lte": high}, "stock": {"not": [0]}}
    return {
        "words": [SearchRequest(q=text) for text in texts],
        "facets": [SearchRequest(q=text, facets=_FACETS) for text in texts],
        "filters and facets": [SearchRequest(q=text, filters=filters, facets=_FACETS) for text in texts],
    }


def _timed(run: Callable[[SearchRequest], object], requests: Any) -> dict[str, float]:
    times: list[float] = []
    for request in requests:
        start = time.perf_counter()
        run(request)
        times.append((time.perf_counter() - start) * 1_000)
    p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "mean_ms": float(np.mean(times))}
