"""How well searches rank the products that people judged.

    python -m benchmarks.search_relevance --data DIR

DIR holds `products.jsonl.gz` and `ratings.csv` (query,docid,rating). `metrics["lexical"]` is the frozen baseline:
BM25 over title, brand, short description and identifiers, with the settings spelt out here, whatever the product's
defaults become. `lexical_default` is what a new installation does. Beside them, on the same products and queries:
`bm25s`, that library on the very same terms, and `tantivy`, that library with its own English analyser on the same
fields, which is what one gets without thinking about language.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import bm25s
import numpy as np
import tantivy

from benchmarks.shops import indexed, judged_shop
from lingsou.core.settings import FieldWeights, SearchSettings
from lingsou.core.types import Product
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.text.segment import Segmenter

METRICS = ("ndcg@10", "ndcg@10_condensed", "judged@10", "mrr@10", "recall@10", "recall@100")
FROZEN = SearchSettings(
    weights=FieldWeights(title=2, brand=1, short_description=1, identifiers=1, category=0, attributes=0, description=0),
    k1=1.2,
    b=0.75,
    coverage=0.25,
)
Search = Callable[[str], Sequence[str]]


def engine_search(products: Sequence[Product], folder: Path, settings: SearchSettings, segmenter: Segmenter) -> Search:
    """Our lexical leg; enough depth that condensed metrics see past unjudged products."""
    engine = indexed(products, folder, settings, segmenter)
    return lambda text: engine.search(EngineQuery(text=text, limit=1_000, collapse=False)).candidates.ids


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
    data = parser.parse_args().data
    products, judgements = judged_shop(data)
    segmenter = Segmenter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        searches = {
            "lexical": engine_search(products, folder / "frozen", FROZEN, segmenter),
            "lexical_default": engine_search(products, folder / "default", SearchSettings(), segmenter),
            "bm25s": bm25s_search(products, segmenter),
            "tantivy": tantivy_search(products),
        }
        metrics = {}
        for name, search in searches.items():
            run = Run({query: search(query) for query in judgements.relevant_queries()})
            metrics[name] = evaluate(run, judgements, METRICS).summary()
            shown = "  ".join(f"{metric} {metrics[name][metric]:.3f}" for metric in METRICS)
            print(f"{name:16} {shown}")
    print(result_line("search_relevance", data.name, metrics, products=len(products)))


if __name__ == "__main__":
    main()
