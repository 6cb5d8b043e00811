"""One encoder with four heads, beside four encoders with one head each: what sharing costs each of them.

    python -m benchmarks.multi_task --data DIR DIR… [--reviews N] [--runs joint,sentiment,…] [--kept FOLDER]

Each folder is taken for what its files are; at least two kinds must be there:

    matching    `pairs.csv.gz`: search term, product title, relevance 1 to 3; cut by query, 10,000 to train; nDCG@10
    entities    files `train*`, `dev*`, `test*` of tagged characters; span F1 of the encoder and the CRF over characters
                in one lattice, as served, with the share chosen on the dev part
    category    a CSV file with titles and their main category; cut by title, 20 % for the test; accuracy and macro-F1
    sentiment   CSV files with `label` and `review`: sorted unique texts, shuffled by seed 7, the last 20 % for the test

Both classes are decided by the encoder and a linear model of characters and words together, as served, with the share
that is likeliest on 200 rows set aside; `encoder_accuracy` is the encoder's alone.

`joint` trains all of them at once: tasks are drawn by the square root of their rows, losses weighed by uncertainty.
Alone each trains with the same method and batch for `EPOCHS`, so that none is seen more often together than apart, and
at the rate that suits it alone: entities at a higher one, and matching at a lower one, for its vectors all become one
where no other task holds them apart.
Every head reads the same token states: one forward pass of the encoder answers all four. `baseline` is a CRF over
characters for entities, and word and character n-grams with a linear classifier for the two classes.

Each run is a process of its own; `--kept` keeps what each found, and a benchmark that was stopped goes on from there.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.finetune import judged
from benchmarks.understanding.category import GRAMS, categorised_file, rows_of
from benchmarks.understanding.entities import char_crf, f1, interval, splits_of, tagged_file
from benchmarks.understanding.intent import opened
from lingsou.evaluation.report import result_line
from lingsou.training.examples import LabelSet, Splits
from lingsou.training.recipe import Recipe

BATCH, RATE, DROPOUT = 16, 1e-4, 0.1
RATES_ALONE = {"matching": 3e-5, "entities": 2e-4}
EPOCHS = {"matching": 2, "entities": 3, "category": 3, "sentiment": 1}
JOINT_EPOCHS, SAMPLING = 1.4, 2.0
TASKS: dict[str, dict[str, Any]] = {
    "matching": {"kind": "matching", "loss": "pairwise", "temperature": 0.05, "max_tokens": 48},
    "entities": {"kind": "tags", "crf": True, "characters": True, "max_tokens": 64},
    "category": {"kind": "classes", "characters": True, "max_tokens": 48},
    "sentiment": {"kind": "classes", "characters": True, "max_tokens": 96},
}
FORMATS = {"matching": "pairs", "entities": "tags", "category": "labels", "sentiment": "labels"}
METRIC = {"matching": "ndcg@10", "entities": "span_f1", "category": "accuracy", "sentiment": "accuracy"}
TEST, VALIDATION, PAIRS = 0.2, 200, 10_000
WORDS = replace(GRAMS, tolerance=1e-4)


def main() -> None:
    """Run every training in a process of its own, or the one that `--one` names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--reviews", type=int, help="so many training reviews, drawn by chance, instead of all")
    parser.add_argument("--runs", help="of joint, baseline and the tasks' names")
    parser.add_argument("--kept", type=Path, help="folder with what each run found: those are not run again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    places = {name: folder for name, of in KINDS.items() for folder in given.data if of(folder)}
    if len(places) < 2:
        parser.error(f"at least two of {', '.join(KINDS)} must be there; found: {', '.join(places) or 'none'}")
    if given.one:
        sets = {name: READ[name](places[name], given) for name in places if given.one in ("joint", "baseline", name)}
        print(orjson.dumps(baselines(sets) if given.one == "baseline" else trained(given.one, sets)).decode())
        return
    found: dict[str, dict[str, Any]] = {}
    for run in given.runs.split(",") if given.runs else ("baseline", "joint", *places):
        found[run] = _found(run, given.kept)
        print(f"{run}: {found[run]}", file=sys.stderr, flush=True)
    metrics: dict[str, dict[str, Any]] = {}
    for name in places:
        told = metrics[name] = {
            run: found[run][name] for run in ("baseline", "joint", name) if name in found.get(run, ())
        }
        if name in told:
            told["alone"] = told.pop(name)
        if "alone" in told and "joint" in told:
            told["difference"] = told["joint"][METRIC[name]] - told["alone"][METRIC[name]]
    metrics["train_s"] = {run: values["train_s"] for run, values in found.items() if "train_s" in values}
    data = {name: folder.name for name, folder in places.items()}
    print(result_line("multi_task", "+".join(data.values()), metrics, tasks=data, products=len(data)))


def _found(run: str, kept: Path | None) -> dict[str, Any]:
    place = kept / f"{run}.json" if kept else None
    if place and place.is_file():
        return json.loads(place.read_bytes())  # type: ignore[no-any-return]
    command = [sys.executable, "-m", "benchmarks.multi_task", *sys.argv[1:], "--one", run]
    line = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1]
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(line)
    return json.loads(line)  # type: ignore[no-any-return]


# The data


def _reviewed_file(folder: Path) -> Path | None:
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
        with opened(path) as file:
            if {"label", "review"} <= set(next(csv.reader(file), [])):
                return path
    return None


