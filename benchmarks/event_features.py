"""What event features cost to build: time, memory and growth with the log.

    python -m benchmarks.event_features --events 1000000

The log is synthetic: pages of 16 impressions, clicks by an examination of 1 / place, some carts and purchases, over 90
days, 20,000 products and 5,000 queries, both with few favourites (Zipf), and a shopper for every 20 pages. Each size is
built in a process of its own. `build` adds it all in blocks of 2,000, as a starting service does; `replay` walks
through the searches and makes the point-in-time view of each one's 16 products, as training does. Memory is what the
process holds at most beyond the log itself, which lies there as columns. `view` is one view of 200 products
afterwards. All times are processor time.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lingsou.core.types import Product
from lingsou.evaluation.report import result_line
from lingsou.events.columns import EventColumns
from lingsou.features.aggregates import Aggregates, Moment, replay

PRODUCTS, QUERIES, PAGE, DAYS = 20_000, 5_000, 16, 90
START_MS, DAY_MS = 1_767_225_600_000, 86_400_000
BLOCK = 2_000


def log(count: int, seed: int = 7) -> tuple[EventColumns, dict[str, str], list[Moment]]:
    """Events in order of time, the words of each search, and the moment of each."""
    random = np.random.default_rng(seed)
    pages = round(count / 18)  # a page has somewhat more events
    times = np.sort(random.integers(0, DAYS * DAY_MS, pages)) + START_MS
    queries = (random.zipf(1.3, pages) - 1) % QUERIES
    shoppers = random.integers(0, max(pages // 20, 1), pages)
    products = (queries[:, None] * 131 + random.zipf(1.3, (pages, PAGE))) % PRODUCTS
    examination = 1.0 / np.arange(1, PAGE + 1)
    attraction = random.beta(2, 4, PRODUCTS)
    clicked = random.random(products.shape) < examination * attraction[products] * 2
    carted = clicked & (random.random(products.shape) < 0.2)
    bought = carted & (random.random(products.shape) < 0.4)
    parts = []
    for later, (action, chosen) in enumerate(
        [("impression", np.ones_like(clicked)), ("click", clicked), ("cart", carted), ("purchase", bought)]
    ):
        page, place = np.nonzero(chosen)
        parts.append((times[page] + 10_000 * later, np.full(len(page), action, object), page, place + 1))
    time_, what, page, place = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(time_, kind="stable")[:count]
    time_, what, page, place = time_[order], what[order], page[order], place[order]
    names = [np.asarray([f"{kind}{n}" for n in range(size)], object) for kind, size in (("q", pages), ("p", PRODUCTS))]
    users = np.asarray([f"user{n}" for n in range(int(shoppers.max()) + 1)], object)
    size = len(order)
    columns = EventColumns(
        time=time_,
        action=what,
        query_id=names[0][page],
        user_id=users[shoppers[page]],
        client_id=np.full(size, None, object),
        session_id=np.full(size, None, object),
        object_id=names[1][products[page, place - 1]],
        ordinal=place,
        rating=np.full(size, np.nan),
        quantity=np.ones(size, np.int64),
        price=np.full(size, np.nan),
        bot=np.zeros(size, np.bool_),
    )
    texts = {f"q{n}": f"words {query}" for n, query in enumerate(queries.tolist())}
    moments = [
        Moment(int(moment), f"words {query}", tuple(names[1][own].tolist()), users[shopper])
        for moment, query, own, shopper in zip(times, queries.tolist(), products, shoppers, strict=True)
    ]
    return columns, texts, moments


def catalogue() -> Callable[[Any], dict[str, Product]]:
    """Products by id."""
    known = {
        f"p{n}": Product(id=f"p{n}", title=f"p{n}", brand=f"b{n % 300}", category=(f"c{n % 40}",), price=n % 500 + 1)
        for n in range(PRODUCTS)
    }
    return lambda ids: {id_: known[id_] for id_ in ids}


def measured(count: int, kind: str) -> dict[str, float]:
    """One size, in this process."""
    columns, texts, moments = log(count)
    lookup = catalogue()
    aggregates = Aggregates(lookup)
    before, start = _resident_mb(), time.process_time()
    if kind == "build":
        for first in range(0, len(columns), BLOCK):
            block = columns.where(np.arange(first, min(first + BLOCK, len(columns))))
            aggregates.add(block, {name: texts[name] for name in set(block.query_id)})
    else:
        for _ in replay(columns, texts, moments, aggregates):
            pass
    seconds = time.process_time() - start
    found = {"events": float(len(columns)), "seconds": seconds, "memory_mb": _peak_mb() - before}
    found["us_an_event"] = seconds / len(columns) * 1e6
    start = time.process_time()
    aggregates.fit_examination()
    found["fit_seconds"] = time.process_time() - start
    now = datetime.fromtimestamp((START_MS + DAYS * DAY_MS) / 1_000, UTC)
    took = []
    for n in range(300):
        ids = [f"p{(n * 131 + k) % PRODUCTS}" for k in range(200)]
        begun = time.process_time()
        view = aggregates.view(ids, f"words {n % 50}", now, user_id=f"user{n}")
        view.ctr(), view.query_ctr(), view.conversion(), view.popularity(7)
        took.append((time.process_time() - begun) * 1_000)
    found["view_p50_ms"], found["view_p95_ms"] = (float(each) for each in np.percentile(took, (50, 95)))
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="the largest log; a tenth and 0.3 of it, too")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measured(arguments.events, arguments.only)))
        return
    metrics: dict[str, Any] = {}
    for kind in ("build", "replay"):
        for count in (arguments.events // 10, arguments.events * 3 // 10, arguments.events):
            command = [sys.executable, "-m", "benchmarks.event_features", "--events", str(count), "--only", kind]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            metrics[f"{kind} {count:,}"] = json.loads(done.stdout.splitlines()[-1])
            shown = "  ".join(f"{name} {value:,.2f}" for name, value in metrics[f"{kind} {count:,}"].items())
            print(f"{kind:7} {shown}", flush=True)
    print(result_line("event_features", "synthetic events", metrics, products=arguments.events))


if __name__ == "__main__":
    main()
