"""Whether a ranker can learn from clicks what human judgements would have taught it.

    python -m benchmarks.click_simulation --data /data/icecat_chorus --work /data/work

The truth are the judgements of a folder in the Icecat form. Simulated shoppers search its queries (at least five judged
products, not all alike) 50,000 times. They get a page of 20 in a deliberately weak order: the judged products, cheapest
first, with chance shifting each product a few places from one search to the next, as stock and tests do. Shoppers look
at place k with probability 1 / k (position-based model) and click what they look at with 0.1 + 0.9 · (2^grade − 1) / 7.
What they do goes as events through the joins; nothing of the truth is told to the training, whose price features name
the very thing that the weak order goes by.

Every ranker is LambdaMART with the same features and parameters, from nothing (no fused score to begin with), in five
folds by query, and measured by nDCG@10 on the judgements of queries that it was not trained on. `judged` is trained on
the judgements, `naive` on plain click rates, `debiased` on clicks weighted by the examination that was estimated from
the log, `told` on clicks weighted by the true one. `recovered` is the share of the gain of `judged` over the logger,
its interval from queries drawn with replacement, three simulations each. `static` repeats it with an order that never
changes, where examination comes from a regression over features other than the price. `dbn` are shoppers who read from
the top and stop when content, `chain` the estimate made for these.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shops import indexed, judged_shop
from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.settings import EncoderSettings, IndexSettings, SearchSettings
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.evaluation.clicks import ClickModel, DynamicBayesian, PositionBased
from lingsou.evaluation.folds import folds
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.report import result_line
from lingsou.evaluation.significance import compare
from lingsou.events.columns import EventColumns
from lingsou.events.joins import Journeys, journeys
from lingsou.features import all_features
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.understanding import Understanding
from lingsou.ranking.clicks import DEPTH, SearchPairs, estimate, gains, graded, pairs_of, read_from_the_top
from lingsou.ranking.dataset import Group
from lingsou.ranking.lambdamart import Choice, train
from lingsou.ranking.validation import quality
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.indexer import Indexer
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter
from lingsou.training.ranking import groups

Floats = NDArray[np.float64]
PAGE, JITTER, NOISE = 20, 0.1, 0.1
START_MS, PAUSE_MS = 1_767_225_600_000, 4_000
CHOICE = Choice(weight=1.0, rounds=60)
OF_PRICE = frozenset({"price", "price-norm", "price-distance"})


@dataclass(frozen=True)
class World:
    """What is simulated upon: each query's judged products with their features, and the shop's weak order."""

    groups: tuple[Group, ...]
    names: tuple[str, ...]
    weak: tuple[Floats, ...]
    """Of each query: the place of each product in the logger's order, 0 to 1."""

    def logger(self) -> Floats:
        """nDCG@10 of the weak order, [queries]."""
        return np.asarray([quality(each, -own) for each, own in zip(self.groups, self.weak, strict=True)])


def world(data: Path, work: Path) -> World:
    """The judged pools of a folder, in the features of the product; without those that nothing is known for."""
    shop = judged_shop(data)
    known = {product.id: product for product in shop.products}
    segmenter, chosen = Segmenter(), EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    with tempfile.TemporaryDirectory() as temporary, Store.open(sqlite_url(work / "store.sqlite3")) as store:
        engine = indexed(shop.products, Path(temporary), SearchSettings(), segmenter)
        store.upsert(shop.products)
        embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
        Indexer(store, engine, IndexSettings(), lambda: embedder).embed()
        understanding = Understanding(engine, segmenter, "")
        understanding.refresh(at_once=True)
        found = groups(
            shop.judgements.informative(),
            PlannedSearch(engine, understanding, encoder),
            lambda ids: {id_: known[id_] for id_ in ids if id_ in known},
            CandidateFeatures(segmenter),
            features := all_features(),
            time=datetime(2026, 1, 1, tzinfo=UTC),
            depth=PAGE,
            pools=True,
        )
        pools = [each for each in found if len(set(each.grades.tolist())) > 1]
    told = ~np.isnan(np.concatenate([each.features for each in pools])).all(axis=0)
    kept = tuple(replace(each, features=each.features[:, told], base=np.zeros(len(each.ids))) for each in pools)
    weak = []
    for each in kept:
        price = np.asarray([np.inf if (own := known[id_].price) is None else float(own) for id_ in each.ids])
        weak.append(np.argsort(np.argsort(price, kind="stable"), kind="stable") / len(price))
    names = tuple(feature.name for feature, one in zip(features, told, strict=True) if one)
    return World(kept, names, tuple(weak))


