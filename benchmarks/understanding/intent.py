"""Section `intent`: one class of many for a short text, beside a logistic regression on frozen vectors.

A folder has a CSV file with the columns `text` and `category` (or `intent`, or `label`). Its distinct rows, sorted, are
shuffled by the first seed; the last fifth is the test. A tenth of the training part is what temperatures are fitted to.

    frozen      multinomial logistic regression on the encoder's vectors, as the default head is fitted (the baseline)
    words       logistic regression on word and character n-grams (scikit-learn)
    tuned       the encoder fine-tuned with a head by the training system
    both        the mean of the distributions, each and the mean with a temperature

`full` learns from all training rows: temperatures are fitted without their tenth, then the classifiers with it; its
`both` is of `frozen` and `words`. `10_a_class` learns from the first ten rows of each class, once a seed; its `both` is
of all three, and the tenth still tells the temperatures.
"""

import csv
import gzip
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.grams import Grams
from benchmarks.understanding.section import Options, Section
from lingsou.core.settings import EncoderSettings
from lingsou.encoders import Encoder, EncoderOptions, open_encoder
from lingsou.evaluation.label_metrics import Counts, calibration_error, one_hot
from lingsou.models.logistic import fit_logistic, likeliest_temperature, softmax
from lingsou.pipeline.intents import L2
from lingsou.training.examples import LabelSet, Splits
from lingsou.training.recipe import Recipe

FEW: dict[str, float] = {"epochs": 10, "batch": 16, "learning_rate": 2e-4}
GRAMS = Grams(strength=30.0, letters=(2, 5))
"""Chosen on the dev part and on training rows that the ten of each class leave over."""
TEST, DEV, FEW_ROWS = 0.2, 0.1, 10
MAX_TOKENS = 64
_LABELS = ("category", "intent", "label")

Floats = NDArray[np.float64]
Row = tuple[str, str]


class LabelledText(Section):
    """Runs where a CSV file has a text and its class in each row."""

    def runs_on(self, folder: Path) -> bool:
        """Whether the folder has one."""
        return labelled_file(folder) is not None


def labelled_file(folder: Path) -> tuple[Path, str] | None:
    """The file and its column of classes."""
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
        with opened(path) as file:
            header = next(csv.reader(file), [])
        label = next((name for name in _LABELS if name in header), None)
        if "text" in header and label is not None:
            return path, label
    return None


def opened(path: Path) -> Any:
    """A CSV file, zipped or not."""
    return gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(newline="")


@dataclass(frozen=True)
class Parts:
    """Rows of one setting."""

    train: list[Row]
    dev: list[Row]
    test: list[Row]


def parts_of(folder: Path, seed: int) -> Parts:
    """The rows of a folder, cut in three."""
    found = labelled_file(folder)
    assert found is not None
    path, column = found
    with opened(path) as file:
        rows = sorted({(row["text"].strip(), row[column].strip()) for row in csv.DictReader(file)})
    rows = [row for row in rows if all(row)]
    random.Random(seed).shuffle(rows)
    test = round(TEST * len(rows))
    rest = rows[:-test]
    dev = round(DEV * len(rest))
    return Parts(rest[:-dev], rest[-dev:], rows[-test:])


def few_of(parts: Parts) -> Parts:
    """The first rows of each class; what else there is of training is not looked at but for the dev part."""
    counts: Counter[str] = Counter()
    chosen = []
    for row in parts.train:
        counts[row[1]] += 1
        if counts[row[1]] <= FEW_ROWS:
            chosen.append(row)
    return Parts(chosen, parts.dev, parts.test)


Logits = Callable[[Sequence[str]], Floats]
"""Texts → logits `[n, k]`."""


class Vectors:
    """The default encoder's vectors of texts, each encoded once."""

    def __init__(self) -> None:
        self._encoder = encoder_of()
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Vectors `[n, d]`."""
        new = sorted({text for text in texts if text not in self._known}, key=len)
        self._known.update(zip(new, self._encoder.encode_queries(new), strict=True))
        return np.array([self._known[text] for text in texts], np.float64)


@dataclass(frozen=True)
class Mixture:
    """Classifiers, each with its temperature, and the mean of their distributions with another one."""

    labels: Sequence[str]
    members: Mapping[str, Logits]
    temperatures: Mapping[str, float]
    temperature: float

    @classmethod
    def of(
        cls, labels: Sequence[str], dev: Sequence[Row], judged: Mapping[str, Logits], members: Mapping[str, Logits]
    ) -> "Mixture":
        """Of `members`, with the temperatures that make `dev` likeliest as the like of them in `judged` see it."""
        rows = [row for row in dev if row[1] in labels]
        expected, texts = numbers(rows, labels), [text for text, _ in rows]
        logits = {name: each(texts) for name, each in judged.items()}
        temperatures = {name: likeliest_temperature(each, expected) for name, each in logits.items()}
        mean = np.mean([softmax(each / temperatures[name]) for name, each in logits.items()], axis=0)
        return cls(labels, members, temperatures, likeliest_temperature(np.log(mean), expected))

    def chances(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Probabilities `[n, k]` of each member, and of `both`."""
        found = {name: softmax(each(texts) / self.temperatures[name]) for name, each in self.members.items()}
        mean = np.mean(list(found.values()), axis=0)
        return {**found, "both": softmax(np.log(mean) / self.temperature)}


