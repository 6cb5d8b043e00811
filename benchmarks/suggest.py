"""How long suggestions take in one shop of N products, letter by letter, in process and over HTTP.

    python -m benchmarks.suggest --products 100000

Products come from the demo generator. What is typed: the beginnings, from one letter to the whole, of words that the
shop suggests, as written, in pinyin, by initials, with one letter wrong, and two or three letters of the alphabet at
random. Each is asked once, so no answer comes from a cache. The service is `lingsou serve` with one worker.
"""

import argparse
import os
import random
import resource
import string
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.search_latency import load, service, timed
from lingsou.core.settings import DataFolder
from lingsou.evaluation.report import result_line
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.suggest import SuggestIndex
from lingsou.retrieval.suggest.romanise import squashed


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--texts", type=int, default=150, help="suggested texts whose beginnings are typed")
    arguments = parser.parse_args()
    os.environ["LINGSOU_ENCODER__NAME"] = ""
    metrics: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(temporary)
        folder.settings_file.write_text("", encoding="utf-8")
        load(folder, arguments.products, {})
        shop = open_shop(folder.root)
        before, start = _resident_mb(), time.perf_counter()
        shop.suggestions.refresh(at_once=True)
        metrics["build_seconds"] = time.perf_counter() - start
        metrics["build_memory_mb"] = _resident_mb() - before
        index = shop.suggestions.index
        assert index is not None
        metrics["key_tables_mb"] = index.nbytes / 2**20
        metrics["entries"] = sum(1 for _ in index.entries)
        requests = list(dict.fromkeys(typed(index, arguments.texts)))
        random.Random(7).shuffle(requests)
        metrics |= {
            f"in_process_{kind}": times for kind, times in timed(requests, lambda q: index.suggest(q, 10)).items()
        }
        everything = timed([("all", f"{q} ") for _, q in requests[::-1]], lambda q: index.suggest(q, 12))
        metrics["in_process_known"] = everything["all"]
        shop.close()
        with service(folder) as client:
            while not client.get("/v1/suggest", params={"q": "a"}).json()["groups"]:
                time.sleep(0.2)

            def ask(q: str) -> None:
                client.get("/v1/suggest", params={"q": q}).raise_for_status()

            metrics["http"] = timed([("all", q) for _, q in requests], ask)["all"]
    for name, value in metrics.items():
        print(f"{name:28} {value}")
    print(result_line("suggest", "demo generator", metrics, products=arguments.products, requests=len(requests)))


def typed(index: SuggestIndex, count: int) -> Iterator[tuple[str, str]]:
    """(kind, what is typed)."""
    rng = random.Random(7)
    names = [entry for entry in index.entries if entry.kind != "product"]
    for entry in rng.sample(names, min(count, len(names))):
        text, latin = entry.folded, squashed(entry.folded)
        yield from (("written", text[:length]) for length in range(1, len(text) + 1))
        if latin != text.replace(" ", ""):
            yield from (("pinyin", latin[:length]) for length in range(1, len(latin) + 1))
            yield "initials", "".join(squashed(character)[:1] for character in text)
        place = rng.randrange(len(latin)) if latin else 0
        wrong = latin[:place] + rng.choice(string.ascii_lowercase) + latin[place + 1 :]
        yield from (("error", wrong[:length]) for length in range(max(4, place + 1), len(wrong) + 1))
        yield "random", "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 3)))


def _resident_mb() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
