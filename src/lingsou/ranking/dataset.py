"""From judged candidates to rows for training: one group for each query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
UNJUDGED_DEPTH = 60
"""Unjudged candidates down to this place count as not relevant: what judges were shown is the top of some search, and
a product there that nobody graded is rarely right. Below, rows would only teach what retrieval knows already."""


@dataclass(frozen=True)
class Group:
    """One query's candidates, best fused score first.

    `features` [n, f]; `base` [n] is the fused score that the learned one is added to; `grades` [n], NaN: not judged;
    `judged`: every grade of the query, of products that were not found too.
    """

    query: str
    ids: tuple[str, ...]
    features: Floats
    base: Floats
    grades: Floats
    judged: Floats


@dataclass(frozen=True)
class Rows:
    """Training rows of all groups, one group after the other: `sizes` [groups]; `labels` index `gains`."""

    features: Floats
    base: Floats
    labels: NDArray[np.int64]
    sizes: tuple[int, ...]
    gains: tuple[float, ...]


def group(query: str, ids: Sequence[str], features: Floats, base: Floats, grades: Mapping[str, float]) -> Group:
    """One query's group from its candidates and its grades."""
    known = np.asarray([grades.get(id_, np.nan) for id_ in ids], np.float64)
    order = np.lexsort((np.arange(len(ids)), -base))
    kept = tuple(ids[place] for place in order.tolist())
    return Group(query, kept, features[order], base[order], known[order], np.asarray(list(grades.values()), np.float64))


def training_rows(groups: Sequence[Group]) -> Rows | None:
    """The rows to learn from; none where no group has candidates of two grades.

    The gain of grade g is 2^g − 1 (nothing for g ≤ 0), for fractional grades too.
    """
    chosen = []
    for each in groups:
        rows = np.flatnonzero(~np.isnan(each.grades) | (np.arange(len(each.ids)) < UNJUDGED_DEPTH))
        grades = np.maximum(np.nan_to_num(each.grades[rows], nan=0.0), 0.0)
        if len(np.unique(grades)) > 1:
            chosen.append((each, rows, grades))
    if not chosen:
        return None
    levels, labels = np.unique(np.concatenate([grades for _, _, grades in chosen]), return_inverse=True)
    return Rows(
        np.concatenate([each.features[rows] for each, rows, _ in chosen]),
        np.concatenate([each.base[rows] for each, rows, _ in chosen]),
        labels.astype(np.int64),
        tuple(len(rows) for _, rows, _ in chosen),
        tuple((2.0**levels - 1).tolist()),
    )
