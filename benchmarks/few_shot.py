"""Sentiment from 32 examples: a plain head, contrast before it, and reviews without labels on top of both.

    python -m benchmarks.few_shot --data DIR [--unlabelled 2000] [--methods …]

DIR holds `train_few_all.json`, `dev_few_all.json` (one JSON object a line: `sentence`, `label`) and
`unlabeled.json.gz`. The training rows are cut, in their order, into parts of 32; each part is a training set of its
own, and all are measured on the rows of `dev_few_all.json`. Nothing is chosen by these: every setting is fixed
beforehand.

    frozen        logistic regression on the encoder's own vectors
    plain         the encoder and a classification head, trained together
    contrast      SetFit (Tunstall et al. 2022): first pairs of texts of like and unlike label, then logistic regression
    … + pseudo    the same once more, with reviews of which that model is sure (Lee 2013) as further training rows;
                  for `contrast` they only join the logistic regression

Means over the parts with 95 % intervals of their mean (Student's t).
"""

import argparse
import gzip
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lingsou.evaluation.report import result_line
from lingsou.models.logistic import fit_logistic, softmax
from lingsou.training.examples import LabelSet, PairSet, Splits
from lingsou.training.recipe import Recipe
from lingsou.training.semi import pseudo_label

SHOTS = 32
SURE = 0.9
"""The confidence line of pseudo-labels; at most `EACH` of a class are taken."""
EACH = 400
L2 = 1.0
T95 = {4: 2.776, 3: 3.182, 2: 4.303, 1: 12.706}
"""Student's t of a 95 % interval, by degrees of freedom."""

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Shots:
    """One small training set, what it is measured on, and texts without labels."""

    train: LabelSet
    test: LabelSet
    unlabelled: tuple[str, ...]
    seed: int


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--unlabelled", type=int, default=2_000)
    parser.add_argument("--methods", default=",".join(METHODS))
    given = parser.parse_args()
    parts = read(given.data, given.unlabelled)
    metrics: dict[str, dict[str, Any]] = {}
    for method in given.methods.split(","):
        began, found = time.perf_counter(), []
        for shots in parts:
            found.append(METHODS[method](shots))
            print(f"{method} {shots.seed}: {found[-1]}", file=sys.stderr, flush=True)
        for name in found[0]:
            metrics[name] = summary([each[name] for each in found])
        print(f"{method}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    test = parts[0].test
    told = {"parts": len(parts), "shots": SHOTS, "rows": len(test), "unlabelled": len(parts[0].unlabelled)}
    print(result_line("few_shot", given.data.name, metrics, **told))


def read(folder: Path, unlabelled: int) -> list[Shots]:
    """Every part of the training rows."""
    rows, test = (_labelled(folder / f"{part}_few_all.json") for part in ("train", "dev"))
    with gzip.open(folder / "unlabeled.json.gz", "rb") as lines:
        texts = sorted({orjson.loads(line)["sentence"] for line in lines} - {*rows.texts, *test.texts})
    drawn = np.random.default_rng(0).permutation(len(texts))[:unlabelled]
    chosen = tuple(texts[row] for row in sorted(drawn.tolist()))
    starts = range(0, len(rows) - SHOTS + 1, SHOTS)
    return [Shots(rows.take(np.arange(start, start + SHOTS)), test, chosen, seed) for seed, start in enumerate(starts)]


def _labelled(path: Path) -> LabelSet:
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    return LabelSet(tuple(row["sentence"] for row in rows), tuple((row["label"],) for row in rows))


def summary(values: list[float]) -> dict[str, Any]:
    """The mean and its interval."""
    mean, n = float(np.mean(values)), len(values)
    half = T95[n - 1] * float(np.std(values, ddof=1)) / n**0.5 if n - 1 in T95 else 0.0
    return {"accuracy": mean, "ci": [mean - half, mean + half], "each": values}


def frozen(shots: Shots) -> dict[str, float]:
    """The encoder untouched."""
    vectors = _encoder(_recipe("matching", 0.01, shots.seed), _pairs(shots.train), train=False)
    return _regressed("frozen", vectors, shots)


def contrast(shots: Shots) -> dict[str, float]:
    """Pairs of like and unlike label first."""
    vectors = _encoder(_recipe("matching", 1.0, shots.seed), _pairs(shots.train), train=True)
    return _regressed("contrast", vectors, shots)


def plain(shots: Shots) -> dict[str, float]:
    """A head on the encoder, trained with it."""
    found = {}
    right, sure = _classified(shots.train, shots, epochs=20.0)
    found["plain"] = right
    names = shots.train.names
    more = pseudo_label(sure, shots.unlabelled, names, SURE, EACH)
    both = LabelSet((*shots.train.texts, *more.texts), (*shots.train.given, *more.given))
    found["plain + pseudo"], _ = _classified(both, shots, epochs=3.0)
    return found


def _classified(train: LabelSet, shots: Shots, epochs: float) -> tuple[float, Floats]:
    """Accuracy on the test rows, and the probabilities of the texts without labels."""
    blind = LabelSet(shots.unlabelled, tuple(train.given[0] for _ in shots.unlabelled))
    run = _run(_recipe("classes", epochs, shots.seed), Splits(train, blind, shots.test))
    run.train()
    accuracy = run.evaluate("test")["task"].values["accuracy"]
    return accuracy, softmax(run.tasks[0].logits(run.model, run.head("task"), "validation"))


def _regressed(name: str, vectors: Callable[[tuple[str, ...]], Floats], shots: Shots) -> dict[str, float]:
    names = shots.train.names
    x, y = vectors(shots.train.texts), _numbers(shots.train, names)
    known, asked, unlabelled = vectors(shots.test.texts), _numbers(shots.test, names), vectors(shots.unlabelled)
    # e5's vectors lie close together; without their common part regression sees the rest.
    middle = unlabelled.mean(0)
    x, known, unlabelled = ((part - middle) / np.std(unlabelled) for part in (x, known, unlabelled))
    head = fit_logistic(x, y, len(names), l2=L2 * x.shape[1])
    found = {name: float((head.logits(known).argmax(1) == asked).mean())}
    sure = softmax(head.logits(unlabelled))
    more = pseudo_label(sure, shots.unlabelled, names, SURE, EACH)
    if len(more):
        places = {text: row for row, text in enumerate(shots.unlabelled)}
        rows = np.array([places[text] for text in more.texts])
        both = np.concatenate([x, unlabelled[rows]])
        head = fit_logistic(both, np.concatenate([y, _numbers(more, names)]), len(names), l2=L2 * x.shape[1])
    found[f"{name} + pseudo"] = float((head.logits(known).argmax(1) == asked).mean())
    return found


def _numbers(rows: LabelSet, names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([names.index(label) for (label,) in rows.given], np.int64)


def _pairs(train: LabelSet) -> PairSet:
    """Every two texts, in both roles: grade 1 where their labels are alike."""
    rows = [
        (one, other, float(first == second))
        for (one, first), (other, second) in combinations(zip(train.texts, train.given, strict=True), 2)
    ]
    return PairSet.of([*rows, *((other, one, grade) for one, other, grade in rows)])


def _recipe(kind: str, epochs: float, seed: int) -> Recipe:
    task: dict[str, Any] = {"kind": kind, "data": {"format": "pairs"}, "max_tokens": 128}
    if kind == "matching":
        task |= {"loss": "squared"}
    return Recipe.model_validate(
        {
            "name": "few-shot",
            "tasks": {"task": task},
            "method": {"name": "full"},
            "train": {"epochs": epochs, "batch": 16, "evaluations": 0, "learning_rate": 5e-5, "seed": seed},
        }
    )


def _run(recipe: Recipe, splits: Splits[Any]) -> Any:
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble

    base, device = open_base(recipe.base), choose(recipe.train.precision)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        return assemble(recipe, base, {"task": splits}, {}, device, Path(folder))


def _encoder(recipe: Recipe, pairs: PairSet, *, train: bool) -> Callable[[tuple[str, ...]], Floats]:
    """Vectors of texts, after training on the pairs if so asked."""
    run = _run(recipe, Splits(pairs, pairs, pairs))
    if train:
        run.train()
    return lambda texts: run.model.encode(run.model.queries(texts, 128)).numpy()


METHODS: dict[str, Callable[[Shots], dict[str, float]]] = {"frozen": frozen, "plain": plain, "contrast": contrast}


if __name__ == "__main__":
    main()
