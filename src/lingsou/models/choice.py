"""Which of the candidates a shopper took: conditional logit, and trees on top of it.

    P(i | candidates of one shopper) = exp(s(i)) / Σ exp(s(j)),   s = w · x + trees(x)

Sources: the linear part alone is McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974; trees are
boosted from it (`init_score`) with the gradients of LambdaMART: Burges, "From RankNet to LambdaRank to LambdaMART",
MSR-TR-2010-82.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require

if TYPE_CHECKING:
    from lightgbm import Booster

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]
_STEPS = 25
_LEAST_STEP = 1e-6
_TREES: Mapping[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,  # many features say nearly the same
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True)
class Choices:
    """Candidates of G shoppers, m in all, those of one shopper together."""

    starts: Ints
    """[G + 1]"""
    features: Features
    """[m, f]"""
    taken: NDArray[np.bool_]
    """[m], True for the one candidate of each shopper that was taken; a shopper may have taken none of them."""

    def of(self, groups: Ints) -> "Choices":
        """Some shoppers, in that order."""
        lengths = np.diff(self.starts)[groups]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        rows = np.repeat(self.starts[groups] - starts[:-1], lengths) + np.arange(starts[-1])
        return Choices(starts, self.features[rows], self.taken[rows])

    @property
    def decided(self) -> Ints:
        """The shoppers who took one of their candidates."""
        return np.searchsorted(self.starts, np.flatnonzero(self.taken), "right") - 1


@dataclass(frozen=True)
class ChoiceModel:
    """Weights of the features, on their own scales, and boosters, whose mean is added."""

    weights: Floats
    """[f]"""
    boosters: "tuple[Booster, ...]" = ()

    def scores(self, features: Features, rounds: int | None = None) -> Floats:
        """Scores of candidates: [m] from [m, f]; trees of the first `rounds`, none: of all."""
        linear = np.asarray(features @ self.weights, np.float64)
        if not self.boosters or not len(features):
            return linear
        trees = [np.asarray(each.predict(features, num_iteration=rounds, num_threads=1)) for each in self.boosters]
        return np.asarray(linear + np.mean(trees, axis=0))


def conditional_logit(choices: Choices, ridge: float = 1.0) -> Floats:
    """The weights [f] of greatest likelihood, by Newton's method. Cost: steps × candidates × f².

    Args:
        choices: of shoppers who all took one of their candidates.
        ridge: penalty on the squared weights of features scaled to a deviation of 1.
    """
    starts, taken = choices.starts, choices.taken
    scale = np.maximum(choices.features.std(axis=0), 1e-9).astype(np.float64)
    table = choices.features.astype(np.float64) / scale
    groups = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    weights = np.zeros(table.shape[1])
    penalty = ridge * np.eye(len(weights))
    value = _likelihood(table, starts, groups, taken, weights, ridge)
    for _ in range(_STEPS):
        chances = _chances(table @ weights, starts, groups)
        weighted = table * chances[:, None]
        means = np.add.reduceat(weighted, starts[:-1])
        gradient = table[taken].sum(axis=0) - means.sum(axis=0) - ridge * weights
        curvature = table.T @ weighted - means.T @ means + penalty
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        # Far from the best the quadratic overshoots.
        while (new := _likelihood(table, starts, groups, taken, weights + length * step, ridge)) < value:
            length /= 2
            if length < _LEAST_STEP:
                return np.asarray(weights / scale)
        weights = weights + length * step
        if new - value < _LEAST_STEP * abs(value):
            break
        value = new
    return np.asarray(weights / scale)


def boosted(choices: Choices, weights: Floats, *, rounds: int, seeds: Sequence[int]) -> ChoiceModel:
    """Trees on top of the weights, one booster a seed.

    Raises:
        MissingExtraError: LightGBM is not installed.
    """
    lightgbm = require("lightgbm", "rank")
    linear = choices.features @ weights
    boosters = []
    for seed in seeds:
        data = lightgbm.Dataset(
            choices.features,
            choices.taken.astype(np.int8),
            group=np.diff(choices.starts),
            init_score=linear,
            params={"verbosity": -1},
        )
        boosters.append(lightgbm.train({**_TREES, "seed": seed}, data, rounds))
    return ChoiceModel(weights, tuple(boosters))


def places(scores: Floats, starts: Ints, taken: NDArray[np.bool_]) -> Ints:
    """How many candidates of the same shopper score higher than the one taken, [G]; −1 where none was taken.

    Of equals, half count: an order that does not tell them apart gets no credit for luck.
    """
    groups = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    own = np.full(len(starts) - 1, np.inf)
    own[groups[taken]] = scores[taken]
    above = np.bincount(groups[scores > own[groups]], minlength=len(own))
    equal = np.bincount(groups[scores == own[groups]], minlength=len(own)) - 1
    return np.where(np.isfinite(own), above + equal // 2, -1)


def _chances(scores: Floats, starts: Ints, groups: Ints) -> Floats:
    shifted = np.exp(scores - np.maximum.reduceat(scores, starts[:-1])[groups])
    return np.asarray(shifted / np.add.reduceat(shifted, starts[:-1])[groups])


def _likelihood(
    table: Floats, starts: Ints, groups: Ints, taken: NDArray[np.bool_], weights: Floats, ridge: float
) -> float:
    chances = _chances(table @ weights, starts, groups)
    return float(np.log(np.maximum(chances[taken], 1e-300)).sum() - 0.5 * ridge * (weights @ weights))
