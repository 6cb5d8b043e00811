"""Section `category`: the main category of a product's title, five folds, with calibration.

A folder has a CSV file with the columns `name` (or `title`) and `main_category`. A title counts once, in the first
category that it stands in. Every title is judged by heads that were fitted without it, their temperature and strength
included.

    tfidf       logistic regression on word and character n-grams (scikit-learn), the baseline
    head        the head that understanding fits on the encoder's frozen vectors
    both        the mean of the two distributions, with a temperature that fits the other four folds
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.understanding.intent import encoder_of, figures, opened
from benchmarks.understanding.section import Options, Section
from lingsou.models.logistic import likeliest_temperature, softmax
from lingsou.pipeline.intents import fit_head

FOLDS = 5
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


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """All titles, each by heads that have not seen it."""
    titles, given = rows_of(folder)
    labels = sorted(set(given))
    expected = np.array([labels.index(each) for each in given], np.int64)
    fold = np.random.default_rng(options.seeds[0]).permutation(len(titles)) % FOLDS
    vectors = encoder_of().encode_queries(titles)
    found = {name: np.zeros((len(titles), len(labels))) for name in ("tfidf", "head")}
    for each in range(FOLDS):
        own, held = np.flatnonzero(fold != each), np.flatnonzero(fold == each)
        head = fit_head(vectors[own], [given[row] for row in own])
        places = np.array([labels.index(label) for label in head.labels], np.int64)
        found["head"][np.ix_(held, places)] = head.probabilities(vectors[held])
        texts = [titles[row] for row in own], [titles[row] for row in held]
        found["tfidf"][held] = tfidf(*texts, expected[own], len(labels))
    found["both"] = tempered((found["tfidf"] + found["head"]) / 2, expected, fold)
    told = {name: figures(chances, expected) for name, chances in found.items()}
    return {
        **told["both"],
        "head": told["head"],
        "baseline": {"tfidf": told["tfidf"]},
        "titles": len(titles),
        "categories": len(labels),
    }


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


def tfidf(train: Sequence[str], test: Sequence[str], labels: NDArray[np.int64], k: int) -> Floats:
    """Probabilities `[n, k]` of the test titles, with the temperature that fits a tenth of the training titles."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.pipeline import make_pipeline, make_union  # type: ignore[import-untyped]

    def fit(texts: Sequence[str], own: NDArray[np.int64]) -> Any:
        grams = make_union(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
            TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 4), min_df=3),
        )
        return make_pipeline(grams, LogisticRegression(C=10.0, tol=1e-3, max_iter=200)).fit(texts, own)

    def logits(model: Any, texts: Sequence[str]) -> Floats:
        known = np.full((len(texts), k), -30.0)
        known[:, model.classes_] = model.decision_function(texts)
        return known

    cut = len(train) * 9 // 10
    held = logits(fit(train[:cut], labels[:cut]), train[cut:])
    temperature = likeliest_temperature(held, labels[cut:])
    return softmax(logits(fit(train, labels), test) / temperature)


SECTION = CategorisedTitles("category", ("title and category",), measure)
