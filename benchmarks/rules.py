"""What a thousand merchandising rules cost a search.

    python -m benchmarks.rules --products 20000

Products and queries come from the demo generator, without an encoder. One pipeline has no rules; the others have a
set of 1,000: phrases and words of random titles that boost, bury, pin, hide or filter, synonyms, categories, time
windows and audiences. `quiet` rules are for other words than the queries', so that what remains is the cost of
matching alone; `busy` ones are for words of the same titles, so that most queries meet some and the engine does
what they ask. Each search runs on all in turn; its cost is the difference of medians over the rounds. Times are those
of the processor in the searching thread, which neighbours on the machine disturb least.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search_latency import FACETS, queries
from benchmarks.shops import indexed
from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Product, SearchRequest
from lingsou.demo import generate
from lingsou.evaluation.report import result_line
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.rules import RuleBook, RuleStore, Situation, parse_rules
from lingsou.text.segment import Segmenter

RULES = 1_000
SYLLABLES = ["zor", "vix", "quell", "brum", "tadd", "猩", "鲸", "麂", "鸢", "鳐"]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    products = list(generate(arguments.products, 7))
    texts = list(queries({product.id: product.title for product in products}, arguments.queries))
    with tempfile.TemporaryDirectory() as temporary:
        pipelines, books = pipelines_over(products, Path(temporary))
        times, touched = measured(pipelines, books, texts, arguments.rounds)
    metrics: dict[str, Any] = {"0 rules": percentiles(times["none"])}
    for kind in ("quiet", "busy"):
        added = times[kind] - times["none"]
        metrics[f"1,000 {kind} rules, whole search"] = percentiles(times[kind])
        metrics[f"1,000 {kind} rules, added"] = percentiles(added)
        metrics[f"1,000 {kind} rules, matching alone"] = percentiles(touched[f"{kind} matching"])
        metrics[f"{kind}_rules_met"] = float(np.mean(touched[kind]))
    for name, value in metrics.items():
        print(f"{name:40} {value}")
    print(result_line("rules", "demo generator", metrics, products=arguments.products, rules=RULES))


def pipelines_over(products: Sequence[Product], folder: Path) -> tuple[dict[str, SearchPipeline], dict[str, RuleBook]]:
    """Searches over one index: without rules, and with each set; and the sets."""
    segmenter = Segmenter()
    engine = indexed(products, folder / "index", SearchSettings(recent_matches_mb=0), segmenter)
    understanding = Understanding(engine, segmenter, "CNY")
    understanding.refresh()
    main_store = Store.open(sqlite_url(folder / "store.sqlite3"))
    for start in range(0, len(products), 1_000):
        main_store.upsert(products[start : start + 1_000])
    books: dict[str, RuleBook] = {}
    made = {"none": SearchPipeline(main_store, engine, segmenter, understanding=understanding)}
    for kind in ("quiet", "busy"):
        rng = random.Random(11)
        raw = [rule(number, rng, products, busy=kind == "busy") for number in range(RULES)]
        with Store.open(sqlite_url(folder / f"{kind}.sqlite3")) as store:
            rules = RuleStore(store.database)
            rules.put(parse_rules(raw), "benchmark")
            rules.publish("benchmark")
            books[kind] = RuleBook(rules, segmenter)
        made[kind] = SearchPipeline(main_store, engine, segmenter, understanding=understanding, rules=books[kind])
    return made, books


def rule(number: int, rng: random.Random, products: Sequence[Product], *, busy: bool) -> dict[str, Any]:
    """One rule of the mix."""
    product = rng.choice(products)
    words = product.title.split()
    text = " ".join(rng.sample(words, min(len(words), rng.randint(1, 2)))) if busy else coined(rng)
    when: dict[str, Any] = {"queries": [{rng.choice(["exact", "prefix", "phrase", "words"]): text}]}
    kind = number % 10
    then: list[dict[str, Any]] = [{"do": "boost", "filter": {"brand": product.brand}}]
    if kind < 3:
        return {"id": f"r{number}", "then": [{"do": "synonyms", "words": [text, coined(rng)]}]}
    if kind == 3:
        then = [{"do": "bury", "filter": {"price": {"gt": 500}}}]
    elif kind == 4:
        then = [{"do": "pin", "ids": [product.id, rng.choice(products).id]}]
    elif kind == 5:
        then = [{"do": "hide", "ids": [product.id]}]
    elif kind == 6:
        then = [{"do": "filter", "filter": {"price": {"gt": 0}}}, {"do": "banner", "text": text}]
    elif kind == 7:
        when = {"categories": [" > ".join(product.category)] if busy else [coined(rng)]}
    elif kind == 8:
        when = {"time": {"days": ["mon"], "hours": ["09:00", "18:00"], "ends": "2020-01-01"}}
    elif kind == 9:
        when = {"audience": {"segments": [f"segment {number}"], "locales": ["zh"]}}
    return {"id": f"r{number}", "name": text, "priority": rng.randint(0, 9), "when": when, "then": then}


def coined(rng: random.Random) -> str:
    """Words that no product has."""
    return " ".join("".join(rng.choices(SYLLABLES, k=3)) for _ in range(2))


def measured(
    pipelines: dict[str, SearchPipeline], books: dict[str, RuleBook], texts: Sequence[str], rounds: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Milliseconds of each query [queries] by pipeline; how many rules each met, and what their stage took."""
    times = {name: np.empty((len(texts), rounds)) for name in pipelines}
    notes: dict[str, Any] = {name: np.zeros(len(texts)) for name in pipelines}
    indexes = {name: book.index for name, book in books.items()}
    notes |= {f"{name} matching": np.zeros((len(texts), rounds)) for name in indexes}
    names = list(pipelines)
    now = datetime.now(UTC)
    rng = random.Random(3)
    for place, text in enumerate(texts):
        request = SearchRequest.model_validate({"q": text, "facets": FACETS})
        pipelines["none"].search(request)  # what is cached by query is cached for all
        for turn in range(rounds):
            for name in rng.sample(names, len(names)):
                start = time.thread_time()
                response = pipelines[name].search(request)
                times[name][place, turn] = (time.thread_time() - start) * 1_000
                notes[name][place] = len(response.rules)
                if name in indexes:
                    start = time.thread_time()
                    indexes[name].match(Situation(q=text, moment=now))
                    notes[f"{name} matching"][place, turn] = (time.thread_time() - start) * 1_000
    for name in indexes:
        notes[f"{name} matching"] = np.median(notes[f"{name} matching"], axis=1)
    return {name: np.median(each, axis=1) for name, each in times.items()}, notes


def percentiles(values: Any) -> dict[str, float]:
    """p50, p95 in milliseconds."""
    return {"p50_ms": float(np.percentile(values, 50)), "p95_ms": float(np.percentile(values, 95))}


if __name__ == "__main__":
    main()
