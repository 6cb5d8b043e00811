"""What an exact match set costs: our array engine beside `tantivy` and `bm25s`, same products, same terms.

    python -m benchmarks.lexical_engines --products 100000

Totals, facets and pages are counted over all matches after filters, so every match has to reach the columns. Each
round asks one query of every engine in turn, so that drift of the machine meets all alike. `matches`: the time to
have rows and scores of every match as arrays; `top100`: the library's own page of 100, where it has one; for ours
`full` is the whole answer with filters, three facets and the page.
"""

import argparse
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import tantivy

from benchmarks.shops import indexed
from lingsou.core.settings import FieldWeights, SearchSettings
from lingsou.core.types import FacetRequest, Product
from lingsou.demo import generate
from lingsou.evaluation.report import result_line
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.engines.embedded.lexical import Concept, LexicalScorer
from lingsou.retrieval.filters import parse_filters
from lingsou.text.segment import Segmenter

SETTINGS = SearchSettings(
    weights=FieldWeights(title=1, brand=1, short_description=1, identifiers=0, category=1, attributes=1, description=0),
    coverage=0,
)
FACETS = (FacetRequest(field="brand"), FacetRequest(field="category"), FacetRequest(field="price"))


def tantivy_index(products: Sequence[Product], analyser: Analyser) -> tuple[Any, Any, Any]:
    """Our terms, cut by white space; the internal row as a fast field."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("row", fast=True)
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(256_000_000, 1)
    for row, product in enumerate(products):
        words = (term for term, count in analyser.terms(product).items() for _ in range(int(count)))
        writer.add_document(tantivy.Document(text=" ".join(words), row=row))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index, schema, index.searcher()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    products = list(islice(generate(arguments.products, 7), arguments.products))
    segmenter = Segmenter()
    analyser = Analyser(segmenter, SETTINGS.weights)
    rng = random.Random(7)
    queries = []
    for _ in range(arguments.queries):
        words = list(dict.fromkeys(segmenter.terms(rng.choice(products).title)))
        queries.append(rng.sample(words, min(len(words), rng.randint(1, 3))))
    with tempfile.TemporaryDirectory() as folder:
        engine = indexed(products, Path(folder), SETTINGS, segmenter)
        snapshot = engine._state.snapshot
        scorer = LexicalScorer(snapshot, k1=SETTINGS.k1, b=SETTINGS.b, coverage=0)
        _, schema, searcher = tantivy_index(products, analyser)
        library = bm25s.BM25(method="lucene", k1=SETTINGS.k1, b=SETTINGS.b)  # type: ignore[no-untyped-call]
        corpus = [[t for t, count in analyser.terms(p).items() for _ in range(int(count))] for p in products]
        library.index(corpus, show_progress=False)
        filters = parse_filters({"price": {"gte": 50, "lt": 500}, "stock": {"gt": 0}}, engine.fields())

        def ours(terms: list[str]) -> int:
            return int(np.count_nonzero(scorer.match([Concept((term,)) for term in dict.fromkeys(terms)], ()).matched))

        def ours_full(terms: list[str]) -> int:
            return engine.search(EngineQuery(text=" ".join(terms), filters=filters, facets=FACETS)).total

        def tantivy_query(terms: list[str]) -> Any:
            parts = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "text", t, "freq")) for t in terms]
            return tantivy.Query.boolean_query(parts)

        def tantivy_matches(terms: list[str]) -> int:
            hits = searcher.search(tantivy_query(terms), limit=len(products)).hits
            rows = np.asarray(searcher.fast_field_values("row", [address for _, address in hits]), np.int64)
            np.asarray([score for score, _ in hits], np.float32)
            return len(rows)

        def tantivy_top(terms: list[str]) -> int:
            return int(searcher.search(tantivy_query(terms), limit=100).count)

        def bm25s_matches(terms: list[str]) -> int:
            return int(np.count_nonzero(library.get_scores(terms)))

        ways: dict[str, Callable[[list[str]], int]] = {
            "lingsou matches": ours,
            "lingsou full": ours_full,
            "tantivy matches": tantivy_matches,
            "tantivy top100": tantivy_top,
            "bm25s matches": bm25s_matches,
        }
        times: dict[str, list[float]] = defaultdict(list)
        counts: list[int] = []
        for terms in queries:
            found = {}
            for name, way in ways.items():
                start = time.perf_counter()
                found[name] = way(terms)
                times[name].append((time.perf_counter() - start) * 1_000)
            assert found["lingsou matches"] == found["tantivy matches"] == found["bm25s matches"], terms
            counts.append(found["lingsou matches"])
    metrics = {}
    for name, each in times.items():
        p50, p95 = np.percentile(each, (50, 95)).tolist()
        metrics[name] = {"p50_ms": p50, "p95_ms": p95}
        print(f"{name:16} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms")
    p50, p95 = np.percentile(counts, (50, 95)).tolist()
    print(f"matches a query: median {p50:,.0f}, 95th percentile {p95:,.0f}")
    extra = {"products": len(products), "queries": len(queries), "matches_p50": p50, "matches_p95": p95}
    print(result_line("lexical_engines", "demo generator", metrics, **extra))


if __name__ == "__main__":
    main()
