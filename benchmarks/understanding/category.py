"""Section `category`: the main category of a product's title, five folds, with calibration.

A folder has a CSV file with the columns `name` (or `title`) and `main_category`. A title counts once, in the first
category that it stands in. Every title is judged by heads that were fitted without it, their temperature and strength
included.

    tfidf       logistic regression on word and character n-grams (scikit-learn), the baseline
    head        the head that understanding fits on the encoder's frozen vectors
    both        the mean of the two distributions, with a temperature that fits the other four folds
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.grams import Grams
from benchmarks.understanding.intent import Vectors, figures, opened, vectors_of
from benchmarks.understanding.section import Options, Section
from lingsou.models.logistic import likeliest_temperature, softmax
from lingsou.pipeline.intents import fit_head

FOLDS = 5
GRAMS = Grams(strength=10.0, letters=(2, 4), least_words=2, least_letters=3)
_NAMES, _CATEGORY = ("name", "title"), "main_category"
Floats = NDArray[np.float64]


class CategorisedTitles(Section):
    """Runs where a CSV file has a title and its main category in each row."""

    def runs_on(self, folder: Path) -> bool:
        """Whether the folder has one."""
        return categorised_file(folder) is not None


def categorised_file(folder: Path) -> tuple[Path, str] | None:
    """The file and its column of titles."""
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")]):
        with opened(path) as file:
            header = next(csv.reader(file), [])
        name = next((each for each in _NAMES if each in header), None)
        if name is not None and _CATEGORY in header:
            return path, name
    return None


@dataclass(frozen=True)
class Rows:
    """Titles, each once, with the number [n] of their main category and of their fold."""

    titles: Sequence[str]
    labels: Sequence[str]
    expected: NDArray[np.int64]
    fold: NDArray[np.int64]


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """All titles, each by heads that have not seen it."""
    rows, vectors = folded(folder, options.seeds[0]), vectors_of()
    found = {name: np.zeros((len(rows.titles), len(rows.labels))) for name in ("tfidf", "head")}
    for each in range(FOLDS):
        held = np.flatnonzero(rows.fold == each)
        for name, chances in learned(rows, each, vectors)([rows.titles[row] for row in held.tolist()]).items():
            found[name][held] = chances
    found["both"] = tempered((found["tfidf"] + found["head"]) / 2, rows.expected, rows.fold)
    told = {name: figures(chances, rows.expected) for name, chances in found.items()}
    return {
        **told["both"],
        "head": told["head"],
        "baseline": {"tfidf": told["tfidf"]},
        "titles": len(rows.titles),
        "categories": len(rows.labels),
    }


def learned(rows: Rows, fold: int, vectors: Vectors) -> Callable[[Sequence[str]], dict[str, Floats]]:
    """What gives the probabilities `[n, k]` of titles by `tfidf` and by `head`, fitted without one fold."""
    own = np.flatnonzero(rows.fold != fold)
    texts, expected = [rows.titles[row] for row in own.tolist()], rows.expected[own]
    head = fit_head(vectors(texts), [rows.labels[each] for each in expected.tolist()])
    places = np.array([rows.labels.index(label) for label in head.labels], np.int64)
    read = tfidf(texts, expected, len(rows.labels))

    def chances(titles: Sequence[str]) -> dict[str, Floats]:
        of_head = np.zeros((len(titles), len(rows.labels)))
        of_head[:, places] = head.probabilities(vectors(titles))
        return {"tfidf": read(titles), "head": of_head}

    return chances


def tempered(chances: Floats, expected: NDArray[np.int64], fold: NDArray[np.int64]) -> Floats:
    """Each fold's distributions with the temperature that makes the classes of the other folds likeliest."""
    logits, found = np.log(chances.clip(1e-12)), np.empty_like(chances)
    for each in np.unique(fold):
        others, own = fold != each, fold == each
        found[own] = softmax(logits[own] / likeliest_temperature(logits[others], expected[others]))
    return found


def rows_of(folder: Path) -> tuple[list[str], list[str]]:
    """Titles, each once, and their main categories."""
    file = categorised_file(folder)
    assert file is not None
    path, name = file
    first: dict[str, str] = {}
    with opened(path) as lines:
        for row in csv.DictReader(lines):
            title, category = row[name].strip(), row[_CATEGORY].strip()
            if title and category:
                first.setdefault(title, category)
    return list(first), list(first.values())


def folded(folder: Path, seed: int) -> Rows:
    """The titles of a folder, cut in folds."""
    titles, given = rows_of(folder)
    labels = sorted(set(given))
    expected = np.array([labels.index(each) for each in given], np.int64)
    return Rows(titles, labels, expected, np.random.default_rng(seed).permutation(len(titles)) % FOLDS)


def tfidf(train: Sequence[str], labels: NDArray[np.int64], k: int) -> Callable[[Sequence[str]], Floats]:
    """What gives probabilities `[n, k]` of titles; its temperature fits a tenth of the training titles."""
    # Files are often in order of category: a tenth off the end would be of classes that the rest never saw.
    order = np.random.default_rng(0).permutation(len(train))
    own, aside = order[len(order) // 10 :], order[: len(order) // 10]
    held = GRAMS.fit([train[row] for row in own], labels[own], k)([train[row] for row in aside])
    temperature = likeliest_temperature(held, labels[aside])
    logits = GRAMS.fit(train, labels, k)
    return lambda titles: softmax(logits(titles) / temperature)


SECTION = CategorisedTitles("category", ("title and category",), measure)
