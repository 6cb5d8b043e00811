"""Section `entities`: named spans in shopping texts, the encoder with trained heads beside a CRF over characters.

A folder has files `train*`, `dev*` and perhaps `test*` with a character and its tag a line (BIO or BIEOS, zipped or
not). Without a test file the dev file is the test, and every tenth training text is what settings are chosen by.

    char_crf    a linear-chain CRF over character n-grams (python-crfsuite): the baseline
    words       the CRF over characters and dictionary words that a recipe with `characters = true` adds
    encoder     the default encoder, fine-tuned with a CRF head by the training system
    together    both in one lattice, as served; the encoder's share is chosen on the dev part

`span_f1` is that of `together`. `unseen` counts only spans whose words are no span of that kind in the training part.
"""

import gzip
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.section import Options, Section
from lingsou.evaluation.label_metrics import span_counts
from lingsou.models.tagger import bio_tags, tagged_spans
from lingsou.training.data.load import load
from lingsou.training.examples import Splits, TagSet
from lingsou.training.recipe import DataSpec, Recipe
from lingsou.training.robustness import few

EPOCHS, BATCH, RATE, DROPOUT, MAX_TOKENS = 3, 16, 3e-4, 0.1, 64
"""Chosen on the dev part of a set of product titles."""
_HELD = 10
_BOOTSTRAPS = 1_000
_LINE = re.compile(r"^\S+[ \t]+(?:O|[BIESMLU][-_]\S+)\s*$")

Spans = set[tuple[int, int, str]]
Floats = NDArray[np.float64]


class TaggedFiles(Section):
    """Runs where `train` and `dev` files are tagged characters, whatever they are called beyond that."""

    def runs_on(self, folder: Path) -> bool:
        """Whether the folder has both."""
        return all(tagged_file(folder, part) is not None for part in self.files)


def tagged_file(folder: Path, part: str) -> Path | None:
    """The file of a part whose first lines are a character and its tag each."""
    for path in sorted(folder.glob(f"{part}*")):
        if path.is_file() and _is_tagged(path):
            return path
    return None


def _is_tagged(path: Path) -> bool:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            lines = [line for line, _ in zip(file, range(20), strict=False) if line.strip()]
    except (OSError, UnicodeDecodeError):
        return False
    return bool(lines) and all(map(_LINE.match, lines))


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Train all taggers on the training part, choose the share on the dev part, measure on the test part."""
    splits = splits_of(folder)
    start = time.perf_counter()
    peer = char_crf(splits.train, splits.test.texts)
    crf_s = time.perf_counter() - start
    tuned = fine_tuned(splits, options.seeds[0])
    test, ours = splits.test, tuned.found["together"]
    found = {"char_crf": peer, **tuned.found}
    return {
        "span_f1": f1(test, ours),
        "span_f1_ci": interval(test, ours),
        "gain": f1(test, ours) - f1(test, peer),
        "gain_ci": interval(test, ours, peer),
        "by_type": {kind: f1(test, ours, kind) for kind in splits.train.names},
        "unseen": {name: unseen_f1(splits.train, test, spans) for name, spans in found.items()},
        "baseline": {"char_crf": f1(test, peer)},
        "alone": {name: f1(test, tuned.found[name]) for name in ("words", "encoder")},
        "dev": tuned.dev,
        "share_of_encoder": tuned.share,
        "texts": {"train": len(splits.train), "dev": len(splits.validation), "test": len(test)},
        "crf_s": crf_s,
        "train_s": tuned.seconds,
    }


def splits_of(folder: Path) -> Splits[TagSet]:
    """The parts of a folder."""

    def part(name: str) -> TagSet | None:
        path = tagged_file(folder, name)
        found = path and load(DataSpec(format="tags", path=path.name), "tags", folder)
        return found if isinstance(found, TagSet) else None

    train, dev, test = part("train"), part("dev"), part("test")
    assert train is not None
    assert dev is not None
    if test is not None:
        return Splits(train, dev, test)
    rows = np.arange(len(train))
    held = rows % _HELD == _HELD - 1
    return Splits(train.take(rows[~held]), train.take(rows[held]), dev)


# The baseline


def char_crf(train: TagSet, texts: Sequence[str]) -> list[Spans]:
    """Train a CRF over character n-grams; its spans of `texts`."""
    import pycrfsuite  # type: ignore[import-untyped]

    tags = bio_tags(train.names)
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.1, "c2": 0.05, "max_iterations": 80})
    for text, spans in zip(train.texts, train.spans, strict=True):
        own = ["O"] * len(text)
        for span in spans:
            own[span.start : span.end] = [f"B-{span.kind}", *[f"I-{span.kind}"] * (span.end - span.start - 1)]
        if text:
            trainer.append(features_of(text), own)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        paths = [np.array([tags.index(tag) for tag in tagger.tag(features_of(text))], np.int64) for text in texts]
    return [
        {(span.start, span.end, span.kind) for span in tagged_spans(path, tags, _places(text), text)}
        for path, text in zip(paths, texts, strict=True)
    ]


def _places(text: str) -> NDArray[np.int64]:
    return np.stack([np.arange(len(text)), np.arange(len(text)) + 1], axis=1)


def features_of(text: str) -> list[list[str]]:
    """Of each character: itself, its neighbours, their pairs and triples, digit or letter."""
    padded = f"⌀⌀{text}⌀⌀"
    found = []
    for place, char in enumerate(text):
        near = padded[place : place + 5]
        own = ["bias", *(f"{offset - 2}={each}" for offset, each in enumerate(near))]
        own += [f"{offset - 2}p={near[offset : offset + 2]}" for offset in range(4)]
        own += [f"t={near[1:4]}", f"s={near[1]}{near[3]}", f"d={char.isdigit()}"]
        found.append([*own, f"a={char.isascii() and char.isalpha()}"])
    return found


# Ours


@dataclass(frozen=True)
class Tuned:
    """What a training came to."""

    found: Mapping[str, list[Spans]]
    """Tagger → the spans of each test text."""
    dev: Mapping[str, float]
    share: float
    seconds: float


def recipe(seed: int) -> Recipe:
    """What trains the tagger."""
    spans = {"kind": "tags", "crf": True, "characters": True, "max_tokens": MAX_TOKENS}
    return Recipe.model_validate(
        {
            "name": "entities",
            "tasks": {"entities": {**spans, "data": {"format": "tags", "path": "train"}}},
            "method": {"name": "full", "word_table": True},
            "train": {
                "epochs": EPOCHS,
                "batch": BATCH,
                "learning_rate": RATE,
                "dropout": DROPOUT,
                "evaluations": 0,
                "seed": seed,
            },
        }
    )


@dataclass(frozen=True)
class Trained:
    """A trained tagger: what the training system made, and the encoder's share that is best on the dev part."""

    run: Any
    share: float
    seconds: float

    def spans(self, examples: TagSet) -> dict[str, list[Spans]]:
        """The spans of each text by the CRF over characters alone, by the encoder alone, and by both together."""
        from lingsou.training.neural.tasks.make import make_task
        from lingsou.training.neural.tasks.tagging import TaggingTask

        own, known = self.run.tasks[0], self.run.splits["entities"].train
        named = known.take(few(known))
        task = make_task(own.name, self.run.recipe.tasks[own.name], Splits(named, named, examples), self.run.model)
        assert isinstance(task, TaggingTask)
        head = self.run.head(own.name)
        scores = list(task.scores(self.run.model, head, "test"))
        found = {}
        for name, share in (("words", 0.0), ("encoder", 1.0), ("together", self.share)):
            together = own.together(head, share)
            found[name] = [together.spans(text, *each) for text, each in zip(examples.texts, scores, strict=True)]
        return found


