"""Pseudo-labels: texts that nobody has labelled, with the classes that a model is sure of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.text.normalise import normalise
from lingsou.training.examples import LabelSet


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
    for row in np.argsort(-sure, kind="stable").tolist():
        if sure[row] < threshold:
            break
        text, label = normalise(texts[row]), int(best[row])
        if text not in seen and (most is None or counts[label] < most):
            seen.add(text)
            counts[label] += 1
            taken.append(row)
    taken.sort()
    return LabelSet(
        tuple(texts[row] for row in taken),
        tuple((names[best[row]],) for row in taken),
    )
