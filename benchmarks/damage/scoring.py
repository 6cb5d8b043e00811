"""Count what was found of what was put in."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST = 50
"""So many flags a person would look at."""


def scored(flagged: Iterable[int], truth: Iterable[int]) -> dict[str, float]:
    """Precision, recall and F1 of all flags, and the precision of the first 50.

    Args:
        flagged: positions, the surest first; one that comes again counts once.
        truth: positions of the faulty ones, at least one.
    """
    found, wanted = list(dict.fromkeys(flagged)), set(truth)
    right = np.array([place in wanted for place in found], bool)
    first = right[:FIRST]
    return {
        "precision": float(right.mean()) if len(found) else 0.0,
        "recall": float(right.sum()) / len(wanted),
        "f1": 2 * float(right.sum()) / (len(found) + len(wanted)),
        f"precision_{FIRST}": float(first.sum()) / max(1, len(first)),
        "flags": float(len(found)),
        "faults": float(len(wanted)),
    }


def ranked(doubts: NDArray[np.floating], truth: Iterable[int]) -> dict[str, float]:
    """Average precision of all products by how doubtful they are [N], and the precision of the first 50.

    NaN: not judged, and behind all others. Ties stand in the order of the catalogue.
    """
    order = np.argsort(-np.nan_to_num(doubts, nan=-np.inf), kind="stable")
    right = np.isin(order, np.array(sorted(set(truth)), np.int64))
    places = np.nonzero(right)[0]
    precision = (np.arange(len(places)) + 1) / (places + 1)
    return {
        "average_precision": float(precision.mean()),
        f"precision_{FIRST}": float(right[:FIRST].mean()),
        "precision_at_recall_0.9": float(precision[int(np.ceil(0.9 * len(places))) - 1 :].max()),
    }


def mean_of(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of each number over runs that have the same keys; what is no number is that of the first run."""
    mean: dict[str, Any] = {}
    for key, first in runs[0].items():
        values = [run[key] for run in runs if key in run]
        if isinstance(first, dict):
            mean[key] = mean_of(values)
        elif isinstance(first, int | float) and not isinstance(first, bool):
            mean[key] = float(np.mean(values))
        else:
            mean[key] = first
    return mean
