"""What fine-tuning brings, method by method: one encoder, 10,000 judged pairs, one epoch, measured on other queries.

    python -m benchmarks.finetune --data DIR [--transfer DIR …] [--methods lora,full,…] [--seeds 3] [--pairs 10000]
                                   [--kept FOLDER]

DIR holds `pairs.csv.gz` (search term, product title, relevance 1 to 3). Queries are cut by a hash of their text: 15 %
for the test, 5 % to choose weights by, and training pairs from the rest. Every method re-ranks the judged products of
each test query; queries with at least 5 of them whose grades differ count. `--transfer` names other folders, of the
same form or with `products.jsonl.gz` and `ratings.csv`; the models are used there as they are.

    base            the encoder untouched
    full … adapter  a bi-encoder, one file a method in `training/neural/methods`; `frozen` learns a turn of its vectors
    multi_task      lora, with masked-token adaptation to the training titles as a second head
    cross_encoder   reads query and title together

Bi-encoders learn the order of each query's own products (`pairwise`): that is what is measured here. A search wants the
contrast with other products too, which is the default of recipes.

Each run is a process of its own, so that `peak_mb` is its own; `--kept` keeps what each found, and a benchmark that was
stopped goes on from there. `lora` and `cross_encoder` run with `--seeds` seeds, the
others with one. Differences to `base` are paired over queries, with 95 % bootstrap intervals.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.shops import judged_shop
from lingsou.evaluation.judgements import Judgements, read_pairs
from lingsou.evaluation.report import result_line
from lingsou.evaluation.significance import compare
from lingsou.ranking.reranker import document_text
from lingsou.training.data.splits import cut, partition
from lingsou.training.examples import PairSet, Splits, TextSet
from lingsou.training.pools import rank_pools
from lingsou.training.recipe import Recipe

METHODS = ("base", "full", "frozen", "lora", "adalora", "prefix", "prompt", "adapter", "multi_task", "cross_encoder")
SEEDED = ("lora", "cross_encoder")
TEST, VALIDATION, SPLIT_SEED = 0.15, 0.05, 7
MAX_TOKENS = 48
CHOSEN = {"cross_encoder": {"learning_rate": 1e-4}}
"""Chosen on 1,000 training queries that the benchmark leaves out."""


@dataclass(frozen=True)
class Pool:
    """Judged products to be put in order, query by query."""

    name: str
    pairs: PairSet


def main() -> None:
    """Run every method in a process of its own, or the one that `--one` names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--transfer", type=Path, nargs="*", default=[])
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--kept", type=Path, help="folder with what each run found: those are not run again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(orjson.dumps(one(given.one, given.seed, given), option=orjson.OPT_SERIALIZE_NUMPY).decode())
        return
    methods = given.methods.split(",")
    if unknown := set(methods) - set(METHODS):
        parser.error(f"no such method: {', '.join(sorted(unknown))}")
    runs: dict[str, list[dict[str, Any]]] = {}
    for method in methods:
        for seed in range(given.seeds if method in SEEDED else 1):
            began = time.perf_counter()
            runs.setdefault(method, []).append(_found(method, seed, given.kept))
            ndcg = runs[method][-1]["ndcg@10"]
            print(f"{method} seed {seed}: {ndcg:.4f}, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    splits = judged(given.data, given.pairs)
    print(
        result_line(
            "finetune",
            given.data.name,
            {method: told(found, runs.get("base")) for method, found in runs.items()},
            products=len(splits.test.texts),
            queries=runs[methods[0]][0]["queries"],
            pairs=len(splits.train),
            split="by query: 15 % test, 5 % validation",
            transfer={pool.name: len(pool.pairs) for pool in map(pool_of, given.transfer)},
        )
    )


def _found(method: str, seed: int, kept: Path | None) -> dict[str, Any]:
    place = kept / f"{method}-{seed}.json" if kept else None
    if place and place.is_file():
        return json.loads(place.read_bytes())  # type: ignore[no-any-return]
    command = [sys.executable, "-m", "benchmarks.finetune", *sys.argv[1:], "--one", method, "--seed", str(seed)]
    line = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1]
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(line)
    return json.loads(line)  # type: ignore[no-any-return]


def told(found: list[dict[str, Any]], base: list[dict[str, Any]] | None) -> dict[str, Any]:
    """One method: means over its seeds, and the paired difference to the base."""
    values = [run["ndcg@10"] for run in found]
    report: dict[str, Any] = {
        "ndcg@10": float(np.mean(values)),
        "seeds": values,
        "trainable": found[0]["trainable"],
        "train_s": float(np.mean([run["train_s"] for run in found])),
        "peak_mb": max(run["peak_mb"] for run in found),
        "transfer": {
            name: {"ndcg@10": float(np.mean([run["transfer"][name]["ndcg@10"] for run in found]))}
            for name in found[0]["transfer"]
        },
    }
    if base and found is not base:
        report["gain"] = _gain(found, base, None)
        for name in report["transfer"]:
            report["transfer"][name]["gain"] = _gain(found, base, name)
    return report


