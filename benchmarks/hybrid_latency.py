"""The part of `search_latency` that needs vectors: encoding once, searches by words and meaning, and two libraries.

`legs` are timed in one run, in turns, query by query: Lingsou's engine alone (ids, exact totals; the query's vector
known), the whole pipeline (plan, vector, engine, products, highlights; the vector known or made in the run), and the
libraries of `benchmarks.peers` over the same vectors, queries and filter. QPS is of two threads, in turns too.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import LEAST_RECALL, PAGE, PEERS, Asked, Peer, Rows, recall_at_10
from lingsou.catalog.vectors import VECTORS_SCHEMA, VectorStore
from lingsou.core.database import Database, sqlite_url
from lingsou.core.settings import DataFolder
from lingsou.core.types import Product, SearchRequest
from lingsou.encoders.calibration import group_of
from lingsou.encoders.encoder import Encoder
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.retrieval.embedding import document_text, groups
from lingsou.retrieval.engine import EngineQuery, QueryVector
from lingsou.retrieval.filters import parse_filters
from lingsou.retrieval.indexer import indexer_lock

BATCH = 512
NO_WORD = "\ue000"
"""A text that no product has: what is found is found by meaning alone."""

THREADS = 2
_PATIENCE_MS = 60_000
_RESIDENT = """
import sys
from lingsou.core.types import SearchRequest
from lingsou.pipeline.shop import open_shop
shop = open_shop(sys.argv[1])
shop.warm_up()
for text in sys.argv[2:]:
    assert not any(stage.fallback for stage in shop.pipeline.search(SearchRequest(q=text, facets=["brand"])).stages)
