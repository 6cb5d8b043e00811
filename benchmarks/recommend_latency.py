"""What a recommendation costs: time for one shopper, shoppers a second in batch, training, memory; made-up shops.

    python -m benchmarks.recommend_latency [--items 12000 100000] [--events 200000 1000000] [--asks 300]

Shoppers walk within departments of 50 products, popular ones more often; products have a brand and a category of three
steps. For each number of items: `p50_ms` and `p95_ms` of `Blend.recommend` for one shopper (20 products; no trees, and
3 × 100 trees), `shoppers_a_second` for 2,000 together, `update_ms` for one event. For each number of events at the
first number of items: cpu-seconds of a fit of all sources of the blend, and of each. `resident_mb` is the peak of the
process.
"""

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np

from lingsou.evaluation.report import result_line
from lingsou.models.choice import ChoiceModel, Choices, boosted
from lingsou.recommend.blend import Blend
from lingsou.recommend.interactions import Interactions, Items, interactions, items_of
from lingsou.recommend.model import FOR_YOU, sources_named

DEPARTMENT = 50
LENGTH = 9


def shop(n_items: int, n_events: int) -> tuple[Interactions, Items]:
    """Histories of about nine events."""
    random = np.random.default_rng(1)
    n_users = max(n_events // LENGTH, 1)
    users = np.repeat(np.arange(n_users), LENGTH)
    departments = max(n_items // DEPARTMENT, 1)
    department = (random.zipf(1.3, len(users) // 3 + 1) % departments).repeat(3)[: len(users)]
    within = np.minimum(random.geometric(0.06, len(users)) - 1, DEPARTMENT - 1)
    items = np.minimum(department * DEPARTMENT + within, n_items - 1)
    brands = random.integers(0, n_items // 40 + 1, n_items)
    steps = n_items // DEPARTMENT + 1
    rows = [
        [brand, *(len(brands) + place * steps + item // DEPARTMENT // 8**place for place in range(3))]
        for item, brand in enumerate(brands.tolist())
    ]
    attributes = np.unique(np.concatenate([np.array(row) for row in rows]), return_inverse=True)[1].reshape(-1, 4)
    return interactions(users, items, n_items=n_items), items_of(attributes.tolist())


def fitted(log: Interactions, items: Items) -> tuple[Blend, dict[str, float]]:
    """The blend over its sources, and the cpu-seconds of each fit."""
    sources = sources_named(FOR_YOU)
    seconds = {}
    for name, source in sources.items():
        start = time.process_time()
        source.fit(log, items)
        seconds[name] = round(time.process_time() - start, 3)
    blend = Blend(list(sources.values()))
    blend.look_at(log, items)
    return blend, seconds


def with_trees(blend: Blend, log: Interactions) -> ChoiceModel:
    """A model of 3 × 100 trees, whatever it has learnt: what it costs is the same."""
    found = blend.pool(log.block(0, 60))
    taken = np.zeros(len(found.items), np.bool_)
    taken[found.starts[:-1]] = True
    weights = np.ones(found.features.shape[1])
    return boosted(Choices(found.starts, found.features, taken), weights, rounds=100, seeds=(1, 2, 3))


def latencies(blend: Blend, log: Interactions, asks: int) -> dict[str, float]:
    """Milliseconds for one shopper."""
    spent = []
    for user in range(asks):
        history = log.block(user, user + 1)
        start = time.perf_counter()
        blend.recommend(history, 20)
        spent.append(1e3 * (time.perf_counter() - start))
    p50, p95 = np.quantile(spent, [0.5, 0.95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


def measure(n_items: int, n_events: int, asks: int) -> dict[str, object]:
    """All that is asked of one shop."""
    log, items = shop(n_items, n_events)
    blend, _ = fitted(log, items)
    plain = latencies(blend, log, asks)
    blend.model = with_trees(blend, log)
    trees = latencies(blend, log, asks)
    some = log.block(0, 2_000)
    start = time.perf_counter()
    blend.recommend(some, 20)
    batch = time.perf_counter() - start
    start = time.perf_counter()
    for user in range(20):
        blend.update(log.block(user, user + 1), np.ones(1, np.int64), items)
    update = (time.perf_counter() - start) / 20
    return {
        "without_trees": plain,
        "with_trees": trees,
        "shoppers_a_second": round(len(some) / batch),
        "update_ms": round(1e3 * update, 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each shop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[12_000, 100_000])
    parser.add_argument("--events", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--asks", type=int, default=300)
    options = parser.parse_args(arguments)
    asked = {f"{count} items": measure(count, options.events[-1], options.asks) for count in options.items}
    training = {}
    for count in options.events:
        _, seconds = fitted(*shop(options.items[0], count))
        training[f"{count} events"] = {"all": round(sum(seconds.values()), 3), **seconds}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(result_line("recommend_latency", "made up", asked, training_cpu_s=training, resident_mb=round(peak)))


if __name__ == "__main__":
    main()
