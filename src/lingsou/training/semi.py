"""Pseudo-labels: texts that nobody has labelled, with the classes that a model is sure of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.text.normalise import normalise
from lingsou.training.examples import LabelSet, Rows


def pseudo_label(
    probabilities: NDArray[np.floating],
    texts: Sequence[str],
    names: Sequence[str],
    threshold: float,
    most: int | None = None,
) -> LabelSet:
    """The texts whose likeliest class is at least `threshold` likely, as if they were labelled so.

    Lee, Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method (ICML workshop, 2013). A model is sure
    of its favourite class more often than of others, and would teach itself that everything belongs to it; `most`
    bounds that. The probabilities must be calibrated for `threshold` to mean what it says.

    Args:
        probabilities: `[texts, classes]`.
        texts: what was scored; of texts alike after normalisation, the surest counts, the others are left out.
        names: of the classes.
        threshold: the confidence line, 0 to 1.
        most: so many texts a class at most, the surest; none: all.

    Returns:
        Its rows in the order of `texts`.

    Raises:
        InputError: shapes do not fit, or a probability is not a number.
    """
    found = sure_rows(probabilities, texts, names, threshold, most)
    return LabelSet(tuple(texts[row] for row in found.rows), tuple((names[label],) for label in found.labels))


@dataclass(frozen=True)
class Sure:
    """Which texts a model is sure of, and what became of the others."""

    rows: Rows
    """In the order of the texts."""
    labels: NDArray[np.int64]
    """The class of each of them, by number."""
    confidences: NDArray[np.float64]
    unsure: int
    """Texts below the line."""
    alike: int
    """Of the others, those that say what a surer one says."""
    beyond: int
    """Of the others, those that would be too many of their class."""


def sure_rows(
    probabilities: NDArray[np.floating],
    texts: Sequence[str],
    names: Sequence[str],
    threshold: float,
    most: int | None = None,
) -> Sure:
    """The rows that `pseudo_label` labels; arguments and errors as there."""
    scores = np.asarray(probabilities, np.float64)
    if scores.shape != (len(texts), len(names)):
        raise InputError(
            f"Probabilities of shape {scores.shape} for {len(texts)} texts and {len(names)} classes.",
            field="probabilities",
            cure="One row a text, one column a class.",
        )
    if broken := np.flatnonzero(~np.isfinite(scores).all(1)).tolist():
        raise InputError("A probability is not a number.", row=broken[0], cure="Score this text again.")
    best = scores.argmax(1) if len(names) else np.zeros(len(texts), np.int64)
    sure = scores.max(1, initial=0.0)
    taken: list[int] = []
    seen: set[str] = set()
    counts = [0] * len(names)
    unsure = int((sure < threshold).sum())
    alike = beyond = 0
    for row in np.argsort(-sure, kind="stable")[: len(texts) - unsure].tolist():
        text, label = normalise(texts[row]), int(best[row])
        if text in seen:
            alike += 1
        elif most is not None and counts[label] >= most:
            beyond += 1
        else:
            seen.add(text)
            counts[label] += 1
            taken.append(row)
    rows = np.array(sorted(taken), np.int64)
    return Sure(rows, best[rows], sure[rows], unsure, alike, beyond)
