"""How soon an event changes what a shopper is recommended, end to end: from the post of the event to another answer.

    python -m benchmarks.recommend_live --products 2000 --rounds 50

A made-up shop: shoppers walk along departments of 50 products, one product after the other. The recommender is trained
on them; then `lingsou serve` runs, and each round a shopper who was never there clicks a product. `/v1/recommend` is
asked without a pause until the answer is another than before the click. `seconds` begin before the post of the event;
`acknowledged` is the part until the event is on disk; `asked_ms` is what one recommendation takes meanwhile.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np

from benchmarks.search_latency import service
from lingsou.core.settings import DataFolder
from lingsou.core.types import Product
from lingsou.evaluation.report import result_line
from lingsou.events.schema import Event
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.retrieval.indexer import indexer_lock

DEPARTMENT, STEPS = 50, 6
PATIENCE_S = 30.0
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}


def fill(shop: Shop, products: int, shoppers: int) -> None:
    """Products, and walks of shoppers along their departments in the last hundred days."""
    shop.store.upsert(
        [
            Product(id=f"p{n}", title=f"Product {n}", category=(f"Department {n // DEPARTMENT}",), price=10 + n % 90)
            for n in range(products)
        ]
    )
    with indexer_lock(shop.folder):
        shop.indexer().catch_up()
    chance, now = random.Random(1), datetime.now(UTC)
    for first in range(0, shoppers, 500):
        rows = []
        for shopper in range(first, min(first + 500, shoppers)):
            start, department = chance.randrange(DEPARTMENT), chance.randrange(max(products // DEPARTMENT, 1))
            for step in range(STEPS):
                place = department * DEPARTMENT + (start + step) % DEPARTMENT
                moment = now - timedelta(days=60 - 9 * step, seconds=shopper)
                rows.append(Event(action_name="click", time=moment, user_id=f"u{shopper}", object_id=f"p{place}"))
        shop.behaviour.events.append(rows)


def answer(client: httpx.Client, shopper: str) -> list[str]:
    """Ids of what is recommended."""
    found = client.post("/v1/recommend", json={"n": 12, "context": {"user_id": shopper}})
    return [item["id"] for item in found.raise_for_status().json()["items"]]


def measured(client: httpx.Client, products: int, rounds: int) -> dict[str, object]:
    """Percentiles over the rounds."""
    changed, acknowledged, asked, missed = [], [], [], 0
    for number in range(rounds):
        shopper = f"newcomer-{number}"
        before = answer(client, shopper)
        click = {
            "action_name": "click",
            "timestamp": datetime.now(UTC).isoformat(),
            "user_id": shopper,
            "event_attributes": {"object": {"object_id": f"p{number * 37 % products}"}},
        }
        start = time.perf_counter()
        client.post("/v1/events", json=click, headers=AGENT).raise_for_status()
        acknowledged.append(time.perf_counter() - start)
        while True:
            began = time.perf_counter()
            same = answer(client, shopper) == before
            asked.append(1e3 * (time.perf_counter() - began))
            if not same:
                changed.append(time.perf_counter() - start)
                break
            if time.perf_counter() - start > PATIENCE_S:
                missed += 1
                break
    return {
        "seconds": percentiles(changed),
        "acknowledged": percentiles(acknowledged),
        "asked_ms": percentiles(asked),
        "never_changed": missed,
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    if not values:
        return {}
    p50, p95, most = np.quantile(values, [0.5, 0.95, 1.0]).round(3).tolist()
    return {"p50": p50, "p95": p95, "max": most}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--shoppers", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args(arguments)
    os.environ["LINGSOU_ENCODER__NAME"] = ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(temporary)
        folder.settings_file.write_text("", encoding="utf-8")
        shop = open_shop(folder.root)
        fill(shop, options.products, options.shoppers)
        shop.close()
        training = [sys.executable, "-m", "lingsou.cli", "train", "recommend", "--data", temporary]
        subprocess.run(training, check=True, stdout=subprocess.DEVNULL)
        with service(folder) as client:
            known = {"context": {"user_id": f"u{options.shoppers - 1}"}, "explain": True}
            while not any("because" in item for item in client.post("/v1/recommend", json=known).json()["items"]):
                time.sleep(0.1)  # until the log has been read
            metrics = measured(client, options.products, options.rounds)
    print(result_line("recommend_live", "made up", metrics, products=options.products, rounds=options.rounds))


if __name__ == "__main__":
    main()
