"""How words and meaning are best put together: forms of fusion compared on queries that no fit has seen.

    python -m benchmarks.fusion_fit --data DIR --data DIR [--work FOLDER]

DIRs are judged folders in the Icecat form. Every figure is the mean of nDCG@10 and MRR@10 over all their queries, each
query measured with parameters that were fitted without it: five parts by query, twenty times over. The forms:

    words, meaning, rrf      each leg alone, and reciprocal rank fusion (k = 60): nothing to fit
    per point                similarity + w · bm25: one constant, no statistics
    saturated                similarity + w · bm25 / (bm25 + 6)
    ceiling                  similarity + w · bm25 / Σ idf (k1 + 1): what `retrieval.fusion` does
    ceiling, w(x)            the same, where w = 0.1 + 1.1 / (1 + exp(−a − b x)) for one statistic x of the query or the
                             catalogue
    ceiling, w(chosen)       the same, where the statistic too is chosen on the queries that are fitted to

`transfer` is the form "ceiling" fitted on one folder and measured on the others. `calibration` says how far the
probability that a similarity stands for lies from the share of relevant products (expected calibration error over ten
bins of equal size; pairs: all that was judged, or the twenty nearest products where few were).
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.shops import indexed, judged_shop
from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.settings import EncoderSettings, IndexSettings, SearchSettings
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.encoders.calibration import group_of
from lingsou.evaluation.folds import folds
from lingsou.evaluation.report import result_line
from lingsou.evaluation.significance import compare
from lingsou.retrieval.embedding import DocumentEmbedder, groups
from lingsou.retrieval.engine import EngineQuery, QueryVector
from lingsou.retrieval.engines.embedded.vectors import probability
from lingsou.retrieval.indexer import Indexer
from lingsou.text.segment import Segmenter
from lingsou.training.fusion import DEPTH, PARTS, REPEATS, WEIGHTS, JudgedAnswer, best, out_of_fold, quality, smoothed

Floats = NDArray[np.float64]
LOW, HIGH = 0.1, 1.2
INTERCEPTS, SLOPES = np.linspace(-4, 3, 29), np.linspace(-3, 3, 25)
RRF_K, SATURATION, NEAREST, BINS = 60, 6.0, 20, 10
FEW_JUDGED = 5
SEED = 7


@dataclass(frozen=True)
class Query:
    """One query: its answer in columns, what is known of it when it is asked, and its calibration pairs."""

    bm25: Floats
    ceiling: float
    answer: JudgedAnswer
    statistics: dict[str, float]
    pairs: Floats
    """[m, 2]: similarity, and 1 where relevant."""

    def form(self, shares: Floats, others: Floats | None = None) -> JudgedAnswer:
        """The same answer with another lexical term."""
        kept = self.answer.others if others is None else others
        return JudgedAnswer(kept, shares, self.answer.grades, self.answer.judged)


def collect(data: Path, work: Path) -> tuple[list[Query], int]:
    """Every judged query of a folder, asked by words and meaning; and the number of products."""
    shop = judged_shop(data)
    chosen, settings, segmenter = EncoderSettings(), SearchSettings(), Segmenter()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, Store.open(sqlite_url(work / "store.sqlite3")) as store:
        engine = indexed(shop.products, Path(temporary), settings, segmenter)
        store.upsert(shop.products)
        embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
        Indexer(store, engine, IndexSettings(), lambda: embedder).embed()
        centring = engine.centring
        assert centring is not None
        vectors = centring.apply(embedder.vectors(shop.products), groups(shop.products), "document")
        rows = {product.id: row for row, product in enumerate(shop.products)}
        length = float(np.mean([len(segmenter.terms(product.title)) for product in shop.products]))
        queries = []
        for text in shop.judgements.relevant_queries():
            asked = QueryVector(encoder.encode_queries([text])[0], group_of(text), encoder.fingerprint)
            found = engine.search(EngineQuery(text=text, vector=asked, limit=DEPTH, collapse=False))
            graded = dict(shop.judgements.grades[text])
            answer = JudgedAnswer.of(found, graded, settings.lexical_weight)
            similarities = vectors @ centring.apply(asked.values[np.newaxis], [asked.group], "query")[0]
            held = [id_ for id_ in graded if id_ in rows]
            if len(held) < FEW_JUDGED:
                held = [shop.products[row].id for row in np.argsort(-similarities)[:NEAREST]]
            pairs = [(similarities[rows[id_]], graded.get(id_, 0) > 0) for id_ in held]
            ceiling = found.lexical_ceiling
            near = np.sort(similarities)[::-1]
            statistics = {
                "terms": np.log(max(1, len(set(segmenter.terms(text))))),
                "information": np.log(max(ceiling, 0.1)),
                "best share": float(answer.shares.max(initial=0)),
                "lexical gap": float(np.ptp(np.sort(answer.shares)[-10:])) if len(answer.shares) else 0.0,
                "best similarity": float(near[0]),
                "similarity gap": float(near[0] - near[9]),
                "share of nearest": float(answer.shares[answer.others.argmax()]) if len(answer.shares) else 0.0,
                "Chinese": float(asked.group == "zh"),
                "title length": float(np.log(length)),
            }
            columns = found.candidates.legs["lexical"]
            queries.append(Query(columns, ceiling, answer, statistics, np.array(pairs, np.float64)))
    return queries, len(shop.products)


def ranks(values: Floats) -> Floats:
    """Rank of each value, 1 for the largest."""
    places = np.empty(len(values))
    places[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return places


def rrf(query: Query) -> JudgedAnswer:
    """Reciprocal rank fusion of the two legs; a product without any of the words has no lexical rank."""
    words = np.where(query.bm25 > 0, 1 / (RRF_K + ranks(query.bm25)), 0.0)
    return query.form(np.zeros(len(words)), words + 1 / (RRF_K + ranks(query.answer.others)))


def functions(queries: list[Query], table: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Statistic → tables [queries, coefficients] of the smoothed and of the true quality."""
    soft = smoothed(table)
    found = {}
    for name in queries[0].statistics:
        values = np.array([query.statistics[name] for query in queries])
        values = (values - values.mean()) / (values.std() or 1)
        grid = [(a, b) for a in INTERCEPTS for b in SLOPES]
        weights = np.stack([LOW + (HIGH - LOW) / (1 + np.exp(-a - b * values)) for a, b in grid], axis=1)
        places = np.abs(np.log(weights)[..., np.newaxis] - np.log(WEIGHTS)).argmin(axis=2)
        found[name] = (np.take_along_axis(soft, places, 1), np.take_along_axis(table, places, 1))
    return found


