"""What a learned order is worth on queries that the model has not seen: five folds by query.

    python -m benchmarks.learning_to_rank --data DIR [--work FOLDER] [--queries N] [--seed 7]

DIR as for `benchmarks.search_relevance`. Orders compared, on the same queries:

    lexical             BM25 alone, with the frozen settings of `benchmarks.search_relevance`
    fused               words and meaning
    plan                what a search does without a ranker
    lambdamart          the ranker as `lingsou train ranker` trains it: the first 200 of `plan` (or the pool), reordered
    lambdarank_default  LightGBM's own defaults on the same features: no start from the fused score, no constraints
    pointwise_default   LightGBM's defaults again, as regression on the grade

Weight of the fused score, kind of trees and rounds are chosen by cross-validation inside the training part of each fold
(`chosen` says which were), for every data set from the same few of `ranking/lambdamart.py`. `seeds` repeats the folds
with other seeds; `lambdamart` is the first of them. The features and that list were made while looking at all queries
of icecat_chorus: for it only the choice inside the folds is clean.

`scoring` times what serving adds for 200 candidates: features of products whose terms are known, and the model.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks.search_relevance import FROZEN, METRICS, POOLED, engine_search, vector_searches, words
from benchmarks.shops import indexed, judged_shop
from lingsou.core.settings import EncoderSettings, SearchSettings
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.evaluation.folds import folds
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.evaluation.significance import compare
from lingsou.features import Feature, all_features, matrix
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.understanding import Understanding
from lingsou.ranking.dataset import Group, training_rows
from lingsou.ranking.lambdamart import train
from lingsou.ranking.validation import PARTS, choose, cross_validate
from lingsou.text.segment import Segmenter
from lingsou.training.ranking import groups, informative

Floats = NDArray[np.float64]
DEPTH = 200
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULTS = {"verbosity": -1, "deterministic": True, "force_col_wise": True, "num_threads": 1, "seed": 1}


def out_of_fold(judged: Sequence[Group], seed: int, fit: Callable[[Sequence[Group]], lightgbm.Booster]) -> list[Floats]:
    """The scores of each group by a booster that was trained without it."""
    part = folds(len(judged), PARTS, seed)
    scores = [each.base for each in judged]
    for held_out in range(PARTS):
        booster = fit([each for each, own in zip(judged, part, strict=True) if own != held_out])
        for place in np.flatnonzero(part == held_out).tolist():
            scores[place] = np.asarray(booster.predict(judged[place].features), np.float64)
    return scores


def lambdarank_default(judged: Sequence[Group]) -> lightgbm.Booster:
    """LightGBM's LambdaMART, all as it comes."""
    rows = training_rows(judged)
    assert rows is not None
    data = lightgbm.Dataset(rows.features, rows.labels, group=list(rows.sizes))
    return lightgbm.train({**DEFAULTS, "objective": "lambdarank", "label_gain": list(rows.gains)}, data)


def pointwise_default(judged: Sequence[Group]) -> lightgbm.Booster:
    """LightGBM's regression on the gain."""
    rows = training_rows(judged)
    assert rows is not None
    return lightgbm.train(
        {**DEFAULTS, "objective": "regression"},
        lightgbm.Dataset(rows.features, np.asarray(rows.gains)[rows.labels]),
    )


def reranked(judged: Sequence[Group], scores: Sequence[Floats], behind: Run) -> Run:
    """The groups in the order of their scores, then what stands behind them."""
    orders = {}
    for each, own in zip(judged, scores, strict=True):
        first = [each.ids[place] for place in np.lexsort((np.arange(len(own)), -own)).tolist()]
        known = set(first)
        orders[each.query] = [*first, *(id_ for id_ in behind.ranking[each.query] if id_ not in known)]
    return Run(orders)


