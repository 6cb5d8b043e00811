"""Section `latency`: milliseconds of `understand` over the demo shop, for queries that are new and that are known.

Queries are pieces of the shop's titles, 300 a language, and the same with one error in a word (as in `ablation`).

    words    terms, limits, names, correction and expansion, without an encoder
    whole    the same with the query's vector and the categories of what it finds, as `/v1/understand` answers

`new` is the first time that a query is asked, `known` the second, when its plan and its vector are kept. One thread.
"""

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.understanding.ablation import misspellings
from benchmarks.understanding.searching import searched_shop
from benchmarks.understanding.section import Options, Section
from lingsou.core.types import Product
from lingsou.demo import generate
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.text.language import detect

PRODUCTS, QUERIES = 3_200, 300
_WORDS, _CHARACTERS = (2, 4), (3, 8)
_PATIENCE_MS = 10_000
"""The encoder is waited for, so that its time counts."""


def pieces(products: Sequence[Product], language: str, choose: random.Random) -> list[str]:
    """Different pieces of titles in one language: words in a row, or characters in a row."""
    titles = [product.title for product in products if detect(product.title) == language]
    found: dict[str, None] = {}
    while len(found) < QUERIES:
        title = choose.choice(titles)
        parts: Sequence[str] = title.split() if language == "en" else title
        length = choose.randint(*(_WORDS if language == "en" else _CHARACTERS))
        first = choose.randrange(max(len(parts) - length, 0) + 1)
        found[(" " if language == "en" else "").join(parts[first : first + length]).strip()] = None
    return list(found)


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Every kind of query, new and known."""
    products = list(generate(PRODUCTS, 7))
    titles = [product.title for product in products]
    choose = random.Random(options.seeds[0])
    with searched_shop(products, options, "demo", "CNY") as shop:
        report: dict[str, Any] = {}
        for name in ("words", "whole"):
            encoder = None
            if name == "whole":
                encoder = QueryEncoder(lambda: shop.encoder, budget_ms=_PATIENCE_MS, cache=10_000)
                encoder.open()
            understanding = Understanding(shop.engine, shop.segmenter, "CNY", titles=lambda: titles)
            understanding.refresh(at_once=True)
            pipeline = SearchPipeline(shop.store, shop.engine, shop.segmenter, encoder, understanding)
            pipeline.understand("warm up 热身")
            for language in ("en", "zh"):
                asked = pieces(products, language, choose)
                wrong = list(misspellings(asked, titles, options.seeds[0]).values())
                for kind, queries in (("", asked), (" misspelt", wrong)):
                    report[f"{name} {language}{kind}"] = {
                        time_of: _milliseconds(pipeline, queries) for time_of in ("new", "known")
                    }
        return report


def _milliseconds(pipeline: SearchPipeline, queries: Sequence[str]) -> dict[str, float]:
    taken = np.empty(len(queries))
    for number, text in enumerate(queries):
        start = time.perf_counter()
        pipeline.understand(text)
        taken[number] = time.perf_counter() - start
    return {f"p{share}_ms": float(np.percentile(taken, share)) * 1_000 for share in (50, 95)}


SECTION = Section("latency", (), measure)
