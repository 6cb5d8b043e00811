"""How well a search of the demo shop ranks what its judged queries ask for, part by part.

    python -m benchmarks.demo_relevance [--work DIR]

The generator grades by facts and never by words (`lingsou.demo.queries`), yet its vocabulary is that of its makers, who
also wrote the tables of understanding: a development set. `words` and `fused` are queries as they were typed, without
and with meaning; `plan` is a search as it is; the rest is `plan` with one part taken out. `category` says of the
likeliest category, where it is sure, how often it is one of those that the query was written for.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.shops import indexed
from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.plan import QueryPlan
from lingsou.core.settings import EncoderSettings, IndexSettings, SearchSettings
from lingsou.demo import generate, judged_queries
from lingsou.demo.vocabulary import vocabulary
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.understanding import CATEGORY_SURE, Understanding, with_categories
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engine import Boost, EngineQuery
from lingsou.retrieval.filters import EVERYTHING
from lingsou.retrieval.indexer import Indexer
from lingsou.text.segment import Segmenter

METRICS = ("ndcg@10", "ndcg@10_condensed", "mrr@10", "recall@10", "recall@100")
PRODUCTS, SEED, DEPTH = 3_200, 7, 1_000


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    arguments = parser.parse_args()
    products = list(generate(PRODUCTS, SEED))
    queries = judged_queries(products)
    judgements = Judgements({q.query: {id_: float(g) for id_, g in q.grades.items()} for q in queries})
    chosen = EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        engine = indexed(products, Path(temporary) / "index", SearchSettings(), Segmenter())
        with Store.open(sqlite_url(work / "store.sqlite3")) as store:
            store.upsert(products)
            embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
            Indexer(store, engine, IndexSettings(), lambda: embedder).embed()
        understanding = Understanding(engine, engine.segmenter, "CNY")
        understanding.refresh(at_once=True)
        planned = PlannedSearch(engine, understanding, encoder)

        def ranked(ask: Callable[[str], EngineQuery]) -> Run:
            runs = {}
            for text in judgements.relevant_queries():
                query = replace(ask(text), limit=DEPTH)
                found = engine.search(query).candidates.ids
                runs[text] = found or engine.search(replace(query, filters=EVERYTHING)).candidates.ids
            return Run(runs)

        def without(keep: Callable[[Boost], bool]) -> Callable[[str], EngineQuery]:
            def ask(text: str) -> EngineQuery:
                query = planned.query(text)
                return replace(query, boosts=tuple(boost for boost in query.boosts if keep(boost)))

            return ask

        asks: dict[str, Callable[[str], EngineQuery]] = {
            "words": lambda text: EngineQuery(text=text, collapse=False),
            "fused": lambda text: EngineQuery(text=text, vector=planned.vector(text), collapse=False),
            "plan": planned.query,
            "no expansions": lambda text: replace(planned.query(text), expansions=()),
            "no boosts": without(lambda boost: False),
            "no category": without(lambda boost: not boost.reason.startswith("likely category")),
            "no all-of": without(lambda boost: not boost.reason.startswith("all of")),
        }
        metrics: dict[str, Any] = {}
        for name, ask in asks.items():
            metrics[name] = evaluate(ranked(ask), judgements, METRICS).summary()
            shown = "  ".join(f"{metric} {metrics[name][metric]:.4f}" for metric in METRICS)
            print(f"{name:16} {shown}")

        sure = right = 0
        leaves = vocabulary().leaves
        for query in queries:
            plan = understanding.plan(query.query)
            if not isinstance(plan, QueryPlan) or not query.leaves:
                continue
            likely = with_categories(plan, engine.match(planned.query(query.query))).categories[:1]
            if likely and likely[0].probability >= CATEGORY_SURE:
                sure += 1
                right += likely[0].category in {" > ".join(leaves[leaf].path) for leaf in query.leaves}
        print(f"category         sure for {sure} of {len(queries)} queries, right for {right}")
    print(result_line("demo_relevance", "demo shop", metrics, products=PRODUCTS, sure=sure, right=right))


if __name__ == "__main__":
    main()