def _gain(found: list[dict[str, Any]], base: list[dict[str, Any]], transfer: str | None) -> dict[str, Any]:
    def each(run: dict[str, Any]) -> NDArray[np.float64]:
        return np.array(run["each"] if transfer is None else run["transfer"][transfer]["each"])

    difference = compare(np.mean([each(run) for run in found], axis=0), each(base[0])).difference
    return {"value": difference.value, "ci": [difference.low, difference.high]}


def one(method: str, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Train one method, and put every pool in order by it."""
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble, peak_mb

    splits = judged(given.data, given.pairs)
    made = recipe(method, seed)
    base, device = open_base(made.base), choose(made.train.precision)
    device.prepare(base.model)
    sets: dict[str, Splits[Any]] = {"judged": splits}
    if "titles" in made.tasks:
        sets["titles"] = Splits(
            TextSet(splits.train.texts), TextSet(splits.validation.texts[:200]), TextSet(splits.test.texts[:200])
        )
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, sets, {}, device, Path(folder))
        trained = None
        if method != "base":
            trained = run.train(lambda done, of, loss: _progress(method, done, of, loss))
        peak = peak_mb()
        report = _measured(run, Pool("test", splits.test))
        report["transfer"] = {pool.name: _measured(run, pool) for pool in map(pool_of, given.transfer)}
        report["trainable"] = sum(value.numel() for value in run.trainer.moving.values()) if trained else 0
        report["train_s"] = trained.seconds if trained else 0.0
        report["peak_mb"] = peak
    return report


def recipe(method: str, seed: int) -> Recipe:
    """What trains a method: all else is the same for all of them."""
    kind = "relevance" if method == "cross_encoder" else "matching"
    data = {"format": "pairs", "path": "pairs.csv.gz"}
    tasks: dict[str, Any] = {"judged": {"kind": kind, "data": data, "max_tokens": MAX_TOKENS}}
    if kind == "matching":
        tasks["judged"] |= {"loss": "pairwise", "temperature": 0.05}
    if method == "multi_task":
        tasks["titles"] = {"kind": "masking", "data": data, "max_tokens": MAX_TOKENS, "weight": 0.1}
    chosen = {"base": "lora", "cross_encoder": "full", "multi_task": "lora"}.get(method, method)
    return Recipe.model_validate(
        {
            "name": method.replace("_", "-"),
            "tasks": tasks,
            "method": {"name": chosen},
            "train": {"epochs": 1, "batch": 32, "evaluations": 0, "seed": seed} | CHOSEN.get(method, {}),
        }
    )


def judged(folder: Path, pairs: int) -> Splits[PairSet]:
    """The pairs of a folder, cut by query; so many for training."""
    whole = _pair_pool(folder).pairs
    return cut(whole, partition(whole, VALIDATION, TEST, SPLIT_SEED, limit=pairs))


def pool_of(folder: Path) -> Pool:
    """All judged pairs of a folder of either form."""
    return _pair_pool(folder) if (folder / "pairs.csv.gz").is_file() else _icecat_pool(folder)


def _pair_pool(folder: Path) -> Pool:
    read = read_pairs(folder / "pairs.csv.gz")
    return Pool(folder.name, _pairs(read.judgements, dict(read.titles)))


def _icecat_pool(folder: Path) -> Pool:
    shop = judged_shop(folder)
    texts = {product.id: document_text(product) for product in shop.products}
    return Pool(folder.name, _pairs(shop.judgements, texts))


def _pairs(judgements: Judgements, texts: dict[str, str]) -> PairSet:
    rows = [
        (query, texts[product], grade)
        for query in judgements.relevant_queries()
        for product, grade in judgements.grades[query].items()
        if product in texts
    ]
    return PairSet.of(rows)


def _measured(run: Any, pool: Pool) -> dict[str, Any]:
    from lingsou.training.neural.tasks.make import make_task

    spec = run.recipe.tasks["judged"]
    task = make_task("judged", spec, Splits(pool.pairs.take(np.arange(64)), pool.pairs, pool.pairs), run.model)
    result = rank_pools(pool.pairs, task.scores(run.model, run.head("judged"), "test"))  # type: ignore[attr-defined]
    return {"ndcg@10": result.values()["ndcg@10"], "queries": len(result.queries), "each": result.ndcg.tolist()}


def _progress(method: str, done: int, of: int, loss: float) -> None:
    if done % 50 == 0 or done == of:
        print(f"  {method} {done}/{of} loss {loss:.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
