"""Off-policy estimators: by hand, and against a truth that the test knows."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.off_policy import Estimate, Feedback, direct, doubly_robust, ips, snips

ARMS, CONTEXTS = 5, 8
Floats = NDArray[np.float64]


def test_ips_and_snips_by_hand() -> None:
    """Two rows shown with 1/2 and 1/4, wanted with 1 and 1/2: both weigh 2; rewards 1 and 0."""
    logged = Feedback.of([1, 0], [0.5, 0.25], [1, 0.5])
    assert ips(logged).value == 1.0  # (2·1 + 2·0) / 2
    assert snips(logged).value == 0.5  # 2·1 / 4
    assert ips(logged).effective_rows == 2.0  # equal weights: all rows count
    assert ips(logged, most=1).value == 0.5


def test_doubly_robust_by_hand() -> None:
    """A right model leaves nothing to correct; a wrong one is corrected by the weighted residual."""
    logged = Feedback.of([1, 0], [0.5, 0.5], [1, 0])
    assert doubly_robust(logged, [1, 0], [1, 1]).value == 1.0
    assert doubly_robust(logged, [0, 0], [0, 0]).value == ips(logged).value == 1.0
    assert direct([0.25, 0.75]).value == 0.5


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        (([1], [0], [1]), "propensity"),
        (([np.nan], [1], [1]), "finite"),
        (([1], [1], [2]), "outside"),
        (([1, 2], [1], [1]), "length"),
        (([], [], []), "row"),
    ],
)
def test_bad_rows_are_refused(columns: tuple[list[float], ...], what: str) -> None:
    with pytest.raises(InputError, match=what):
        Feedback.of(*columns)


def test_a_policy_that_shows_nothing_logged_cannot_be_judged() -> None:
    with pytest.raises(InputError, match="none of what was logged"):
        snips(Feedback.of([1], [0.5], [0]))


def _world(rows: int, seed: int) -> tuple[Feedback, Floats, Floats, float]:
    """Known rewards: the log of a skewed policy, a biased model of them, and the other policy's truth."""
    truth = np.random.default_rng(0)
    reward = truth.uniform(0.02, 0.4, (CONTEXTS, ARMS))
    logging = truth.dirichlet(np.ones(ARMS) * 2, CONTEXTS)
    wanted = truth.dirichlet(np.ones(ARMS), CONTEXTS)
    model = np.clip(reward + truth.normal(0, 0.05, reward.shape), 0, 1)
    random = np.random.default_rng(seed)
    contexts = random.integers(0, CONTEXTS, rows)
    arms = (random.random(rows)[:, None] > logging[contexts].cumsum(axis=1)).sum(axis=1).clip(0, ARMS - 1)
    earned = (random.random(rows) < reward[contexts, arms]).astype(float)
    logged = Feedback.of(earned, logging[contexts, arms], wanted[contexts, arms])
    predicted = (wanted * model).sum(axis=1)[contexts]
    return logged, model[contexts, arms], predicted, float((wanted * reward).sum(axis=1).mean())


ESTIMATORS: dict[str, Callable[[Feedback, Floats, Floats], Estimate]] = {
    "ips": lambda logged, *_: ips(logged),
    "snips": lambda logged, *_: snips(logged),
    "dr": doubly_robust,
}


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    inside = 0
    for seed in range(200):
        logged, shown, predicted, truth = _world(3_000, seed)
        estimate = ESTIMATORS[name](logged, shown, predicted)
        inside += estimate.low <= truth <= estimate.high
    assert inside >= 180, f"{inside} of 200 intervals of 95 % hold the truth"


def test_a_wrong_model_misleads_the_direct_method_and_not_dr() -> None:
    logged, shown, predicted, truth = _world(100_000, 1)
    assert abs(doubly_robust(logged, shown + 0.2, predicted + 0.2).value - truth) < 0.05 * truth
    assert abs(direct(predicted + 0.2).value - truth) > 0.5 * truth
