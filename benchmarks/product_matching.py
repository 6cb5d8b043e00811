"""The same product or not: trees over features of pairs, a cross-encoder, and both.

    python -m benchmarks.product_matching --data DIR --name NAME [--seeds 3] [--methods lightgbm,cross_encoder]

DIR holds `NAME_{train,valid,test}.txt.gz`: two records (`COL … VAL …`) and a label a line. Records of the first column
are one source, those of the second the other. Trees learn from the training pairs, a cross-encoder too; how much the
cross-encoder counts, and the line above which a pair counts as one product, are chosen on the validation pairs.

Features know the records of all parts, as a shop's matcher knows the catalogue, and no label of the test pairs.

    same_words      the share of words in common, with a line chosen on the training pairs: the obvious baseline
    lightgbm        trees over the features of `lingsou.quality.matching.pairs`
    cross_encoder   the trees, and a second look at the pairs that they leave in doubt: the default encoder reads both
                    records, and a logistic regression weighs its logit and that of the trees. It learns from all true
                    training pairs and, for each, the three false ones that the trees (cross-fitted) find likeliest;
                    pairs less likely than those are settled, so most of a catalogue's candidates are never read.
                    `read` is the share of the test pairs that it reads, `alone` its own order of those

f1, precision and recall on the test pairs, means over seeds; `f1_ci` is the 95 % bootstrap interval over test pairs of
the first seed. `blocking` is the share of all pairs labelled the same that are among the candidates, and how many
candidates a record there are. `published` is Ditto (Li et al., PVLDB 2020), where it tells of the set.
"""

import argparse
import gzip
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.evaluation.report import result_line
from lingsou.models.logistic import fit_logistic
from lingsou.quality.matching.matcher import best_threshold, learn
from lingsou.quality.matching.pairs import CANDIDATES, NAMES, PairFeatures
from lingsou.quality.matching.records import Records
from lingsou.text.normalise import normalise

PARTS = ("train", "valid", "test")
PUBLISHED = {"amazon_google": 0.756, "abt_buy": 0.893}
_COLUMN = re.compile(r"(?:^|\s)COL\s+(\S+)\s+VAL(?=\s|$)")
_AMOUNT = re.compile(r"\d[\d,]*\.?\d*")
_TITLES, _BRANDS = ("title", "name"), ("brand", "manufacturer")
EPOCHS, MAX_TOKENS, RATE, BATCH = 3, 160, 1e-4, 16
_FALSE_A_TRUE, _FOLDS = 3, 5
_SETTLED = -1e6
"""Score of a pair that is not in doubt."""
_BOOTSTRAPS = 1_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """The pairs of one part: numbers of records, and whether they are the same."""

    left: Ints
    right: Ints
    same: Bools