@cache
def vectors_of() -> Vectors:
    """Those that the sections of one run share."""
    return Vectors()


@cache
def of_all_rows(folder: Path, seed: int) -> tuple[Parts, Mixture]:
    """The rows of a folder, and what all training rows teach."""
    parts, vectors = parts_of(folder, seed), vectors_of()
    labels, rows = classes_of(parts.train), [*parts.train, *parts.dev]
    judged, members = simple(parts.train, labels, vectors), simple(rows, labels, vectors)
    return parts, Mixture.of(labels, parts.dev, judged, members)


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Both settings."""
    parts, full = of_all_rows(folder, options.seeds[0])
    few, vectors = few_of(parts), vectors_of()
    texts, expected = [text for text, _ in parts.test], numbers(parts.test, full.labels)
    of_full = {name: figures(chances, expected) for name, chances in full.chances(texts).items()}
    runs = []
    for seed in options.seeds:
        labels = classes_of(few.train)
        members = {**simple(few.train, labels, vectors), "tuned": tuned(few, labels, FEW, seed)}
        found = Mixture.of(labels, few.dev, members, members).chances(texts)
        runs.append({name: figures(chances, numbers(few.test, labels)) for name, chances in found.items()})
    of_few = {
        name: {key: float(np.mean([run[name][key] for run in runs])) for key in runs[0][name]} for name in runs[0]
    }
    return {
        "full": {**told(of_full), "train": len(parts.train) + len(parts.dev)},
        "10_a_class": {
            **told(of_few),
            "accuracy_by_seed": [run["both"]["accuracy"] for run in runs],
            "train": len(few.train),
            "dev": len(few.dev),
        },
        "test": len(parts.test),
    }


def told(found: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The figures of `both`, and beside them those of its members and the baseline."""
    members = {name: each for name, each in found.items() if name not in ("both", "frozen")}
    return {**found["both"], **members, "baseline": {"frozen_logistic": found["frozen"]}}


def simple(rows: Sequence[Row], labels: Sequence[str], vectors: Vectors) -> dict[str, Logits]:
    """The classifiers that need no fine-tuning."""
    rows = [row for row in rows if row[1] in labels]
    texts, expected = [text for text, _ in rows], numbers(rows, labels)
    return {"frozen": frozen(texts, expected, len(labels), vectors), "words": GRAMS.fit(texts, expected, len(labels))}


def classes_of(rows: Sequence[Row]) -> list[str]:
    """Their classes, sorted."""
    return sorted({label for _, label in rows})


def figures(chances: Floats, expected: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration error; −1 is a class that training did not have."""
    right = chances.argmax(axis=1) == expected
    k = chances.shape[1]
    return {
        "accuracy": float(right.mean()),
        "macro_f1": Counts.of(one_hot(expected, k), one_hot(chances.argmax(axis=1), k)).macro_f1,
        "ece": calibration_error(right, chances.max(axis=1)),
    }


def numbers(rows: Sequence[Row], labels: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of the rows' classes; −1 for one that is not among `labels`."""
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places.get(label, -1) for _, label in rows], np.int64)


def frozen(texts: Sequence[str], labels: NDArray[np.int64], k: int, vectors: Vectors) -> Logits:
    """A logistic regression on vectors whose mean squared distance to their mean is 1."""
    x = vectors(texts)
    mean = x.mean(axis=0)
    spread = float(np.sqrt(((x - mean) ** 2).sum(axis=1).mean()))
    head = fit_logistic((x - mean) / spread, labels, k, l2=L2)
    return lambda asked: head.logits((vectors(asked) - mean) / spread)


def tuned(parts: Parts, labels: Sequence[str], spec: Mapping[str, float], seed: int) -> Logits:
    """Logits of the texts of the dev and the test part by the fine-tuned encoder."""
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble
    from lingsou.training.neural.tasks.classification import ClassificationTask

    made = Recipe.model_validate(
        {
            "name": "intent",
            "tasks": {
                "intent": {"kind": "classes", "max_tokens": MAX_TOKENS, "data": {"format": "labels", "path": "rows"}}
            },
            "method": {"name": "full"},
            "train": {**spec, "dropout": 0.1, "evaluations": 0, "seed": seed},
        }
    )
    splits = Splits(*(LabelSet(*_columns(rows)) for rows in (parts.train, parts.dev, parts.test)))
    base, device = open_base(made.base), choose(made.train.precision, made.train.threads)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, {"intent": splits}, {}, device, Path(folder))
        run.train()
        task = run.tasks[0]
        assert isinstance(task, ClassificationTask)
        assert list(task.labels) == list(labels)
        head = run.head(task.name)
        found = [task.logits(run.model, head, "validation"), task.logits(run.model, head, "test")]
    texts = [text for text, _ in (*parts.dev, *parts.test)]
    known = dict(zip(texts, np.concatenate(found), strict=True))
    return lambda asked: np.array([known[text] for text in asked])


def _columns(rows: Sequence[Row]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return tuple(text for text, _ in rows), tuple((label,) for _, label in rows)


def encoder_of() -> Encoder:
    """The default encoder."""
    return open_encoder("e5-small", EncoderSettings().models_dir, EncoderOptions())


SECTION = LabelledText("intent", ("text and class",), measure)
