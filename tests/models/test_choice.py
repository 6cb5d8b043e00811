"""Conditional logit against cases with a known answer, and trees that learn what a line cannot."""

import numpy as np
import pytest

from lingsou.models.choice import ChoiceModel, Choices, boosted, conditional_logit, places


def simulated(weights: np.ndarray, groups: int = 3000, size: int = 6) -> Choices:
    random = np.random.default_rng(1)
    features = random.normal(size=(groups * size, len(weights))).astype(np.float32)
    utility = features @ weights + random.gumbel(size=groups * size)
    taken = np.zeros(groups * size, np.bool_)
    taken[np.arange(groups) * size + utility.reshape(groups, size).argmax(axis=1)] = True
    return Choices(np.arange(groups + 1) * size, features, taken)


def test_two_candidates_and_one_feature_by_hand() -> None:
    """The candidate with the feature is taken 3 times of 4: odds of 3, so the weight is log 3."""
    features = np.tile(np.array([[1.0], [0.0]], np.float32), (400, 1))
    taken = np.zeros(800, np.bool_)
    taken[np.arange(400) * 2 + (np.arange(400) % 4 == 0)] = True
    weights = conditional_logit(Choices(np.arange(401) * 2, features, taken), ridge=1e-9)
    assert weights == pytest.approx([np.log(3)], abs=1e-4)


def test_the_weights_behind_choices_are_found_on_any_scale() -> None:
    truth = np.array([1.5, -0.7, 0.0])
    choices = simulated(truth)
    assert conditional_logit(choices) == pytest.approx(truth, abs=0.1)
    scaled = Choices(choices.starts, choices.features * np.array([1000, 1, 0.001], np.float32), choices.taken)
    assert conditional_logit(scaled) == pytest.approx(conditional_logit(choices) / [1000, 1, 0.001], rel=1e-2, abs=1e-1)


def test_a_feature_that_never_differs_is_harmless() -> None:
    choices = simulated(np.array([1.0]))
    constant = np.column_stack([choices.features, np.ones(len(choices.taken), np.float32)])
    assert np.isfinite(conditional_logit(Choices(choices.starts, constant, choices.taken))).all()


def test_shoppers_who_took_nothing_are_told_apart() -> None:
    starts = np.array([0, 2, 2, 5])
    taken = np.array([False, False, True, False, False])
    choices = Choices(starts, np.zeros((5, 1), np.float32), taken)
    assert choices.decided.tolist() == [2]
    one = choices.of(np.array([2, 0]))
    assert one.starts.tolist() == [0, 3, 5]
    assert one.taken.tolist() == [True, False, False, False, False]


def test_the_place_of_what_was_taken() -> None:
    """Of the first shopper second, of the second among three equals (one above, half of two), of the third none."""
    starts = np.array([0, 3, 6, 8])
    scores = np.array([3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 5.0, 4.0])
    taken = np.array([False, True, False, False, True, False, False, False])
    assert places(scores, starts, taken).tolist() == [1, 1, -1]


def test_trees_learn_what_a_line_cannot() -> None:
    """Taken is whatever lies in the middle of a feature: a weight cannot say so."""
    pytest.importorskip("lightgbm")
    features = np.random.default_rng(1).uniform(-1, 1, (1500, 4)).astype(np.float32)
    taken = np.zeros((1500, 4), np.bool_)
    taken[np.arange(1500), np.abs(features).argmin(axis=1)] = True
    choices = Choices(np.arange(1501) * 4, features.reshape(-1, 1), taken.ravel())
    weights = conditional_logit(choices)
    line = places(ChoiceModel(weights).scores(choices.features), choices.starts, choices.taken).mean()
    model = boosted(choices, weights, rounds=40, seeds=[1, 2])
    assert len(model.boosters) == 2
    assert line > 1
    assert places(model.scores(choices.features), choices.starts, choices.taken).mean() < 0.5