lines = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("VmRSS")))
"""

Run = Callable[[int], object]


def by_meaning(
    folder: DataFolder, texts: Sequence[str], requests: dict[str, dict[str, Any]], vectors: Path | None
) -> dict[str, Any]:
    """Metrics of searches by words and meaning, and `legs`.

    Args:
        folder: a shop that is indexed by words.
        texts: the queries.
        requests: `words` and `filters` → what a request holds beside its words.
        vectors: a file that keeps what was encoded, for the next run.
    """
    shop = open_shop(folder.root)
    encoder = shop.encoder.open()
    assert encoder is not None, "no encoder: lingsou models pull e5-small"
    metrics: dict[str, Any] = encode(shop, encoder, vectors)
    shop.warm_up()
    asked = list(dict.fromkeys(texts))
    progress(f"{len(asked)} queries by meaning")
    raw = encoder.encode_queries(asked)
    for text in asked:
        shop.encoder.encode(text)  # so that the pipeline knows the vector
    runs = {**pipeline_runs(shop, encoder, asked, requests), **engine_runs(shop, asked, raw, requests["filters"])}
    runs["encoder alone"] = lambda n: encoder.encode_queries([asked[n]])
    runs["understanding"] = lambda n: shop.understanding.plan(asked[n])
    rows, ids = rows_of(shop)
    centring = shop.engine.centring
    assert centring is not None
    centred = centring.apply(raw, [group_of(text) for text in asked], "query")
    queries = [Asked(shop.engine.segmenter.terms(text), vector) for text, vector in zip(asked, centred, strict=True)]
    place = {id_: row for row, id_ in enumerate(ids)}
    found = [[place[id_] for id_ in runs["engine, vector"](n).candidates.ids] for n in range(len(asked))]
    recalls = {"engine": recall_at_10(found, queries, rows.vectors, cut=True)}
    peers: dict[str, Peer] = {}
    for name, make in PEERS.items():
        progress(f"building {name}")
        start = time.perf_counter()
        peers[name] = make(folder.root / f"peer-{name}", rows, _price(requests["filters"]))
        metrics[f"{name}_build_seconds"] = time.perf_counter() - start
        recalls[name] = peers[name].tune(queries, rows.vectors)
        runs |= peer_runs(name, peers[name], queries)
    legs = timed_in_turns(runs, len(asked))
    for name, recall in recalls.items():
        legs[f"{name}, vector"]["recall@10"] = recall
    for peer in peers.values():
        peer.close()
    shop.close()
    metrics["legs"] = legs
    metrics["resident_mb"] = resident_mb(folder, asked[:200])
    return metrics | headline(legs, recalls)


def headline(legs: dict[str, dict[str, float]], recalls: dict[str, float]) -> dict[str, float]:
    """The figures that stand for the run; `qps_vs_fastest_peer` only where the vector legs are exact enough."""
    uncached, cached = legs["search, filters and facets, new"], legs["search, filters and facets, known"]
    figures = {
        "search_p95_ms": uncached["p95_ms"],
        "search_cached_p95_ms": cached["p95_ms"],
        "search_to_encoder_ratio": uncached["p50_ms"] / legs["encoder alone"]["p50_ms"],
        "understand_p95_ms": legs["understanding"]["p95_ms"],
    }
    fit = [legs[f"{name}, hybrid, filtered"]["qps"] for name in PEERS if recalls[name] >= LEAST_RECALL]
    if fit and recalls["engine"] >= LEAST_RECALL:
        figures["qps_vs_fastest_peer"] = legs["engine, hybrid, filtered"]["qps"] / max(fit)
    return figures


def encode(shop: Shop, encoder: Encoder, file: Path | None) -> dict[str, float]:
    """Every product's vector into the store and the index; what `file` holds is not encoded again."""
    own = VectorStore(shop.store.database, encoder.fingerprint)
    kept, cache = own, None
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        cache = Database.open(sqlite_url(file.resolve()))
        cache.prepare(VECTORS_SCHEMA)
        kept = VectorStore(cache, encoder.fingerprint)
    total, done, fresh, spent = shop.store.count(), 0, 0, 0.0
    for batch in shop.store.products(BATCH):
        texts = list(dict.fromkeys(document_text(product) for product in batch))
        known = kept.get(texts)
        missing = [text for text in texts if text not in known]
        if missing:
            start = time.perf_counter()
            made = encoder.encode_documents(missing)
            spent += time.perf_counter() - start
            fresh += len(missing)
            kept.put(missing, made)
            known |= zip(missing, made, strict=True)
        if kept is not own:
            own.put(texts, np.stack([known[text] for text in texts]))
        done += len(batch)
        rate = fresh / spent if spent else 0.0
        left = f", about {(total - done) / rate / 60:.0f} min left" if rate else ""
        progress(f"vectors: {done:,} of {total:,}{left}")
    if cache is not None:
        cache.close()
    with indexer_lock(shop.folder):
        shop.indexer().embed()
        shop.engine.compact(force=True)
    return {"encoded_per_second": fresh / spent} if spent else {}


def pipeline_runs(
    shop: Shop, encoder: Encoder, texts: Sequence[str], requests: dict[str, dict[str, Any]]
) -> dict[str, Run]:
    """Whole searches; `new` through a pipeline that keeps no vectors and waits for each."""
    waiting = QueryEncoder(lambda: encoder, budget_ms=_PATIENCE_MS, cache=0)
    waiting.open()
    new = SearchPipeline(shop.store, shop.engine, shop.engine.segmenter, waiting, shop.understanding)
    runs: dict[str, Run] = {}
    for kind, label in (("words", "search"), ("filters", "search, filters and facets")):
        prepared = [SearchRequest(q=text, **requests[kind]) for text in texts]
        runs[f"{label}, new"] = lambda n, prepared=prepared: new.search(prepared[n])  # type: ignore[misc]
        runs[f"{label}, known"] = lambda n, prepared=prepared: shop.pipeline.search(prepared[n])  # type: ignore[misc]
    return runs