def _reviews(folder: Path, given: argparse.Namespace) -> Splits[LabelSet]:
    path = _reviewed_file(folder)
    assert path is not None
    with opened(path) as file:
        labels = {row["review"]: row["label"] for row in csv.DictReader(file) if row["review"].strip()}
    texts = sorted(labels)
    random.Random(7).shuffle(texts)
    first = len(texts) - len(texts) // 5
    train = texts[: first - VALIDATION]
    if given.reviews is not None:
        train = train[: given.reviews]
    return _splits(train, texts[first - VALIDATION : first], texts[first:], labels)


def _titles(folder: Path, given: argparse.Namespace) -> Splits[LabelSet]:
    labels = dict(zip(*rows_of(folder), strict=True))
    texts = sorted(labels)
    random.Random(7).shuffle(texts)
    first = round(len(texts) * (1 - TEST))
    return _splits(texts[: first - VALIDATION], texts[first - VALIDATION : first], texts[first:], labels)


def _splits(train: Sequence[str], held: Sequence[str], test: Sequence[str], labels: dict[str, str]) -> Splits[LabelSet]:
    return Splits(*(LabelSet(tuple(part), tuple((labels[text],) for text in part)) for part in (train, held, test)))


KINDS: dict[str, Callable[[Path], bool]] = {
    "matching": lambda folder: (folder / "pairs.csv.gz").is_file(),
    "entities": lambda folder: all(tagged_file(folder, part) for part in ("train", "dev")),
    "category": lambda folder: categorised_file(folder) is not None,
    "sentiment": lambda folder: _reviewed_file(folder) is not None,
}
READ: dict[str, Callable[[Path, argparse.Namespace], Splits[Any]]] = {
    "matching": lambda folder, given: judged(folder, PAIRS),
    "entities": lambda folder, given: splits_of(folder),
    "category": _titles,
    "sentiment": _reviews,
}


# Training and measuring


def recipe(names: Sequence[str]) -> Recipe:
    """All tasks that are named, in one encoder."""
    alone = len(names) == 1
    return Recipe.model_validate(
        {
            "name": "multi-task",
            "tasks": {name: TASKS[name] | {"data": {"format": FORMATS[name], "path": name}} for name in names},
            "method": {"name": "full", "word_table": True},
            "train": {
                "epochs": EPOCHS[names[0]] if alone else JOINT_EPOCHS,
                "batch": BATCH,
                "learning_rate": RATES_ALONE.get(names[0], RATE) if alone else RATE,
                "dropout": DROPOUT,
                "evaluations": 0,
                "sampling": SAMPLING,
                "mixing": "uncertainty",
            },
        }
    )


def trained(name: str, sets: dict[str, Splits[Any]]) -> dict[str, Any]:
    """Train one head, or all of them at once; every head's figures on its test part."""
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.multitask import plan_steps
    from lingsou.training.neural.run import assemble, peak_mb
    from lingsou.training.neural.tasks.classification import ClassificationTask
    from lingsou.training.neural.tasks.tagging import TaggingTask

    made = recipe(list(sets))
    base, device = open_base(made.base), choose(made.train.precision)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, sets, {}, device, Path(folder))
        rows = np.zeros(len(run.tasks), np.int64)
        for step in plan_steps(run.tasks, made.train):
            for number, own in step.batches:
                rows[number] += len(own)
        done = run.train(lambda done, of, loss: _progress(name, done, of, loss))
        report: dict[str, Any] = {"train_s": done.seconds, "peak_mb": peak_mb()}
        for task, seen in zip(run.tasks, rows.tolist(), strict=True):
            head = run.head(task.name)
            if isinstance(task, TaggingTask):
                report[task.name] = _spans(run, task, sets[task.name])
            else:
                values = {key: float(value) for key, value in task.evaluate(run.model, head, "test").values.items()}
                if isinstance(task, ClassificationTask):
                    task.calibrate(run.model, head)
                    both = {key: float(value) for key, value in task.evaluate(run.model, head, "test").values.items()}
                    values = {**both, "encoder_accuracy": values["accuracy"], "share": task.share}
                report[task.name] = values
            report[task.name]["passes"] = seen / task.rows
    return report


def _spans(run: Any, task: Any, sets: Splits[Any]) -> dict[str, Any]:
    head = run.head(task.name)
    lattice = task.together(head, task.calibrate(run.model, head))
    scores = task.scores(run.model, head, "test")
    found = [lattice.spans(text, *own) for text, own in zip(sets.test.texts, scores, strict=True)]
    return {"span_f1": f1(sets.test, found), "span_f1_ci": interval(sets.test, found)}


def baselines(sets: dict[str, Splits[Any]]) -> dict[str, Any]:
    """What each head has to beat."""
    report: dict[str, Any] = {}
    for name, own in sets.items():
        if name == "entities":
            report[name] = {"char_crf": f1(own.test, char_crf(own.train, own.test.texts))}
        elif isinstance(own.train, LabelSet):
            names = own.train.names
            known, asked = (np.array([names.index(label) for (label,) in part.given]) for part in (own.train, own.test))
            right = WORDS.fit(own.train.texts, known, len(names))(own.test.texts).argmax(1) == asked
            report[name] = {"tfidf": float(right.mean())}
    return report


def _progress(name: str, done: int, of: int, loss: float) -> None:
    if done % 100 == 0 or done == of:
        print(f"  {name} {done}/{of} loss {loss:.3f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
