"""What a policy would have earned, estimated from what another one logged.

Notation: the logging policy showed action a to context x with propensity p(a|x) and earned reward r; the policy to be
judged would show it with probability π(a|x); w = π(a|x) / p(a|x). q̂ is a reward model fitted on other rows than those
it is used on (cross-fitting), else DM and DR are optimistic.

Sources: Horvitz & Thompson 1952 (IPS); Swaminathan & Joachims, "The self-normalized estimator for counterfactual
learning", NeurIPS 2015 (SNIPS); Dudík, Langford & Li, "Doubly robust policy evaluation and learning", ICML 2011
(DM, DR).
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingsou.core.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A policy's mean reward with a normal interval, and how many of the logged rows carry it."""

    value: float
    low: float
    high: float
    effective_rows: float
    """(Σ w)² / Σ w², Kish's effective sample size; n where no weights are used. Far below n: do not trust the rest."""


@dataclass(frozen=True)
class Feedback:
    """Logged rows: reward [n], propensity [n] in (0, 1] of the shown action, and the policy's probability [n] of it."""

    rewards: Floats
    propensities: Floats
    probabilities: Floats

    @classmethod
    def of(cls, rewards: ArrayLike, propensities: ArrayLike, probabilities: ArrayLike) -> "Feedback":
        """Check and convert the columns.

        Raises:
            InputError: lengths differ, there are no rows, or a value is out of its range.
        """
        columns = [np.asarray(each, np.float64) for each in (rewards, propensities, probabilities)]
        if any(each.shape != columns[0].shape or each.ndim != 1 or not len(each) for each in columns):
            raise InputError("Feedback needs three columns of one length, at least one row.", cure="Check the columns.")
        logged = cls(*columns)
        if not (np.isfinite(logged.rewards).all() and ((logged.propensities > 0) & (logged.propensities <= 1)).all()):
            raise InputError(
                "A logged row has no finite reward or no propensity in (0, 1].",
                cure="Log the probability with which each product was shown, or leave the row out.",
            )
        if not ((logged.probabilities >= 0) & (logged.probabilities <= 1 + 1e-9)).all():
            raise InputError("A policy's probability is outside [0, 1].", cure="Check how the policy computes it.")
        return logged

    def weights(self, most: float | None = None) -> Floats:
        """The weights w [n], clipped at `most`, which trades variance for a bias towards 0."""
        weights = self.probabilities / self.propensities
        return weights if most is None else np.minimum(weights, most)


def ips(logged: Feedback, *, most: float | None = None, confidence: float = 0.95) -> Estimate:
    """Inverse propensity score: mean of w r. Unbiased without clipping; its variance grows with the weights."""
    weights = logged.weights(most)
    return _mean(weights * logged.rewards, _effective(weights), confidence)


def snips(logged: Feedback, *, most: float | None = None, confidence: float = 0.95) -> Estimate:
    """Self-normalised IPS: Σ w r / Σ w, with the delta method's interval. Biased by O(1/n), far less variance.

    Raises:
        InputError: the policy shows none of the logged actions.
    """
    weights = logged.weights(most)
    total = float(weights.sum())
    if total <= 0:
        raise InputError(
            "The policy would show none of what was logged.", cure="Log with more exploration, or judge another policy."
        )
    value = float((weights * logged.rewards).sum()) / total
    spread = float(np.sqrt(np.sum((weights * (logged.rewards - value)) ** 2)) / total)
    return _around(value, spread, _effective(weights), confidence)


def direct(predicted_policy: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Direct method: mean of Σ_a π(a|x) q̂(x, a) [n]. The interval knows nothing of the model's own error."""
    values = np.asarray(predicted_policy, np.float64)
    return _mean(values, float(len(values)), confidence)


def doubly_robust(
    logged: Feedback,
    predicted_logged: ArrayLike,
    predicted_policy: ArrayLike,
    *,
    most: float | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """DR: mean of q̂(x, π) + w (r − q̂(x, a)). Right when either the propensities or the model is.

    Args:
        logged: the rows.
        predicted_logged: q̂(x, a) [n] of the action that was shown.
        predicted_policy: Σ_a π(a|x) q̂(x, a) [n].
        most: clip weights at this.
        confidence: of the interval.
    """
    weights = logged.weights(most)
    logged_q, policy_q = np.asarray(predicted_logged, np.float64), np.asarray(predicted_policy, np.float64)
    return _mean(policy_q + weights * (logged.rewards - logged_q), _effective(weights), confidence)


def _mean(values: Floats, effective: float, confidence: float) -> Estimate:
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
    return _around(float(values.mean()), spread, effective, confidence)


def _around(value: float, spread: float, effective: float, confidence: float) -> Estimate:
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    return Estimate(value, value - reach, value + reach, effective)


def _effective(weights: Floats) -> float:
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