def trained(splits: Splits[TagSet], made: Recipe, base: Any = None) -> Trained:
    """Train on the training part, choose the share on the dev part."""
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble
    from lingsou.training.neural.tasks.tagging import TaggingTask

    base, device = base or open_base(made.base), choose(made.train.precision, made.train.threads)
    device.prepare(base.model)
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, {"entities": splits}, {}, device, Path(folder))
        seconds = run.train().seconds
    task = run.tasks[0]
    assert isinstance(task, TaggingTask)
    return Trained(run, task.calibrate(run.model, run.head(task.name)), seconds)


def fine_tuned(splits: Splits[TagSet], seed: int, made: Recipe | None = None, base: Any = None) -> Tuned:
    """Train on the training part, choose the share on the dev part, and tag the test part."""
    tagger = trained(splits, made or recipe(seed), base)
    found = tagger.spans(splits.validation)
    dev = {name: f1(splits.validation, spans) for name, spans in found.items()}
    return Tuned(tagger.spans(splits.test), dev, tagger.share, tagger.seconds)


# Counting


def f1(examples: TagSet, found: Sequence[Spans], kind: str | None = None) -> float:
    """Of all spans, or of one kind."""
    wanted = [{each for each in spans if kind in (None, each[2])} for spans in expected(examples)]
    return float(span_counts(wanted, [{each for each in spans if kind in (None, each[2])} for spans in found]).f1)


def expected(examples: TagSet) -> list[Spans]:
    """The spans of each text."""
    return [{(span.start, span.end, span.kind) for span in spans} for spans in examples.spans]


def unseen_f1(train: TagSet, examples: TagSet, found: Sequence[Spans]) -> dict[str, float]:
    """F1 of spans whose words are no span of that kind in the training part, and how many such were expected."""
    known = {
        (text[span.start : span.end], span.kind)
        for text, spans in zip(train.texts, train.spans, strict=True)
        for span in spans
    }

    def new(spans: Spans, text: str) -> Spans:
        return {each for each in spans if (text[each[0] : each[1]], each[2]) not in known}

    wanted = [new(spans, text) for spans, text in zip(expected(examples), examples.texts, strict=True)]
    given = [new(spans, text) for spans, text in zip(found, examples.texts, strict=True)]
    counts = span_counts(wanted, given)
    return {"span_f1": float(counts.f1), "recall": float(counts.recall), "spans": int(counts.expected)}


def interval(examples: TagSet, found: Sequence[Spans], other: Sequence[Spans] | None = None) -> list[float]:
    """The 95 % bootstrap interval over texts of the F1, or of its gain over another tagger's."""
    wanted = expected(examples)

    def table(spans: Sequence[Spans]) -> NDArray[np.int64]:
        return np.array([[len(a & b), len(a) + len(b)] for a, b in zip(wanted, spans, strict=True)])

    mine, theirs = table(found), None if other is None else table(other)
    drawn = np.random.default_rng(0).integers(0, len(wanted), (_BOOTSTRAPS, len(wanted)))
    values = _f1s(mine[drawn]) - (0 if theirs is None else _f1s(theirs[drawn]))
    return [float(each) for each in np.quantile(values, (0.025, 0.975))]


def _f1s(counts: NDArray[np.int64]) -> Floats:
    sums = counts.sum(axis=1)
    return np.asarray(2 * sums[:, 0] / np.maximum(sums[:, 1], 1))


SECTION = TaggedFiles("entities", ("train", "dev"), measure)