def held_out(tables: list[tuple[Floats, Floats]]) -> Floats:
    """Value of each query with the table and the column that were best, smoothed, on the others."""
    count = len(tables[0][0])
    values = np.zeros((REPEATS, count))
    for repeat in range(REPEATS):
        part = folds(count, PARTS, SEED + repeat)
        for number in range(PARTS):
            out = part == number
            means = [soft[~out].mean(axis=0) for soft, _ in tables]
            _, which = max((float(each.max()), place) for place, each in enumerate(means))
            values[repeat, out] = tables[which][1][out, means[which].argmax()]
    return np.asarray(values.mean(axis=0))


def forms(queries: list[Query]) -> tuple[dict[str, Floats], Floats]:
    """Form → out-of-fold value of each query, and the table [queries, weights] of the form "ceiling"."""
    nothing = np.array([0.0])
    table = quality([query.answer for query in queries], WEIGHTS)
    points = quality([query.form(query.bm25) for query in queries], WEIGHTS / 20)
    bounded = quality([query.form(query.bm25 / (query.bm25 + SATURATION)) for query in queries], WEIGHTS)
    found = {
        "words": quality([query.form(query.bm25, query.bm25) for query in queries], nothing)[:, 0],
        "meaning": quality([query.answer for query in queries], nothing)[:, 0],
        "rrf": quality([rrf(query) for query in queries], nothing)[:, 0],
        "per point": out_of_fold(points, seed=SEED),
        "saturated": out_of_fold(bounded, seed=SEED),
        "ceiling": out_of_fold(table, seed=SEED),
    }
    tables = functions(queries, table)
    found |= {f"ceiling, w({name})": held_out([each]) for name, each in tables.items()}
    found["ceiling, w(chosen)"] = held_out(list(tables.values()))
    return found, table


