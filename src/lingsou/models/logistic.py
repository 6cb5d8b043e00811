"""Multinomial logistic regression, and the temperature that makes its probabilities honest. Arrays in, arrays out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_HISTORY = 10
_DECREASE, _SHRINK, _MOST_TRIES = 1e-4, 0.5, 40


@dataclass(frozen=True)
class Linear:
    """Logits of k classes: `weight` [k, d] · x + `bias` [k]."""

    weight: NDArray[np.floating]
    bias: NDArray[np.floating]

    def logits(self, x: NDArray[np.floating]) -> Floats:
        """`[n, k]` of rows `[n, d]`, or `[k]` of one row `[d]`."""
        return np.asarray(x @ self.weight.T + self.bias, np.float64)


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities along the last axis."""
    shifted = np.exp(np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def fit_logistic(
    x: NDArray[np.floating], labels: Integers, k: int, *, l2: float, tolerance: float = 1e-5, most_steps: int = 500
) -> Linear:
    """Weights that make Σ −log p(label) + l2 / 2 · ‖weight‖² smallest; the bias is not held back.

    The problem is convex, and all begins at 0: the same rows give the same weights.

    Args:
        x: rows [n, d].
        labels: their classes [n], from 0 to k − 1.
        k: number of classes; one without a row gets a low bias.
        l2: above 0; scikit-learn's `C` is 1 / l2.
        tolerance: it ends when no derivative, divided by n, is larger.
        most_steps: or after so many.

    Raises:
        InputError: no rows, shapes that do not fit, or a label out of range.

    Source: L-BFGS, Liu & Nocedal, Mathematical Programming 45, 1989. Cost: about 5 · steps · n · d · k.
    """
    n = len(x)
    if x.ndim != 2 or not n or labels.shape != (n,) or labels.min() < 0 or labels.max() >= k or l2 <= 0:
        raise InputError(
            f"Rows of shape {x.shape}, labels of shape {labels.shape}, {k} classes and l2 = {l2} do not fit together.",
            cure="Give each row one label from 0 to k − 1, and l2 above 0.",
        )
    rows = np.asarray(x, np.float64)
    target = np.zeros((n, k))
    target[np.arange(n), labels] = 1.0
    d = rows.shape[1]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weight, bias = flat[: k * d].reshape(k, d), flat[k * d :]
        logits = rows @ weight.T + bias
        shifted = logits - logits.max(axis=1, keepdims=True)
        grown = np.exp(shifted)
        total = grown.sum(axis=1, keepdims=True)
        value = float(np.log(total).sum() - (target * shifted).sum() + 0.5 * l2 * (weight * weight).sum())
        wrong = grown / total - target
        return value, np.concatenate([(wrong.T @ rows + l2 * weight).ravel(), wrong.sum(axis=0)])

    found = minimise(loss, np.zeros(k * d + k), tolerance * n, most_steps)
    return Linear(found[: k * d].reshape(k, d), found[k * d :])


def minimise(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, tolerance: float, most_steps: int
) -> Floats:
    """Where a smooth convex function is smallest, by L-BFGS with halved steps (Armijo).

    Args:
        loss: value and gradient at a point [m].
        start: where to begin.
        tolerance: it ends when no derivative is larger.
        most_steps: or after so many.
    """
    point, (value, slope) = start, loss(start)
    moves: list[Floats] = []
    turns: list[Floats] = []
    for _ in range(most_steps):
        if np.abs(slope).max() <= tolerance:
            break
        direction = -_inverse_hessian(slope, moves, turns)
        falls = float(slope @ direction)
        step = 1.0 if moves else 1.0 / max(1.0, float(np.linalg.norm(slope)))
        for _ in range(_MOST_TRIES):
            further = point + step * direction
            next_value, next_slope = loss(further)
            if next_value <= value + _DECREASE * step * falls:
                break
            step *= _SHRINK
        else:  # as low as floating point can tell
            break
        move, turn = further - point, next_slope - slope
        if float(move @ turn) > 1e-12 * float(turn @ turn):
            moves, turns = [*moves, move][-_HISTORY:], [*turns, turn][-_HISTORY:]
        point, value, slope = further, next_value, next_slope
    return point


def _inverse_hessian(slope: Floats, moves: list[Floats], turns: list[Floats]) -> Floats:
    """The two-loop recursion: the approximate inverse Hessian times `slope`."""
    result = slope.copy()
    shares: list[tuple[float, float]] = []
    for move, turn in zip(reversed(moves), reversed(turns), strict=True):
        scale = 1.0 / float(move @ turn)
        share = scale * float(move @ result)
        result -= share * turn
        shares.append((scale, share))
    if moves:
        result *= float(moves[-1] @ turns[-1]) / float(turns[-1] @ turns[-1])
    for (scale, share), move, turn in zip(reversed(shares), moves, turns, strict=True):
        result += (share - scale * float(turn @ result)) * move
    return result


def fit_temperature(loss: Callable[[float], float], least: float = 0.05, most: float = 20.0) -> float:
    """The temperature between `least` and `most` of the smallest loss, by golden section of its logarithm.

    The loss falls and then rises: the cross-entropy of logits is convex in 1 / temperature.
    """
    low, high = math.log(least), math.log(most)
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(math.exp(left)), loss(math.exp(right))
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(math.exp(left))
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(math.exp(right))
    return math.exp((low + high) / 2)


def likeliest_temperature(logits: Floats, labels: Integers) -> float:
    """The temperature by which logits [n, k] have to be divided to make their labels [n] likeliest.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017. The logits must come from a fit that
    has not seen the labels.
    """
    rows = np.arange(len(labels))

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(logits / temperature)[rows, labels].clip(1e-300)).mean())

    return fit_temperature(loss)


def out_of_fold_logits(x: NDArray[np.floating], labels: Integers, k: int, *, l2: float, folds: int = 5) -> Floats:
    """Logits [n, k] of each row by a fit without it: every `folds`-th row of a class is held back in turn."""
    found = np.zeros((len(x), k))
    turn = np.zeros(len(x), np.int64)
    for label in range(k):
        own = np.flatnonzero(labels == label)
        turn[own] = np.arange(len(own)) % folds
    for fold in range(folds):
        held = turn == fold
        if held.any() and not held.all():
            found[held] = fit_logistic(x[~held], labels[~held], k, l2=l2).logits(x[held])
    return found
