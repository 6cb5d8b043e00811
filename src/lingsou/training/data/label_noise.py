"""Labels that are likely wrong: confident learning over a cheap model, and rows that contradict each other.

Source: Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021. Written
out here: `cleanlab` brings pandas, and what is needed of it is twenty lines.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lingsou.core.types import Frozen
from lingsou.encoders.optional import require
from lingsou.text.normalise import normalise
from lingsou.training.examples import ExampleSet, LabelSet, PairSet, TagSet

Floats = NDArray[np.float64]
MOST_ROWS = 20_000
MOST_CLASSES = 100
MOST_WORK = 300_000
"""Rows times classes, which the time goes by."""

LEAST_ROWS = 60
"""A model of fewer says nothing of their labels."""

FOLDS = 3
WORST = 20
_BUCKETS = 2**18
_LEAST_SEEN, _CLEAR = 5, 0.8
"""A phrase that is tagged alike in four of five places, and was seen five times, is thought wrong in the fifth."""


class Suspect(Frozen):
    """A row whose label is likely wrong."""

    row: int = Field(description="of the set as it was read, from 0")
    text: str
    given: str
    suggested: str
    doubt: float = Field(description="0 to 1: how much likelier the suggested one is")


class NoiseReport(Frozen):
    """What is doubtful of the labels of a set."""

    method: str
    rows: int = Field(description="looked at")
    suspected: float = Field(description="share of them")
    worst: tuple[Suspect, ...] = ()


def noise_of(examples: ExampleSet, seed: int = 0, *, worst: int = WORST) -> NoiseReport | None:
    """What is doubtful of the labels; none for sets without labels, or too few of any to say.

    Of labels at most `MOST_ROWS` rows, drawn by the seed, of the `MOST_CLASSES` most frequent classes are looked at,
    fewer where there are many classes: a few seconds, at most some twenty.

    Raises:
        MissingExtraError: scikit-learn is not installed, and the set is one of labels.
    """
    if isinstance(examples, PairSet):
        return _contradictions(examples, worst)
    if isinstance(examples, TagSet):
        return _inconsistent(examples, worst)
    if isinstance(examples, LabelSet):
        return _confident(examples, seed, worst)
    return None


def suspects(chances: Floats, given: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """Confident learning: for each row the class that it likely is [n], and the share of labels estimated wrong.

    A row is counted for class j where its chance of j is at least the mean chance of j over rows labelled j; of several
    such classes for the likeliest. The counts, scaled to the number of rows of each label, are the joint distribution
    of given and true labels; what is not on its diagonal is wrong.

    Args:
        chances: of each row and class, of a model that did not see the row, [n, k].
        given: the labels [n], each class at least once.
    """
    rows, classes = chances.shape
    own = chances[np.arange(rows), given]
    count = np.bincount(given, minlength=classes)
    threshold = np.bincount(given, own, minlength=classes) / count
    sure = np.where(chances >= threshold, chances, -1.0)
    likely = np.where(sure.max(axis=1) >= 0, sure.argmax(axis=1), given)
    counted = sure.max(axis=1) >= 0
    joint = np.zeros((classes, classes))
    np.add.at(joint, (given[counted], likely[counted]), 1.0)
    joint[np.arange(classes), np.arange(classes)] += joint.sum(axis=1) == 0
    joint *= (count / joint.sum(axis=1))[:, None]
    return likely, float(1.0 - np.trace(joint) / joint.sum())


def _confident(examples: LabelSet, seed: int, worst: int) -> NoiseReport | None:
    labels = examples.labels()
    kept = [name for name, count in Counter(labels).most_common(MOST_CLASSES) if count >= 2 * FOLDS]
    names = {name: number for number, name in enumerate(sorted(kept))}
    rows = np.array([row for row, name in enumerate(labels) if name in names], np.int64)
    if len(names) < 2:
        return None
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(rows)[: min(MOST_ROWS, MOST_WORK // len(names))])
    texts = [examples.texts[row] for row in rows]
    given = np.array([names[labels[row]] for row in rows])
    present = np.unique(given)
    given = np.searchsorted(present, given)
    if len(present) < 2 or len(rows) < LEAST_ROWS:
        return None
    chances = _out_of_fold(texts, given, seed)
    likely, share = suspects(chances, given)
    every = np.arange(len(rows))
    doubt = chances[every, likely] - chances[every, given]
    order = [place for place in np.argsort(-doubt, kind="stable")[:worst].tolist() if likely[place] != given[place]]
    named = sorted(names)
    return NoiseReport(
        method="confident learning, character n-grams",
        rows=len(rows),
        suspected=round(share, 4),
        worst=tuple(
            Suspect(
                row=int(rows[place]),
                text=texts[place],
                given=named[present[given[place]]],
                suggested=named[present[likely[place]]],
                doubt=round(float(doubt[place]), 4),
            )
            for place in order
        ),
    )


def _out_of_fold(texts: Sequence[str], given: NDArray[np.int64], seed: int) -> Floats:
    """Chances [n, k] of each row by logistic regressions that did not see it."""
    features = require("scikit-learn", "train", "sklearn.feature_extraction.text")
    linear = require("scikit-learn", "train", "sklearn.linear_model")
    hashed = features.HashingVectorizer(
        analyzer="char", ngram_range=(1, 3), n_features=_BUCKETS, alternate_sign=False, dtype=np.float32
    )
    # Long texts say enough with their beginning, and cost by their length.
    table = features.TfidfTransformer().fit_transform(hashed.transform([text[:200] for text in texts]))
    classes = int(given.max()) + 1
    chances = np.zeros((len(texts), classes))
    fold = np.empty(len(texts), np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(texts))
    fold[shuffled[np.argsort(given[shuffled], kind="stable")]] = np.arange(len(texts)) % FOLDS
    for number in range(FOLDS):
        model = linear.SGDClassifier(loss="log_loss", alpha=1e-4, max_iter=5, tol=None, random_state=seed)
        seen = fold != number
        model.fit(table[seen], given[seen])
        chances[np.ix_(~seen, model.classes_)] = model.predict_proba(table[~seen])
    return chances


def _contradictions(examples: PairSet, worst: int) -> NoiseReport:
    """Pairs of one query and text with different grades, also where the query's words stand in another order.

    The doubt is the distance from the mean grade of the group, over the range of all grades.
    """
    queries = [" ".join(sorted(normalise(query).split())) for query in examples.queries]
    texts = [normalise(text) for text in examples.texts]
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, (query, text) in enumerate(zip(examples.query, examples.text, strict=True)):
        groups[queries[query], texts[text]].append(row)
    spread = float(np.ptp(examples.grades)) or 1.0
    found: list[Suspect] = []
    for rows in groups.values():
        grades = examples.grades[rows]
        if np.ptp(grades) > 0:
            mean = float(grades.mean())
            found += [
                Suspect(
                    row=row,
                    text=f"{examples.queries[examples.query[row]]} → {examples.texts[examples.text[row]]}",
                    given=f"{grade:g}",
                    suggested=f"{mean:.2g}",
                    doubt=round(abs(float(grade) - mean) / spread, 4),
                )
                for row, grade in zip(rows, grades, strict=True)
            ]
    found.sort(key=lambda each: (-each.doubt, each.row))
    return NoiseReport(
        method="grades of one query and text that differ",
        rows=len(examples),
        suspected=round(len(found) / max(len(examples), 1), 4),
        worst=tuple(found[:worst]),
    )


def _inconsistent(examples: TagSet, worst: int) -> NoiseReport:
    """Spans whose phrase is clearly another kind elsewhere; the doubt is the other kind's share."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for text, spans in zip(examples.texts, examples.spans, strict=True):
        for span in spans:
            kinds[normalise(text[span.start : span.end])][span.kind] += 1
    found: list[Suspect] = []
    total = 0
    for row, (text, spans) in enumerate(zip(examples.texts, examples.spans, strict=True)):
        total += len(spans)
        for span in spans:
            counts = kinds[normalise(text[span.start : span.end])]
            usual, count = max(counts.items(), key=lambda each: (each[1], each[0]))
            share = count / counts.total()
            if usual != span.kind and counts.total() >= _LEAST_SEEN and share >= _CLEAR:
                given, phrase = span.kind, text[span.start : span.end]
                found.append(
                    Suspect(row=row, text=f"{phrase} in: {text}", given=given, suggested=usual, doubt=round(share, 4))
                )
    found.sort(key=lambda each: (-each.doubt, each.row))
    return NoiseReport(
        method="phrases tagged otherwise elsewhere",
        rows=len(examples),
        suspected=round(len(found) / max(total, 1), 4),
        worst=tuple(found[:worst]),
    )