def logistic(pairs: Floats) -> Floats:
    """Slope and intercept that are most likely, each query's pairs weighing as they are."""
    similarity, relevant = pairs.T

    def loss(line: Floats) -> float:
        z = line[0] * similarity + line[1]
        return float(np.mean(np.logaddexp(0, z) - relevant * z))

    return np.asarray(minimize(loss, np.array([10.0, -4.0])).x)  # type: ignore[no-untyped-call]


def calibration_error(chances: Floats, relevant: Floats) -> float:
    """Mean distance of chance and share over bins of equal size."""
    bins = np.array_split(np.argsort(chances, kind="stable"), BINS)
    return float(sum(len(each) * abs(chances[each].mean() - relevant[each].mean()) for each in bins) / len(chances))


def calibration(queries: list[Query]) -> dict[str, float]:
    """The frozen line, and a line fitted without the query that is measured."""
    pairs = np.concatenate([query.pairs for query in queries])
    owner = np.repeat(np.arange(len(queries)), [len(query.pairs) for query in queries])
    part = folds(len(queries), PARTS, SEED)[owner]
    refitted = np.zeros(len(pairs))
    for number in range(PARTS):
        slope, intercept = logistic(pairs[part != number])
        refitted[part == number] = 1 / (1 + np.exp(-slope * pairs[part == number, 0] - intercept))
    slope, intercept = logistic(pairs)
    frozen = probability(pairs[:, 0].astype(np.float32)).astype(np.float64)
    return {
        "pairs": float(len(pairs)),
        "share_relevant": float(pairs[:, 1].mean()),
        "ece_frozen": calibration_error(frozen, pairs[:, 1]),
        "ece_out_of_fold": calibration_error(refitted, pairs[:, 1]),
        "brier_frozen": float(np.mean((frozen - pairs[:, 1]) ** 2)),
        "brier_out_of_fold": float(np.mean((refitted - pairs[:, 1]) ** 2)),
        "slope": float(slope),
        "intercept": float(intercept),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a judged folder; may be repeated")
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        sets = {data.name: collect(data, work / data.name) for data in arguments.data}
    queries = [query for each, _ in sets.values() for query in each]
    origin = np.repeat(list(sets), [len(each) for each, _ in sets.values()])
    found, table = forms(queries)
    frozen = quality([query.answer for query in queries], np.array([SearchSettings().lexical_weight]))[:, 0]
    metrics: dict[str, Any] = {}
    for name, values in {**found, "frozen (in-sample)": frozen}.items():
        gap = compare(values, found["ceiling"]).difference
        each = {f"value_{data}": float(values[origin == data].mean()) for data in sets}
        metrics[name] = {"value": float(values.mean()), **each, "gap": gap.value, "gap_ci": [gap.low, gap.high]}
        shown = "  ".join(f"{data} {each[f'value_{data}']:.4f}" for data in sets)
        print(f"{name:34} {values.mean():.4f}  {shown}  - ceiling {gap.value:+.4f} ({gap.low:+.4f} to {gap.high:+.4f})")
    weights = {"all": float(WEIGHTS[best(table)])}
    transfer = {}
    for data in sets if len(sets) > 1 else ():
        weights[f"without {data}"] = float(WEIGHTS[best(table[origin != data])])
        transfer[data] = float(table[origin == data, best(table[origin != data])].mean())
    reliability = {name: calibration(each) for name, (each, _) in sets.items()} | {"all": calibration(queries)}
    for name, value in (("fitted weights", weights), ("transfer", transfer), ("calibration", reliability)):
        print(name, value)
    size = sum(count for _, count in sets.values())
    extra = {"weights": weights, "transfer": transfer, "calibration": reliability}
    print(result_line("fusion_fit", " + ".join(sets), metrics, products=size, queries=len(queries), **extra))


if __name__ == "__main__":
    main()