def timings(
    search: PlannedSearch, candidates: CandidateFeatures, features: Sequence[Feature], judged: Sequence[Group], get: Any
) -> dict[str, float]:
    """Milliseconds for 200 candidates of ten queries, the fastest of ten runs each, mean over the queries."""
    columns, monotone = [each.name for each in features], [each.monotone for each in features]
    model = train(judged, columns, monotone, choose(judged, columns, monotone))
    taken: dict[str, list[float]] = {"features_ms": [], "model_ms": [], "contributions_ms": []}
    for each in [each for each in judged if len(each.ids) >= DEPTH][:10]:
        found = search.matched(each.query)
        result = found.best(DEPTH)
        known = get(result.candidates.ids)
        products = [known[id_] for id_ in result.candidates.ids]

        def build(found: Any = found, result: Any = result, products: Any = products) -> Floats:
            batch = candidates.batch(found.query.text, found.matched, result, products, time=MOMENT, plan=found.plan)
            return matrix(features, batch)

        table = build()
        taken["features_ms"].append(_fastest(build))
        taken["model_ms"].append(_fastest(partial(model.adjustments, table)))
        taken["contributions_ms"].append(_fastest(partial(model.contributions, table[:20])))
    return {name: float(np.mean(values)) for name, values in taken.items() if values}


def _fastest(work: Callable[[], object]) -> float:
    best = np.inf
    for _ in range(10):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best * 1_000


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with judged products or pairs")
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    parser.add_argument("--queries", type=int, help="so many queries, drawn at random with --seed; default: all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3, help="seeds of folds")
    arguments = parser.parse_args()
    shop = judged_shop(arguments.data, arguments.queries, arguments.seed)
    products, judgements = shop.products, shop.judgements
    known = {product.id: product for product in products}
    names = POOLED if shop.pooled else METRICS
    chosen = EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    segmenter = Segmenter()
    features = all_features()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = arguments.work or folder
        work.mkdir(parents=True, exist_ok=True)
        engine = indexed(products, folder / "hybrid", SearchSettings(), segmenter)
        by_vectors = vector_searches(products, engine, encoder, work)
        searches = {
            "lexical": engine_search(indexed(products, folder / "frozen", FROZEN, segmenter), words, known),
            "fused": by_vectors["fused"],
            "plan": by_vectors["plan"],
        }
        understanding = Understanding(engine, segmenter, "")
        understanding.refresh(at_once=True)
        search = PlannedSearch(engine, understanding, encoder)
        runs = {
            name: Run({query: each(query, shop.pool(query)) for query in judgements.relevant_queries()})
            for name, each in searches.items()
        }
        candidates = CandidateFeatures(segmenter)
        get = lambda ids: {id_: known[id_] for id_ in ids}  # noqa: E731
        judged = list(
            groups(judgements, search, get, candidates, features, time=MOMENT, depth=DEPTH, pools=shop.pooled)
        )
        features, judged = informative(features, judged)
        columns, monotone = [each.name for each in features], [each.monotone for each in features]
        seeds = range(arguments.seed, arguments.seed + arguments.repeats)
        validations = [cross_validate(judged, columns, monotone, seed=seed) for seed in seeds]
        runs["lambdamart"] = reranked(judged, validations[0].scores, runs["plan"])
        for fit in (lambdarank_default, pointwise_default):
            runs[fit.__name__] = reranked(judged, out_of_fold(judged, arguments.seed, fit), runs["plan"])
        metrics: dict[str, Any] = {}
        evaluations = {}
        for name, run in runs.items():
            evaluations[name] = evaluate(run, judgements, names)
            metrics[name] = evaluations[name].summary()
            print(f"{name:20} " + "  ".join(f"{metric} {metrics[name][metric]:.4f}" for metric in names), flush=True)
        for worse in ("lexical", "fused", "plan"):
            differences: dict[str, Any] = {}
            for metric in names:
                found = compare(evaluations["lambdamart"].values[metric], evaluations[worse].values[metric])
                gap = found.difference
                differences |= {metric: gap.value, f"{metric}_ci": [gap.low, gap.high], f"{metric}_p": found.p}
            metrics[f"lambdamart - {worse}"] = differences
            print(f"lambdamart - {worse}: {differences}", flush=True)
        repeated = {
            str(seed): {
                "lambdamart": float(each.after.mean()),
                "plan": float(each.before.mean()),
                "chosen": [asdict(choice) for choice in each.chosen],
            }
            for seed, each in zip(seeds, validations, strict=True)
        }
        print(repeated, flush=True)
        scoring = {} if shop.pooled else timings(search, candidates, features, judged, get)
    sample = {"queries": arguments.queries} if arguments.queries else {}
    line = result_line(
        "learning_to_rank",
        arguments.data.name,
        metrics,
        products=len(products),
        features=len(features),
        seed=arguments.seed,
        seeds=repeated,
        scoring=scoring,
        **sample,
    )
    print(line)


if __name__ == "__main__":
    main()