def simulated(
    shop: World, model: ClickModel, sessions: int, jitter: float, seed: int
) -> tuple[Journeys, dict[str, str]]:
    """A log of searches, joined; and the words of each."""
    random = np.random.default_rng(seed)
    parts: list[dict[str, NDArray[Any]]] = []
    texts: dict[str, str] = {}
    for place, (each, weak) in enumerate(zip(shop.groups, shop.weak, strict=True)):
        count = sessions // len(shop.groups) + (place < sessions % len(shop.groups))
        scores = -weak + jitter * random.gumbel(size=(count, len(weak)))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :PAGE]
        attraction = NOISE + (1 - NOISE) * (2 ** np.maximum(each.grades, 0) - 1) / (2**3 - 1)
        clicks = model.simulate(attraction[order], random)
        first = len(texts)
        numbers = np.asarray([f"q{first + number}" for number in range(count)], object)
        texts |= dict.fromkeys(numbers.tolist(), each.query)
        search = np.broadcast_to(np.arange(count)[:, None], order.shape)
        ordinal = np.broadcast_to(np.arange(1, order.shape[1] + 1), order.shape)
        ids = np.asarray(each.ids, object)[order]
        for action, chosen, later in (("impression", np.ones_like(clicks), 0), ("click", clicks, 1)):
            parts.append(
                {
                    "time": START_MS + PAUSE_MS * (first + search[chosen]) + later,
                    "action": np.full(int(chosen.sum()), action, object),
                    "query_id": numbers[search[chosen]],
                    "object_id": ids[chosen],
                    "ordinal": ordinal[chosen],
                }
            )
    return journeys(_columns(parts)), texts