def main() -> None:
    """Measure every method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", required=True, help="what the files' names begin with")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default="lightgbm,cross_encoder")
    given = parser.parse_args()
    records, sides, parts = read(given.data, given.name)
    began = time.process_time()
    space = PairFeatures(records, sides)
    features = {name: space.of(part.left, part.right) for name, part in parts.items()}
    features_s = time.process_time() - began
    metrics: dict[str, Any] = {"same_words": same_words(features, parts)}
    trees = [trees_of(features, parts, seed) for seed in range(given.seeds)]
    metrics["lightgbm"] = told([(each["test"], each["line"]) for each in trees], parts["test"].same)
    if "cross_encoder" in given.methods.split(","):
        both, alone, read_share, seconds = [], [], [], 0.0
        for seed, own in enumerate(trees):
            began = time.process_time()
            doubtful = in_doubt(features["train"], parts["train"].same, own, seed)
            logits = cross_encoder(records, parts, doubtful, seed)
            seconds += time.process_time() - began
            alone.append((logits["test"], best_threshold(logits["valid"], parts["valid"].same)))
            both.append(joined(logits, own, doubtful, parts))
            read_share.append(float(doubtful["test"].mean()))
            print(f"cross-encoder, seed {seed}: {seconds:.0f} cpu-s", file=sys.stderr, flush=True)
        metrics["cross_encoder"] = told(both, parts["test"].same)
        metrics["cross_encoder"] |= {
            "alone": told(alone, parts["test"].same),
            "read": float(np.mean(read_share)),
            "train_cpu_s": seconds / given.seeds,
        }
    metrics["blocking"] = blocking(space, parts, len(records))
    metrics["features_cpu_s"] = features_s
    if given.name in PUBLISHED:
        metrics["published"] = {"ditto": {"f1": PUBLISHED[given.name]}}
    counts = {name: len(part.same) for name, part in parts.items()}
    print(result_line("product_matching", given.name, metrics, products=len(records), pairs=counts, seeds=given.seeds))


def read(folder: Path, name: str) -> tuple[Records, Ints, dict[str, Pairs]]:
    """All records, each once a side; their sides; the pairs of each part."""
    known: dict[tuple[int, str], int] = {}
    parts = {}
    for part in PARTS:
        rows = []
        with gzip.open(folder / f"{name}_{part}.txt.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                *texts, label = line.rstrip("\n").split("\t")
                numbers = [known.setdefault((side, text), len(known)) for side, text in enumerate(texts)]
                rows.append((*numbers, int(label)))
        left, right, same = np.array(rows, np.int64).T
        parts[part] = Pairs(left, right, same == 1)
    columns = [dict(_columns(text)) for _, text in known]
    titles = [normalise(_first(each, _TITLES)) for each in columns]
    texts = [normalise(" ".join(value for key, value in each.items() if key != "price")) for each in columns]
    brands = [normalise(_first(each, _BRANDS)) for each in columns]
    prices = np.array([_price(each.get("price", "")) for each in columns])
    nothing: list[frozenset[str]] = [frozenset()] * len(columns)
    ids = [str(number) for number in range(len(columns))]
    records = Records(ids, titles, texts, brands, prices, nothing, [""] * len(columns))
    return records, np.array([side for side, _ in known]), parts


def _columns(text: str) -> Iterator[tuple[str, str]]:
    parts = _COLUMN.split(text)
    return ((name, value.strip()) for name, value in zip(parts[1::2], parts[2::2], strict=True))


def _first(columns: dict[str, str], names: tuple[str, ...]) -> str:
    return next((columns[name] for name in names if columns.get(name)), "")


def _price(text: str) -> float:
    found = _AMOUNT.search(text)
    return float(found[0].replace(",", "")) or np.nan if found else np.nan


# Methods


def same_words(features: dict[str, Floats], parts: dict[str, Pairs]) -> dict[str, Any]:
    """One feature, one line."""
    column = NAMES.index("text-words.jaccard")
    shares = {name: np.nan_to_num(table[:, column]) for name, table in features.items()}
    return told([(shares["test"], best_threshold(shares["train"], parts["train"].same))], parts["test"].same)


def trees_of(features: dict[str, Floats], parts: dict[str, Pairs], seed: int) -> dict[str, Any]:
    """Probabilities of the validation and test pairs, and the line."""
    train, valid = parts["train"].same, parts["valid"].same
    matcher = learn(features["train"], train, features["valid"], valid, seeds=[seed])
    found: dict[str, Any] = {part: matcher.probabilities(features[part]) for part in ("valid", "test")}
    return found | {"line": matcher.threshold}


def in_doubt(features: Floats, same: Bools, trees: dict[str, Any], seed: int) -> dict[str, Bools]:
    """Which pairs of each part the cross-encoder reads."""
    fold = np.random.default_rng(seed).integers(0, _FOLDS, len(same))
    likely = np.empty(len(same))
    for number in range(_FOLDS):
        held = fold == number
        matcher = learn(features[~held], same[~held], features[held], same[held], seeds=[seed])
        likely[held] = matcher.probabilities(features[held])
    wanted = min(_FALSE_A_TRUE * int(same.sum()), int((~same).sum()))
    line = np.sort(likely[~same])[-wanted]
    return {"train": same | (likely >= line)} | {part: trees[part] >= line for part in ("valid", "test")}


def cross_encoder(
    records: Records, parts: dict[str, Pairs], doubtful: dict[str, Bools], seed: int
) -> dict[str, Floats]:
    """Logits of the validation and test pairs; `_SETTLED` of those that are not in doubt."""
    from lingsou.training.examples import PairSet, Splits
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble
    from lingsou.training.neural.tasks.relevance import RelevanceTask
    from lingsou.training.recipe import Recipe

    def pairs(name: str) -> PairSet:
        part, rows = parts[name], doubtful[name]
        texts, grades = tuple(records.texts), part.same[rows].astype(np.float32)
        return PairSet(texts, texts, part.left[rows], part.right[rows], grades)

    made = Recipe.model_validate(
        {
            "name": "same-product",
            "tasks": {
                "same": {
                    "kind": "relevance",
                    "loss": "graded",
                    "max_tokens": MAX_TOKENS,
                    "data": {"format": "pairs", "path": "pairs"},
                }
            },
            "method": {"name": "full", "word_table": True},
            "train": {
                "epochs": EPOCHS,
                "batch": BATCH,
                "learning_rate": RATE,
                "evaluations": 0,
                "seed": seed,
                "threads": 1,
            },
        }
    )
    base, device = open_base(made.base), choose(made.train.precision, made.train.threads)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, {"same": Splits(*map(pairs, PARTS))}, {}, device, Path(folder))
        run.train()
        task, head = run.tasks[0], run.head("same")
        assert isinstance(task, RelevanceTask)
        found = {}
        held: dict[str, Literal["validation", "test"]] = {"valid": "validation", "test": "test"}
        for name, part in held.items():
            found[name] = np.full(len(parts[name].same), _SETTLED)
            found[name][doubtful[name]] = task.scores(run.model, head, part)
    return found


def joined(
    logits: dict[str, Floats], trees: dict[str, Any], doubtful: dict[str, Bools], parts: dict[str, Pairs]
) -> tuple[Floats, float]:
    """Scores of the test pairs by both, weighed on the validation pairs in doubt, and the line."""

    def table(name: str) -> Floats:
        likely = trees[name][doubtful[name]]
        return np.stack([logits[name][doubtful[name]], np.log(likely / (1 - likely))], axis=1)

    valid = parts["valid"].same
    head = fit_logistic(table("valid"), valid[doubtful["valid"]].astype(np.int64), 2, l2=1.0)
    scores = {}
    for name in ("valid", "test"):
        scores[name] = np.full(len(parts[name].same), _SETTLED)
        scores[name][doubtful[name]] = head.logits(table(name)) @ np.array([-1.0, 1.0])
    return scores["test"], best_threshold(scores["valid"], valid)


# Counting


def told(runs: list[tuple[Floats, float]], same: Bools) -> dict[str, Any]:
    """Means over the seeds, and the interval of the first."""
    each = [figures(scores >= line, same) for scores, line in runs]
    report: dict[str, Any] = {key: float(np.mean([run[key] for run in each])) for key in ("f1", "precision", "recall")}
    found = runs[0][0] >= runs[0][1]
    drawn = np.random.default_rng(0).integers(0, len(same), (_BOOTSTRAPS, len(same)))
    values = [figures(found[rows], same[rows])["f1"] for rows in drawn]
    report["f1_ci"] = [float(value) for value in np.quantile(values, (0.025, 0.975))]
    if len(runs) > 1:
        report["seeds"] = [run["f1"] for run in each]
    return report


def figures(found: Bools, same: Bools) -> dict[str, float]:
    """F1, precision, recall."""
    right = float((found & same).sum())
    return {
        "f1": 2 * right / max(float(found.sum() + same.sum()), 1.0),
        "precision": right / max(float(found.sum()), 1.0),
        "recall": right / max(float(same.sum()), 1.0),
    }


def blocking(space: PairFeatures, parts: dict[str, Pairs], records: int) -> dict[str, Any]:
    """How many of the pairs that are the same are candidates."""
    wanted = {
        (min(one, other), max(one, other))
        for part in parts.values()
        for one, other in zip(part.left[part.same].tolist(), part.right[part.same].tolist(), strict=True)
    }
    began = time.process_time()
    left, right = space.candidates(CANDIDATES)
    seconds = time.process_time() - began
    found = set(zip(left.tolist(), right.tolist(), strict=True))
    return {
        "recall": len(wanted & found) / len(wanted),
        "most_a_record": CANDIDATES,
        "pairs_a_record": len(found) / records,
        "cpu_s": seconds,
    }


if __name__ == "__main__":
    main()
