"""How well searches rank the products that people judged.

    python -m benchmarks.search_relevance --data DIR

DIR holds `products.jsonl.gz` and `ratings.csv` (query,docid,rating). `metrics["lexical"]` is the frozen baseline:
BM25 over title, brand, short description and identifiers, with the settings spelt out here, whatever the product's
defaults become. `lexical_default` is the lexical half of a new installation, `vector` its encoder's leg alone over all
products, `fused` the two together, and `plan` what a search does: the query understood, its hard limits as filters
(dropped when nothing fits), its wishes as boosts. Beside them, on the same products and queries:
`bm25s`, that library on the very same terms, and `tantivy`, that library with its own English analyser on the same
fields, which is what one gets without thinking about language.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import tantivy

from benchmarks.shops import indexed, judged_shop
from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.settings import EncoderSettings, FieldWeights, IndexSettings, SearchSettings
from lingsou.core.types import Product
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.encoders.calibration import group_of
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.evaluation.significance import compare
from lingsou.pipeline.understanding import Understanding, boosts_of, filters_of
from lingsou.retrieval.embedding import DocumentEmbedder, groups
from lingsou.retrieval.engine import EngineQuery, QueryVector
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.filters import EVERYTHING, parse_filters
from lingsou.retrieval.indexer import Indexer
from lingsou.text.segment import Segmenter

METRICS = ("ndcg@10", "ndcg@10_condensed", "judged@10", "mrr@10", "recall@10", "recall@100")
FROZEN = SearchSettings(
    weights=FieldWeights(title=2, brand=1, short_description=1, identifiers=1, category=0, attributes=0, description=0),
    k1=1.2,
    b=0.75,
    coverage=0.25,
)
Search = Callable[[str], Sequence[str]]


def engine_search(engine: EmbeddedEngine) -> Search:
    """Words alone; enough depth that condensed metrics see past unjudged products."""
    return lambda text: engine.search(EngineQuery(text=text, limit=1_000, collapse=False)).candidates.ids


def vector_searches(products: Sequence[Product], engine: EmbeddedEngine, work: Path) -> dict[str, Search]:
    """The vector leg and the fusion, with the default encoder; `work` keeps vectors between runs."""
    chosen = EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    with Store.open(sqlite_url(work / "store.sqlite3")) as store:
        store.upsert(products)
        embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
        indexer = Indexer(store, engine, IndexSettings(), lambda: embedder)
        indexer.embed()
        raw = embedder.vectors(products)
    centring = engine.centring
    assert centring is not None
    vectors = centring.apply(raw, groups(products), "document")

    def query_vector(text: str) -> QueryVector:
        return QueryVector(encoder.encode_queries([text])[0], group_of(text), encoder.fingerprint)

    def by_meaning(text: str) -> list[str]:
        asked = query_vector(text)
        scores = vectors @ centring.apply(asked.values[np.newaxis], [asked.group], "query")[0]
        return [products[row].id for row in np.argsort(-scores, kind="stable")[:1_000]]

    def by_both(text: str) -> Sequence[str]:
        query = EngineQuery(text=text, vector=query_vector(text), limit=1_000, collapse=False)
        return engine.search(query).candidates.ids

    understanding = Understanding(engine, engine.segmenter, "")
    understanding.refresh(at_once=True)
    fields = engine.fields()

    def as_planned(text: str) -> Sequence[str]:
        plan = understanding.plan(text)
        assert plan is not None
        query = EngineQuery(
            text=plan.text,
            vector=query_vector(plan.text) if plan.text else None,
            boosts=boosts_of(plan, fields),
            filters=parse_filters(filters_of(plan, fields), fields),
            limit=1_000,
            collapse=False,
        )
        found = engine.search(query).candidates.ids
        return found or engine.search(replace(query, filters=EVERYTHING)).candidates.ids

    return {"vector": by_meaning, "fused": by_both, "plan": as_planned}


def bm25s_search(products: Sequence[Product], segmenter: Segmenter) -> Search:
    """The library `bm25s` on our terms, each field's repeated as often as its weight."""
    analyser = Analyser(segmenter, FROZEN.weights)
    corpus = [
        [term for term, count in analyser.terms(product).items() for _ in range(int(count))] for product in products
    ]
    retriever = bm25s.BM25(method="lucene", k1=FROZEN.k1, b=FROZEN.b)  # type: ignore[no-untyped-call]
    retriever.index(corpus, show_progress=False)

    def search(text: str) -> list[str]:
        known = [term for term in dict.fromkeys(segmenter.terms(text)) if term in retriever.vocab_dict]
        if not known:
            return []
        scores = retriever.get_scores(known)
        order = np.lexsort((np.arange(len(scores)), -scores))[:1_000]
        return [products[row].id for row in order if scores[row] > 0]

    return search


def tantivy_search(products: Sequence[Product]) -> Search:
    """The library `tantivy` with its English analyser, all fields in one."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="en_stem")
    builder.add_integer_field("row", fast=True)
    index = tantivy.Index(builder.build())
    writer = index.writer(64_000_000, 1)
    for row, product in enumerate(products):
        codes = (product.id, product.sku, product.mpn, *product.ean)
        text = " ".join((product.title, product.title, product.brand, product.short_description, *codes))
        writer.add_document(tantivy.Document(text=text, row=row))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(text: str) -> list[str]:
        query, _ = index.parse_query_lenient(text, ["text"])
        addresses = [address for _, address in searcher.search(query, 1_000).hits]
        rows = searcher.fast_field_values("row", addresses)
        return [products[int(row)].id for row in rows if row is not None]

    return search


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with products.jsonl.gz and ratings.csv")
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    arguments = parser.parse_args()
    data = arguments.data
    products, judgements = judged_shop(data)
    segmenter = Segmenter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = arguments.work or folder
        work.mkdir(parents=True, exist_ok=True)
        default = indexed(products, folder / "default", SearchSettings(), segmenter)
        hybrid = indexed(products, folder / "hybrid", SearchSettings(), segmenter)
        searches = {
            "lexical": engine_search(indexed(products, folder / "frozen", FROZEN, segmenter)),
            "lexical_default": engine_search(default),
            **vector_searches(products, hybrid, work),
            "bm25s": bm25s_search(products, segmenter),
            "tantivy": tantivy_search(products),
        }
        metrics: dict[str, Any] = {}
        evaluations = {}
        for name, search in searches.items():
            run = Run({query: search(query) for query in judgements.relevant_queries()})
            evaluations[name] = evaluate(run, judgements, METRICS)
            metrics[name] = evaluations[name].summary()
            shown = "  ".join(f"{metric} {metrics[name][metric]:.3f}" for metric in METRICS)
            print(f"{name:16} {shown}")
    for better, worse in (("plan", "lexical"), ("plan", "vector"), ("plan", "fused")):
        differences: dict[str, Any] = {}
        for metric in METRICS:
            found = compare(evaluations[better].values[metric], evaluations[worse].values[metric])
            gap = found.difference
            differences |= {metric: gap.value, f"{metric}_ci": [gap.low, gap.high], f"{metric}_p": found.p}
        metrics[f"{better} - {worse}"] = differences
    print(result_line("search_relevance", data.name, metrics, products=len(products)))


if __name__ == "__main__":
    main()