def _columns(parts: Sequence[dict[str, NDArray[Any]]]) -> EventColumns:
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["time"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    count = len(order)
    nobody = np.full(count, None, object)
    return EventColumns(
        **columns,
        user_id=nobody,
        client_id=nobody,
        session_id=columns["query_id"],
        rating=np.full(count, np.nan),
        quantity=np.ones(count, np.int64),
        price=np.full(count, np.nan),
        bot=np.zeros(count, np.bool_),
    )


def taught(shop: World, judgements: Judgements, seed: int) -> Floats:
    """nDCG@10 [queries] of a ranker trained on such grades of other folds' queries; the ungraded teach nothing."""
    part = folds(len(shop.groups), 5, seed)
    lessons = []
    for each in shop.groups:
        grades = judgements.grades.get(each.query, judgements.grades.get(normalise(each.query), {}))
        own = np.asarray([grades.get(id_, np.nan) for id_ in each.ids])
        seen = np.flatnonzero(~np.isnan(own))
        ids = tuple(each.ids[row] for row in seen.tolist())
        lessons.append(Group(each.query, ids, each.features[seen], each.base[seen], own[seen], own[seen]))
    found = np.zeros(len(shop.groups))
    for held_out in range(5):
        seen_ones = [lesson for lesson, own in zip(lessons, part, strict=True) if own != held_out]
        model = train(seen_ones, shop.names, [0] * len(shop.names), CHOICE, seeds=(seed,))
        for place in np.flatnonzero(part == held_out).tolist():
            each = shop.groups[place]
            found[place] = quality(each, model.adjustments(each.features))
    return found


def rows_of(shop: World, pairs: SearchPairs) -> Floats:
    """The features of each pair, without those of the price, which the weak order goes by."""
    kept = [number for number, name in enumerate(shop.names) if name not in OF_PRICE]
    rows = {
        (normalise(each.query), id_): each.features[row][kept]
        for each in shop.groups
        for row, id_ in enumerate(each.ids)
    }
    return np.asarray([rows[name] for name in zip(pairs.query, pairs.id, strict=True)])


def position_study(shop: World, sessions: int, jitter: float, seed: int) -> tuple[dict[str, Floats], Floats]:
    """nDCG@10 of each way of training [queries], and the estimated examination [PAGE]."""
    truth = PositionBased.power_law(PAGE)
    pairs = pairs_of(*simulated(shop, truth, sessions, jitter, seed))
    found = estimate(pairs, None if jitter else rows_of(shop, pairs)).examination
    true = np.concatenate([truth.examination, np.full(DEPTH - PAGE, truth.examination[-1])])
    ways = {"naive": np.ones(DEPTH), "debiased": found, "told": true}
    values = {name: taught(shop, graded(pairs, gains(pairs, theta)), seed) for name, theta in ways.items()}
    return values, found[:PAGE]


def dbn_study(shop: World, sessions: int, seed: int) -> dict[str, Floats]:
    """The same for shoppers who read from the top."""
    log, texts = simulated(shop, DynamicBayesian(), sessions, JITTER, seed)
    pairs = pairs_of(log, texts)
    theta = estimate(pairs).examination
    return {
        "naive": taught(shop, graded(pairs, gains(pairs, np.ones(DEPTH))), seed),
        "debiased": taught(shop, graded(pairs, gains(pairs, theta)), seed),
        "chain": taught(shop, graded(pairs, read_from_the_top(log, texts).attraction), seed),
    }


def summary(logger: Floats, judged: Floats, values: dict[str, Floats]) -> dict[str, dict[str, Any]]:
    """Of each way: nDCG@10, the share recovered with its interval, and the difference to `naive`; arrays [queries]."""
    draws = np.random.default_rng(7).integers(0, len(logger), (10_000, len(logger)))
    whole = (judged - logger)[draws].mean(axis=1)
    found: dict[str, dict[str, Any]] = {}
    for name, own in {"logger": logger, "judged": judged, **values}.items():
        low, high = np.quantile((own - logger)[draws].mean(axis=1) / whole, [0.025, 0.975])
        gap = compare(own, values["naive"])
        found[name] = {
            "ndcg@10": float(own.mean()),
            "recovered": float((own - logger).mean() / (judged - logger).mean()),
            "recovered_ci": [float(low), float(high)],
            "over_naive": gap.difference.value,
            "over_naive_ci": [gap.difference.low, gap.difference.high],
            "over_naive_p": gap.p,
        }
    return found


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with judged products")
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    parser.add_argument("--sessions", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        shop = world(arguments.data, work)
    logger = shop.logger()
    truth = Judgements({each.query: dict(zip(each.ids, each.grades.tolist(), strict=True)) for each in shop.groups})
    judged = np.mean([taught(shop, truth, seed) for seed in seeds], axis=0)
    metrics: dict[str, Any] = {}
    examination: dict[str, list[float]] = {"true": PositionBased.power_law(PAGE).examination.tolist()}
    for study, jitter in (("varied", JITTER), ("static", 0.0)):
        runs = [position_study(shop, arguments.sessions, jitter, seed) for seed in seeds]
        values = {name: np.mean([run[name] for run, _ in runs], axis=0) for name in runs[0][0]}
        metrics[study] = summary(logger, judged, values)
        examination[study] = np.mean([theta for _, theta in runs], axis=0).tolist()
    read = [dbn_study(shop, arguments.sessions, seed) for seed in seeds]
    metrics["dbn"] = summary(logger, judged, {name: np.mean([run[name] for run in read], axis=0) for name in read[0]})
    for study, ways in metrics.items():
        for name, value in ways.items():
            low, high = value["recovered_ci"]
            share = f"recovered {value['recovered']:.2f} ({low:.2f} to {high:.2f})"
            over = f"over naive {value['over_naive']:+.3f} p {value['over_naive_p']:.4f}"
            print(f"{study:8} {name:10} nDCG@10 {value['ndcg@10']:.3f}  {share}  {over}")
    print("examination", {name: [round(each, 3) for each in values[:10]] for name, values in examination.items()})
    print(
        result_line(
            "click_simulation", arguments.data.name, metrics, products=len(shop.groups),
            sessions=arguments.sessions, seeds=arguments.seeds, examination=examination,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
