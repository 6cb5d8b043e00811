"""Section `intent`: one class of many for a short text, fine-tuned, beside a logistic regression on frozen vectors.

A folder has a CSV file with the columns `text` and `category` (or `intent`, or `label`). Its distinct rows, sorted, are
shuffled by the first seed; the last fifth is the test. A tenth of the training part is what the temperature is fitted
to. `full` learns from all training rows, `10_a_class` from the first ten of each class.

    frozen      multinomial logistic regression on the encoder's vectors, strength by two folds (the baseline)
    tuned       the encoder fine-tuned with a head by the training system
    both        the mean of the two distributions, each and the mean with a temperature
"""

import csv
import gzip
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.section import Options, Section
from lingsou.core.settings import EncoderSettings
from lingsou.encoders import Encoder, EncoderOptions, open_encoder
from lingsou.evaluation.label_metrics import Counts, calibration_error, one_hot
from lingsou.models.logistic import fit_logistic, likeliest_temperature, out_of_fold_logits, softmax
from lingsou.training.examples import LabelSet, Splits
from lingsou.training.recipe import Recipe

FULL: dict[str, float] = {"epochs": 5, "batch": 32, "learning_rate": 3e-4}
FEW: dict[str, float] = {"epochs": 12, "batch": 16, "learning_rate": 2e-4}
"""Usual values, compared with no others."""
STRENGTHS = (0.01, 0.03, 0.1)
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


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Both settings."""
    parts, encoder = parts_of(folder, options.seeds[0]), encoder_of()
    vectors = dict(zip(_texts(parts), encoder.encode_queries(_texts(parts)), strict=True))
    found: dict[str, Any] = {"rows": len(parts.train) + len(parts.dev), "test": len(parts.test)}
    for name, own, spec in (("full", parts, FULL), ("10_a_class", few_of(parts), FEW)):
        labels = sorted({label for _, label in own.train})
        frozen = Read.of(own, labels, *frozen_logits(own, labels, vectors))
        tuned = Read.of(own, labels, *tuned_logits(own, labels, spec, options.seeds[0]))
        means = (np.log((a + b) / 2) for a, b in ((frozen.dev, tuned.dev), (frozen.test, tuned.test)))
        both = Read.of(own, labels, *means)
        found[name] = {
            **both.told(own),
            "tuned": tuned.told(own),
            "baseline": {"frozen_logistic": frozen.told(own)},
            "train": len(own.train),
        }
    return found


@dataclass(frozen=True)
class Read:
    """Probabilities `[n, k]` of the dev and the test part."""

    labels: Sequence[str]
    dev: Floats
    test: Floats

    @classmethod
    def of(cls, parts: Parts, labels: Sequence[str], dev: Floats, test: Floats) -> "Read":
        """Of logits, with the temperature that fits the dev part."""
        known = [row for row, (_, label) in enumerate(parts.dev) if label in labels]
        temperature = likeliest_temperature(dev[known], numbers([parts.dev[row] for row in known], labels))
        return cls(labels, softmax(dev / temperature), softmax(test / temperature))

    def told(self, parts: Parts) -> dict[str, float]:
        """Its figures on the test part, and the accuracy on the dev part that choices are made by."""
        return {**figures(self.test, numbers(parts.test, self.labels)), "dev": accuracy(self.dev, parts.dev, self)}


def accuracy(chances: Floats, rows: Sequence[Row], read: Read) -> float:
    """The share of rows whose class is the likeliest."""
    return float((chances.argmax(axis=1) == numbers(rows, read.labels)).mean())


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


def frozen_logits(parts: Parts, labels: Sequence[str], vectors: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Logits of the dev and the test part by a logistic regression."""
    x, y = _stack(parts.train, vectors), numbers(parts.train, labels)
    mean = x.mean(axis=0)
    spread = float(np.sqrt(((x - mean) ** 2).sum(axis=1).mean()))
    scaled, k = (x - mean) / spread, len(labels)

    def held_back(strength: float) -> float:
        logits = out_of_fold_logits(scaled, y, k, l2=strength, folds=2)
        return float((logits.argmax(axis=1) == y).mean())

    head = fit_logistic(scaled, y, k, l2=max(STRENGTHS, key=held_back))
    dev, test = ((_stack(rows, vectors) - mean) / spread for rows in (parts.dev, parts.test))
    return head.logits(dev), head.logits(test)


def tuned_logits(
    parts: Parts, labels: Sequence[str], spec: Mapping[str, float], seed: int, base: Any = None
) -> tuple[Floats, Floats]:
    """Logits of the dev and the test part by the fine-tuned encoder."""
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
    base, device = base or open_base(made.base), choose(made.train.precision, made.train.threads)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, {"intent": splits}, {}, device, Path(folder))
        run.train()
        task = run.tasks[0]
        assert isinstance(task, ClassificationTask)
        assert list(task.labels) == list(labels)
        head = run.head(task.name)
        return task.logits(run.model, head, "validation"), task.logits(run.model, head, "test")


def _columns(rows: Sequence[Row]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return tuple(text for text, _ in rows), tuple((label,) for _, label in rows)


def _texts(parts: Parts) -> list[str]:
    return sorted({text for rows in (parts.train, parts.dev, parts.test) for text, _ in rows})


def _stack(rows: Sequence[Row], vectors: Mapping[str, Any]) -> Floats:
    return np.array([vectors[text] for text, _ in rows], np.float64)


def encoder_of() -> Encoder:
    """The default encoder."""
    return open_encoder("e5-small", EncoderSettings().models_dir, EncoderOptions())


SECTION = LabelledText("intent", ("text and class",), measure)