def engine_runs(shop: Shop, texts: Sequence[str], raw: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The engine alone, without variants collapsed, as the libraries do."""
    engine = shop.engine
    centring = engine.centring
    assert centring is not None
    vectors = [QueryVector(values, group_of(text), centring.encoder) for text, values in zip(texts, raw, strict=True)]
    limits = parse_filters(request["filters"], engine.fields())
    facets = SearchRequest(facets=request["facets"]).facets
    plain: dict[str, Any] = {"limit": PAGE, "collapse": False}

    def run(*, words: bool, meaning: bool, **more: Any) -> Run:
        return lambda n: engine.search(
            EngineQuery(
                text=texts[n] if words else NO_WORD, vector=vectors[n] if meaning else None, **{**plain, **more}
            )
        )

    return {
        "engine, lexical": run(words=True, meaning=False),
        "engine, vector": run(words=False, meaning=True),
        "engine, hybrid": run(words=True, meaning=True),
        "engine, hybrid, filtered": run(words=True, meaning=True, filters=limits),
        "engine, hybrid, filtered, facets": run(words=True, meaning=True, filters=limits, facets=facets),
    }


def peer_runs(name: str, peer: Peer, queries: Sequence[Asked]) -> dict[str, Run]:
    """The same of a library."""
    return {
        f"{name}, lexical": lambda n: peer.lexical(queries[n]),
        f"{name}, vector": lambda n: peer.vector(queries[n]),
        f"{name}, hybrid": lambda n: peer.hybrid(queries[n], filtered=False),
        f"{name}, hybrid, filtered": lambda n: peer.hybrid(queries[n], filtered=True),
    }


def timed_in_turns(runs: dict[str, Run], count: int) -> dict[str, dict[str, float]]:
    """Milliseconds of one thread, query by query in turns, and queries a second of two, chunk by chunk in turns.

    The first twentieth warms up and is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for n in range(count):
        for name, run in runs.items():
            start = time.perf_counter()
            run(n)
            if n >= count // 20:
                times[name].append((time.perf_counter() - start) * 1_000)
        if n % 50 == 0:
            progress(f"timing: query {n} of {count}")
    spent = dict.fromkeys(runs, 0.0)
    with ThreadPoolExecutor(THREADS) as pool:
        for chunk in np.array_split(np.arange(count), 5):
            for name, run in runs.items():
                start = time.perf_counter()
                list(pool.map(run, chunk.tolist()))
                spent[name] += time.perf_counter() - start
    legs: dict[str, dict[str, float]] = {}
    for name, each in times.items():
        p50, p95, p99 = np.percentile(each, (50, 95, 99)).tolist()
        legs[name] = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "qps": count / spent[name]}
    return legs


def rows_of(shop: Shop) -> tuple[Rows, list[str]]:
    """What the libraries index, and the id of each row: centred vectors; the terms of the text that each is of."""
    centring = shop.engine.centring
    assert centring is not None
    stored = VectorStore(shop.store.database, centring.encoder)
    vectors: list[Any] = []
    products: list[Product] = []
    terms: list[list[str]] = []
    for batch in shop.store.products(BATCH):
        texts = [document_text(product) for product in batch]
        known = stored.get(texts)
        vectors.append(centring.apply(np.stack([known[text] for text in texts]), groups(batch), "document"))
        terms += [shop.engine.segmenter.terms(text) for text in texts]
        products += batch
    prices = np.asarray([-1.0 if product.price is None else float(product.price) for product in products])
    stocks = np.asarray([float(product.stock or 0) for product in products])
    return Rows(np.concatenate(vectors), terms, prices, stocks), [product.id for product in products]


def resident_mb(folder: DataFolder, texts: Sequence[str]) -> float:
    """Resident memory of a process of its own that has the encoder open and has answered the texts."""
    command = [sys.executable, "-c", _RESIDENT, str(folder.root), *texts]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1024


def progress(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def _price(request: dict[str, Any]) -> tuple[float, float]:
    bounds: dict[str, float] = request["filters"]["price"]
    return bounds["gte"], bounds["lt"]


def lines(legs: dict[str, dict[str, float]]) -> Iterator[str]:
    """The legs for people."""
    for name, figures in legs.items():
        yield f"{name:40} " + "  ".join(f"{key} {value:.2f}" for key, value in figures.items())
