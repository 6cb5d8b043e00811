"""Random queries through the whole plan, as a search makes it; none may fail, and how long each takes.

    python -m benchmarks.fuzz_understand --queries 100000 --seed 7

The catalogue is the demo generator's. Queries are strung together from its titles, cues of limits and refusals, field
names, units, broken and rare characters, and half of them are then mangled at random. For each: the plan, its filters
parsed against the index, its boosts, the same plan a second time for one in a hundred; the result line has the failures
with their queries, and milliseconds of `understand`. Ends with status 1 when anything failed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.shops import indexed
from lingsou.core.settings import SearchSettings
from lingsou.core.types import MAX_QUERY_LENGTH
from lingsou.demo import generate
from lingsou.evaluation.report import result_line
from lingsou.pipeline.understanding import Understanding, boosts_of, filters_of
from lingsou.retrieval.filters import parse_filters
from lingsou.text.segment import Segmenter

CUES = (
    "under", "over", "below $", "at least", "between 50 and 100", "50元到100元", "100以内", "三百块左右", "¥", "€",
    "without", "not", "no", "non-", "-", "!", "不要", "除了", "以外", "别", "brand:",
    "-brand:", "颜色：", "品牌:", "price:",
    "17 inch", "16GB", "500ml", "2米", "L码", "XL", "42码", "144Hz以上", "1,5", "1e308", "9" * 40, "½", "Ⅷ",
    "or", "或者",
)  # fmt: skip
ODD = (
    *"\0\t\n\r\u3000\u200b\u202e\ufeff\ud800\udfff\ufffd\"'“”‘’「」()[]{}<>|\\/*?:;,.%_&=+~^`@#",
    "٣٤٥", "४२", "ﷺ", "İ", "ß", "ﬁ", "e\u0301", "👩‍👩‍👧‍👦", "𠮷", "㍿", "ｆｕｌｌ", "１７", "\U0010ffff",
)  # fmt: skip


def query(choose: random.Random, titles: Sequence[str]) -> str:
    """One query of up to a little more than the longest that a search takes."""
    parts: list[str] = []
    for _ in range(choose.randint(1, 6)):
        kind = choose.random()
        if kind < 0.45:
            words = choose.choice(titles).split()
            first = choose.randrange(len(words))
            parts.append(" ".join(words[first : first + choose.randint(1, 3)]))
        elif kind < 0.8:
            parts.append(choose.choice(CUES))
        elif kind < 0.9:
            parts.append(f"{choose.choice(('', '-', '¥', '$'))}{choose.randint(0, 10 ** choose.randint(1, 12))}")
        else:
            parts.append("".join(choose.choices(ODD, k=choose.randint(1, 5))))
    text = choose.choice(("", " ")).join(parts)
    if choose.random() < 0.5:
        characters = list(text)
        for _ in range(choose.randint(1, 3)):
            place = choose.randrange(len(characters) + 1)
            characters[place : place + choose.randint(0, 2)] = choose.choice(
                (*ODD, "", chr(choose.randrange(0x110000)))
            )
        text = "".join(characters)
    return text * choose.choice((1,) * 97 + (5, 20, 80)) if len(text) < MAX_QUERY_LENGTH else text


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--products", type=int, default=3_200)
    arguments = parser.parse_args()
    products = list(generate(arguments.products, 7))
    choose = random.Random(arguments.seed)
    titles = [product.title for product in products]
    failures: list[dict[str, str]] = []
    taken = np.zeros(arguments.queries)
    with tempfile.TemporaryDirectory() as folder:
        engine = indexed(products, Path(folder), SearchSettings(), Segmenter())
        understanding = Understanding(engine, engine.segmenter, "CNY", titles=lambda: titles)
        understanding.refresh(at_once=True)
        fields = engine.fields()
        for number in range(arguments.queries):
            text = query(choose, titles)
            try:
                start = time.perf_counter()
                plan = understanding.understand(text)
                taken[number] = time.perf_counter() - start
                if plan is None:
                    continue
                parse_filters(filters_of(plan, fields), fields)
                boosts_of(plan, fields)
                if any(
                    plan.read[each.start : each.end] != each.surface for each in (*plan.entities, *plan.constraints)
                ):
                    raise ValueError("a span is not where it says")
                if any(plan.raw[each.start : each.end] != each.surface for each in plan.corrections):
                    raise ValueError("a span is not where it says")
                if number % 100 == 0 and plan != understanding.understand(text):
                    raise ValueError("another plan the second time")
            except Exception as error:  # noqa: BLE001 (whatever it raises is what is looked for)
                failures.append({"query": ascii(text), "error": f"{type(error).__name__}: {error}"})
    metrics = {f"p{share}_ms": float(np.percentile(taken, share)) * 1_000 for share in (50, 95, 99)}
    metrics |= {"max_ms": float(taken.max()) * 1_000, "failures": float(len(failures))}
    extra = {"queries": arguments.queries, "seed": arguments.seed, "failed": failures[:20]}
    print(result_line("fuzz_understand", "demo generator", metrics, products=arguments.products, **extra))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
