"""How well searches rank the products that people judged.

    python -m benchmarks.search_relevance --data DIR [--queries N]

DIR holds `products.jsonl.gz` and `ratings.csv` (query,docid,rating), or `pairs.csv.gz` (search term, product title,
relevance 1 to 3; gain 2^(relevance − 1) − 1). Of pairs, each query's own graded products are ranked and nothing else;
queries have at least five, not all graded alike; the catalogue is the products of the queries taken.

`metrics["lexical"]` is the frozen baseline: BM25 over title, brand, short description and identifiers, with the
settings spelt out here, whatever the product's defaults become. `lexical_default` is the lexical half of a new
installation, `vector` its encoder's leg alone over all products, `fused` the two together, and `plan` what a search
does: the query understood, its hard limits as filters (dropped when nothing fits), its wishes as boosts. Beside them,
on the same products and queries: `bm25s`, that library on the very same terms, and `tantivy`, that library with its own
English analyser on the same fields, which is what one gets without thinking about language. `random` is the order in
which products that a search says nothing of are ranked in pools.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
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
from lingsou.encoders.encoder import Encoder
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.evaluation.significance import compare
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.embedding import DocumentEmbedder, groups
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.filters import EVERYTHING, AllOf, Terms
from lingsou.retrieval.indexer import Indexer
from lingsou.text.segment import Segmenter

METRICS = ("ndcg@10", "ndcg@10_condensed", "judged@10", "mrr@10", "recall@10", "recall@100")
POOLED = ("ndcg@10", "mrr@10")
DEPTH = 1_000
FROZEN = SearchSettings(
    weights=FieldWeights(title=2, brand=1, short_description=1, identifiers=1, category=0, attributes=0, description=0),
    k1=1.2,
    b=0.75,
    coverage=0.25,
)
Pool = Sequence[str] | None
"""The products to rank, all of them; none: the best `DEPTH` of the catalogue."""
Search = Callable[[str, Pool], Sequence[str]]


def by_score(scores: Mapping[str, float], pool: Sequence[str]) -> list[str]:
    """The pool, best first; what has no score comes last, ties as they stand."""
    return sorted(pool, key=lambda id_: -scores.get(id_, -np.inf))


def engine_search(engine: EmbeddedEngine, ask: Callable[[str], EngineQuery], products: Mapping[str, Product]) -> Search:
    """What the engine answers; enough depth that condensed metrics see past unjudged products."""

    def search(text: str, pool: Pool) -> Sequence[str]:
        query = replace(ask(text), limit=DEPTH)
        if pool is None:
            found = engine.search(query).candidates.ids
            return found or engine.search(replace(query, filters=EVERYTHING)).candidates.ids
        trees = engine.explain(query, [products[id_] for id_ in pool])
        scores = {id_: tree.value or 0.0 for id_, tree in zip(pool, trees, strict=True)}
        inside = AllOf((query.filters, Terms("id", tuple(pool), ())))
        fitting = set(engine.search(EngineQuery(filters=inside, limit=len(pool), collapse=False)).candidates.ids)
        ranked = by_score(scores, pool)
        return [id_ for id_ in ranked if id_ in fitting] + [id_ for id_ in ranked if id_ not in fitting]

    return search


def words(text: str) -> EngineQuery:
    """Words alone."""
    return EngineQuery(text=text, collapse=False)


def vector_searches(
    products: Sequence[Product], engine: EmbeddedEngine, encoder: Encoder, work: Path
) -> dict[str, Search]:
    """The vector leg and the fusion; `work` keeps vectors between runs."""
    with Store.open(sqlite_url(work / "store.sqlite3")) as store:
        store.upsert(products)
        embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
        Indexer(store, engine, IndexSettings(), lambda: embedder).embed()
        raw = embedder.vectors(products)
    centring = engine.centring
    assert centring is not None
    vectors = centring.apply(raw, groups(products), "document")
    understanding = Understanding(engine, engine.segmenter, "")
    understanding.refresh(at_once=True)
    planned = PlannedSearch(engine, understanding, encoder)
    ids = [product.id for product in products]

    def by_meaning(text: str, pool: Pool) -> list[str]:
        asked = planned.vector(text)
        assert asked is not None
        scores = vectors @ centring.apply(asked.values[np.newaxis], [asked.group], "query")[0]
        if pool is not None:
            return by_score(dict(zip(ids, scores.tolist(), strict=True)), pool)
        return [ids[row] for row in np.argsort(-scores, kind="stable")[:DEPTH]]

    def words_and_meaning(text: str) -> EngineQuery:
        return EngineQuery(text=text, vector=planned.vector(text), collapse=False)

    known = {product.id: product for product in products}
    return {
        "vector": by_meaning,
        "fused": engine_search(engine, words_and_meaning, known),
        "plan": engine_search(engine, planned.query, known),
    }


def bm25s_search(products: Sequence[Product], segmenter: Segmenter) -> Search:
    """The library `bm25s` on our terms, each field's repeated as often as its weight."""
    analyser = Analyser(segmenter, FROZEN.weights)
    corpus = [
        [term for term, count in analyser.terms(product).items() for _ in range(int(count))] for product in products
    ]
    retriever = bm25s.BM25(method="lucene", k1=FROZEN.k1, b=FROZEN.b)  # type: ignore[no-untyped-call]
    retriever.index(corpus, show_progress=False)

    ids = [product.id for product in products]

    def search(text: str, pool: Pool) -> list[str]:
        known = [term for term in dict.fromkeys(segmenter.terms(text)) if term in retriever.vocab_dict]
        scores = retriever.get_scores(known) if known else np.zeros(len(ids))
        if pool is not None:
            return by_score(dict(zip(ids, scores.tolist(), strict=True)), pool)
        order = np.lexsort((np.arange(len(scores)), -scores))[:DEPTH]
        return [ids[row] for row in order if scores[row] > 0]

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

    def search(text: str, pool: Pool) -> list[str]:
        query, _ = index.parse_query_lenient(text, ["text"])
        addresses = [address for _, address in searcher.search(query, DEPTH if pool is None else len(products)).hits]
        rows = searcher.fast_field_values("row", addresses)
        ids = [products[int(row)].id for row in rows if row is not None]
        return ids if pool is None else by_score({id_: -float(place) for place, id_ in enumerate(ids)}, pool)

    return search


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with judged products or pairs")
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    parser.add_argument("--queries", type=int, help="so many queries, drawn at random with --seed; default: all")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    data = arguments.data
    shop = judged_shop(data, arguments.queries, arguments.seed)
    products, judgements = shop.products, shop.judgements
    known = {product.id: product for product in products}
    names = POOLED if shop.pooled else METRICS
    chosen = EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    segmenter = Segmenter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = arguments.work or folder
        work.mkdir(parents=True, exist_ok=True)
        default = indexed(products, folder / "default", SearchSettings(), segmenter)
        hybrid = indexed(products, folder / "hybrid", SearchSettings(), segmenter)
        searches = {
            "lexical": engine_search(indexed(products, folder / "frozen", FROZEN, segmenter), words, known),
            "lexical_default": engine_search(default, words, known),
            **vector_searches(products, hybrid, encoder, work),
            "bm25s": bm25s_search(products, segmenter),
            "tantivy": tantivy_search(products),
        }
        if shop.pooled:
            searches["random"] = lambda _, pool: pool or ()
        metrics: dict[str, Any] = {}
        evaluations = {}
        for name, search in searches.items():
            run = Run({query: search(query, shop.pool(query)) for query in judgements.relevant_queries()})
            evaluations[name] = evaluate(run, judgements, names)
            metrics[name] = evaluations[name].summary()
            shown = "  ".join(f"{metric} {metrics[name][metric]:.3f}" for metric in names)
            print(f"{name:16} {shown}", flush=True)
    for better, worse in (("plan", "lexical"), ("plan", "vector"), ("plan", "fused")):
        differences: dict[str, Any] = {}
        for metric in names:
            found = compare(evaluations[better].values[metric], evaluations[worse].values[metric])
            gap = found.difference
            differences |= {metric: gap.value, f"{metric}_ci": [gap.low, gap.high], f"{metric}_p": found.p}
        metrics[f"{better} - {worse}"] = differences
    sample = {"queries": arguments.queries, "seed": arguments.seed} if arguments.queries else {}
    print(result_line("search_relevance", data.name, metrics, products=len(products), **sample))


if __name__ == "__main__":
    main()
