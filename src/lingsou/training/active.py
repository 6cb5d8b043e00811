"""Active learning: which texts a person should label next."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.training.examples import Rows

By = Literal["margin", "entropy", "coreset"]
_ALIKE = 0.95
"""Cosine from which on two texts are near-duplicates: labelling both teaches little more than one."""
_POOL = 10
"""`coreset` chooses among so many times the wanted rows, the least certain."""


def next_to_label(
    probabilities: NDArray[np.floating], embeddings: NDArray[np.floating], n: int, by: By = "margin"
) -> Rows:
    """The `n` rows (or all, where there are fewer) whose labels should teach most, the most useful first.

    - `margin`: the smallest gap between the two likeliest classes (Scheffer et al., IDA 2001), and
    - `entropy`: the flattest distribution (Shannon), both passing over near-duplicates of a row already chosen as long
      as there are others;
    - `coreset`: of the least certain by margin, those that lie farthest from all chosen before them, by k-center
      greedy (Sener and Savarese, Active Learning for Convolutional Neural Networks, ICLR 2018).

    Cost: one matrix product `[rows, d]` · `[d]` for each row chosen.

    Args:
        probabilities: `[rows, classes]`.
        embeddings: `[rows, d]`, of any length but zero.
        n: how many.
        by: what is meant by useful.

    Raises:
        InputError: shapes do not fit, or a value is not a number.
    """
    scores, vectors = np.asarray(probabilities, np.float64), np.asarray(embeddings, np.float32)
    if scores.ndim != 2 or vectors.ndim != 2 or len(scores) != len(vectors) or scores.shape[1] < 2:
        raise InputError(
            f"Probabilities of shape {scores.shape} and embeddings of shape {vectors.shape}.",
            field="probabilities",
            cure="Both have one row a text; probabilities have two columns or more.",
        )
    if not (np.isfinite(scores).all() and np.isfinite(vectors).all()):
        raise InputError("A probability or an embedding is not a number.", cure="Score and encode the texts again.")
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    n = min(n, len(scores))
    if by == "coreset":
        pool = np.argsort(_margin(scores), kind="stable")[: _POOL * n]
        return _farthest_first(unit, pool, n)
    order = np.argsort(_margin(scores) if by == "margin" else -_entropy(scores), kind="stable")
    return _unlike(unit, order, n)


def _margin(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    two = np.partition(scores, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _entropy(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-np.sum(scores * np.log(np.maximum(scores, 1e-300)), axis=1))


def _unlike(unit: NDArray[np.float32], order: Rows, n: int) -> Rows:
    """The first `n` of `order` that are not alike; near-duplicates only where there are no others."""
    nearest = np.full(len(unit), -np.inf, np.float32)
    chosen: list[int] = []
    passed: list[int] = []
    for row in order.tolist():
        if len(chosen) == n:
            break
        if nearest[row] >= _ALIKE:
            passed.append(row)
        else:
            chosen.append(row)
            np.maximum(nearest, unit @ unit[row], out=nearest)
    return np.array([*chosen, *passed[: n - len(chosen)]], np.int64)


def _farthest_first(unit: NDArray[np.float32], pool: Rows, n: int) -> Rows:
    """k-center greedy over `pool`, from its first row on."""
    if not n:
        return np.empty(0, np.int64)
    inside = unit[pool]
    chosen = [0]
    nearest = inside @ inside[0]
    while len(chosen) < n:
        nearest[chosen[-1]] = np.inf
        chosen.append(int(nearest.argmin()))
        np.maximum(nearest, inside @ inside[chosen[-1]], out=nearest)
    return np.asarray(pool[chosen], np.int64)
