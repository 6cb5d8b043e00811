"""What a trained ranker and explanations add to a search: one demo shop, the same queries, with and without.

    python -m benchmarks.ranked_latency --products 3200
    python -m benchmarks.ranked_latency --shop FOLDER      a data folder of demo products, indexed already; it is copied

The ranker is LambdaMART with all features, trained as `lingsou train ranker` does, on words of random titles for which
the product itself and its variants are right: its quality says nothing, its size and cost are those of a real one. The
log has events of some shoppers, so that the features of events have something to read. All ways take turns, query by
query: `known` vectors come from the cache, `new` ones are encoded. Each query is asked before it is timed, so that the
ranker has cut its products into words, as in a shop that has been open for a while; `cold` is the first time. `late` is
the share of searches whose reordering ran out of its time, and which kept the order without it.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hybrid_latency import encode
from benchmarks.search_latency import ALONE, KINDS, load, queries
from lingsou.core.settings import DataFolder
from lingsou.core.types import Context, SearchRequest, SearchResponse
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.report import result_line
from lingsou.events.schema import Event
from lingsou.features import all_features
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.ranking.artefact import install
from lingsou.ranking.lambdamart import Choice, train
from lingsou.training.ranking import groups, informative

LESSONS, SHOPPERS = 200, 20
"""Queries that the ranker is trained on, and shoppers in the log."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=3_200)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--shop", type=Path, help="an indexed data folder of demo products, instead of making one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = DataFolder(Path(temporary) / "shop")
        if arguments.shop:
            shutil.copytree(arguments.shop, folder.root)
            folder.settings_file.write_text(ALONE, encoding="utf-8")
        else:
            folder.root.mkdir()
            folder.settings_file.write_text(ALONE, encoding="utf-8")
            os.environ["LINGSOU_ENCODER__NAME"] = ""
            load(folder, arguments.products, {})
            del os.environ["LINGSOU_ENCODER__NAME"]
        shop = open_shop(folder.root)
        encoder = shop.encoder.open()
        assert encoder is not None, "no encoder: lingsou models pull e5-small"
        if not arguments.shop:
            encode(shop, encoder, None)
        shop.warm_up()
        titles = {id_: shop.store.get([id_])[id_].title for id_ in shop.engine.spread(arguments.queries + LESSONS)}
        texts = list(dict.fromkeys(queries(titles, arguments.queries + LESSONS)))
        visit(shop, list(titles))
        teach(shop, texts[:LESSONS], titles)
        metrics = measured(shop, texts[LESSONS:])
        products = shop.engine.size
        shop.close()
    for name, value in metrics.items():
        print(f"{name:28} {value}")
    print(result_line("ranked_latency", "demo generator", metrics, products=products, queries=arguments.queries))


def visit(shop: Shop, ids: Sequence[str]) -> None:
    """Shoppers who look at products."""
    now = datetime.now(UTC)
    shop.behaviour.events.append(
        [
            Event(
                action_name="click",
                time=now - timedelta(minutes=number),
                user_id=f"shopper{number % SHOPPERS}",
                object_id=id_,
            )
            for number, id_ in enumerate(ids)
        ]
    )
    shop.live_events.refresh()


def teach(shop: Shop, texts: Sequence[str], titles: dict[str, str]) -> None:
    """Put a ranker in force."""
    grades: dict[str, dict[str, float]] = {}
    for text in texts:
        right = [id_ for id_, title in titles.items() if set(text.split()) <= set(title.split())]
        variants = {each.group_id for each in shop.store.get(right).values()} - {""}
        hits = shop.pipeline.search(SearchRequest(q=text, page_size=100, collapse=False)).hits
        grades[text] = dict.fromkeys((hit.id for hit in hits if hit.product.group_id in variants), 1.0)
        grades[text] |= dict.fromkeys(right, 2.0)
    found = groups(
        Judgements({text: own for text, own in grades.items() if own}),
        PlannedSearch(shop.engine, shop.understanding, shop.encoder.encoder),
        shop.store.get,
        CandidateFeatures(shop.engine.segmenter, shop.live_events.view),
        all_features(),
        time=datetime.now(UTC),
        depth=shop.settings.ranking.depth,
    )
    features, lessons = informative(all_features(), list(found))
    model = train(lessons, [each.name for each in features], [each.monotone for each in features], Choice())
    install(shop.folder.ranker, model, created=datetime.now(UTC))
    shop.ranking.refresh()
    assert shop.ranking.active


def measured(shop: Shop, texts: Sequence[str]) -> dict[str, Any]:
    """Milliseconds of each way, by stage where it matters, and the share of searches that were too late."""
    encoder = shop.encoder.encoder
    assert encoder is not None
    waiting = QueryEncoder(lambda: encoder, budget_ms=60_000, cache=0)
    waiting.open()
    parts = (shop.store, shop.engine, shop.engine.segmenter)
    fresh = SearchPipeline(*parts, waiting, shop.understanding, shop.rules, shop.ranking)
    plain = shop.pipeline.without("ranking")
    ways: dict[str, tuple[SearchPipeline, dict[str, Any]]] = {
        "known, without": (plain, {}),
        "known": (shop.pipeline, {}),
        "known, explained": (shop.pipeline, {"explain": True}),
        "new, without": (fresh.without("ranking"), {}),
        "new": (fresh, {}),
        "new, explained": (fresh, {"explain": True}),
    }
    times: dict[str, list[float]] = defaultdict(list)
    stages: list[float] = []
    late: dict[str, int] = dict.fromkeys(("cold", *ways), 0)
    for number, text in enumerate(texts):
        context = Context(user_id=f"shopper{number % SHOPPERS}", session_id=f"visit{number}")
        shop.encoder.encode(plan.text if (plan := shop.understanding.plan(text)) else text)

        def ask(
            way: str, pipeline: SearchPipeline, more: dict[str, Any], text: str, context: Context
        ) -> SearchResponse:
            request = SearchRequest(q=text, context=context, **KINDS["filters"], **more)
            start = time.perf_counter()
            answer = pipeline.search(request)
            times[way].append((time.perf_counter() - start) * 1_000)
            late[way] += any(each.stage == "rank" and each.fallback for each in answer.stages)
            return answer

        ask("cold", shop.pipeline, {}, text, context)
        # Products met for the first time are cut until the time is up, and known from then on.
        for _ in range(10):
            again = shop.pipeline.search(SearchRequest(q=text, context=context, **KINDS["filters"]))
            if not any(each.stage == "rank" and each.fallback for each in again.stages):
                break
        for way, (pipeline, more) in ways.items():
            answer = ask(way, pipeline, more, text, context)
            if way == "known":
                stages += [each.ms for each in answer.stages if each.stage == "rank"]
    metrics: dict[str, Any] = {
        way: {
            **dict(zip(("p50_ms", "p95_ms"), np.percentile(own, (50, 95)).tolist(), strict=True)),
            "late": late[way] / len(own),
        }
        for way, own in times.items()
    }
    metrics["ranking stage"] = dict(zip(("p50_ms", "p95_ms"), np.percentile(stages, (50, 95)).tolist(), strict=True))
    return metrics


if __name__ == "__main__":
    main()
