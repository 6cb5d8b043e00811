"""Metrics of labels, spans and probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

BINS = 15


@dataclass(frozen=True)
class Counts:
    """How often something was right, found, and expected; scalars, or one for each label [k]."""

    right: Integers
    found: Integers
    expected: Integers

    @classmethod
    def of(cls, expected: Booleans, found: Booleans) -> "Counts":
        """For each column of two tables [n, k] that say which row has which label."""
        return cls((expected & found).sum(axis=0), found.sum(axis=0), expected.sum(axis=0))

    @property
    def precision(self) -> Floats:
        """Right of what was found; 0 where nothing was."""
        return _share(self.right, self.found)

    @property
    def recall(self) -> Floats:
        """Right of what was expected; 0 where nothing was."""
        return _share(self.right, self.expected)

    @property
    def f1(self) -> Floats:
        """The harmonic mean of both, 0 where nothing was right: van Rijsbergen, 1979."""
        return _share(2 * self.right, self.found + self.expected)

    @property
    def micro_f1(self) -> float:
        """The F1 of all labels' counts together."""
        return float(Counts(self.right.sum(), self.found.sum(), self.expected.sum()).f1)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the labels that were expected or found anywhere; 0 if none was."""
        seen = (self.found + self.expected) > 0
        return float(self.f1[seen].mean()) if seen.any() else 0.0


def one_hot(labels: Integers, k: int) -> Booleans:
    """The table [n, k] of one label a row [n]; −1 is none of them."""
    return np.asarray(labels[:, None] == np.arange(k)[None, :])


def span_counts(expected: Sequence[set[tuple[int, int, str]]], found: Sequence[set[tuple[int, int, str]]]) -> Counts:
    """Spans (start, end, kind) of each text; right is what agrees in all three. Source: CoNLL-2000 and its scorer."""
    return Counts(
        np.array(sum(len(a & b) for a, b in zip(expected, found, strict=True))),
        np.array(sum(map(len, found))),
        np.array(sum(map(len, expected))),
    )


def confusion(expected: Integers, found: Integers, k: int) -> Integers:
    """`[k, k]`: row is what was expected, column what was found; labels of −1 are left out."""
    known = (expected >= 0) & (found >= 0)
    return np.bincount(expected[known] * k + found[known], minlength=k * k).reshape(k, k)


def auc(positive: Booleans, scores: Floats) -> float:
    """How likely a positive scores above a negative, ties by half; NaN when there is no positive or no negative.

    Source: Hanley & McNeil, "The meaning and use of the area under a ROC curve", Radiology 143, 1982.
    """
    if positive.all() or not positive.any():
        return float("nan")
    _, place, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[place]  # from 1, the mean of equals
    count = int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def log_loss(positive: Booleans, probability: Floats) -> float:
    """Mean −log p of what happened, in nats; probabilities are kept 1e-7 away from 0 and 1."""
    likely = np.clip(np.where(positive, probability, 1.0 - probability), 1e-7, 1.0 - 1e-7)
    return float(-np.log(likely).mean())


def calibration_error(right: Booleans, confidence: Floats, bins: int = BINS) -> float:
    """Expected calibration error: |share right − mean confidence| of equal-width bins, weighed by their rows.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017. 0 for no rows.
    """
    if not len(right):
        return 0.0
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    sums = np.bincount(place, right - confidence, bins)
    return float(np.abs(sums).sum() / len(right))


def _share(part: Integers, whole: Integers) -> Floats:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)
