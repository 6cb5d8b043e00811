"""Click models find the truth of simulated shoppers, and do what their formulas say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lingsou.evaluation.clicks import Cascade, DynamicBayesian, PositionBased
from lingsou.models.click_models import chain, position_based, power_law

PAIRS, PAGE, SEARCHES = 40, 6, 30_000
Floats = NDArray[np.float64]


def lists(random: np.random.Generator) -> NDArray[np.int64]:
    """Each search shows a page of pairs in an order of chance."""
    return np.argsort(random.random((SEARCHES, PAIRS)), axis=1)[:, :PAGE]


def tables(order: NDArray[np.int64], clicks: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    shown, clicked = np.zeros((PAIRS, PAGE)), np.zeros((PAIRS, PAGE))
    for place in range(PAGE):
        shown[:, place] = np.bincount(order[:, place], minlength=PAIRS)
        clicked[:, place] = np.bincount(order[:, place], clicks[:, place], minlength=PAIRS)
    return shown, clicked


def test_position_model_finds_examination_and_attraction() -> None:
    random = np.random.default_rng(1)
    attraction = random.uniform(0.05, 0.9, PAIRS)
    truth = PositionBased.power_law(PAGE, 0.8)
    order = lists(random)
    found = position_based(*tables(order, truth.simulate(attraction[order], random)), start=np.ones(PAGE))
    assert found.examination == pytest.approx(truth.examination, abs=0.03)
    assert found.attraction == pytest.approx(attraction, abs=0.05)


def test_one_place_for_ever_tells_nothing_without_a_regression() -> None:
    """Four pairs, each at its own place: any split explains the clicks, so the start stays."""
    shown, clicked = np.diag([100.0] * 4), np.diag([50.0, 20.0, 10.0, 5.0])
    start = power_law(4, 0.5)
    assert position_based(shown, clicked, start=start).examination == pytest.approx(start, abs=1e-3)


def test_a_regression_tells_the_two_apart_under_a_fixed_order() -> None:
    """Two kinds of products stand everywhere; the regression knows only the kind."""
    random = np.random.default_rng(2)
    kind = random.integers(0, 2, 400)
    attraction = np.where(kind == 1, 0.6, 0.2)
    place = np.arange(400) % 4
    truth = np.array([1.0, 0.5, 0.3, 0.1])
    shown, clicked = np.zeros((400, 4)), np.zeros((400, 4))
    shown[np.arange(400), place] = 200
    clicked[np.arange(400), place] = random.binomial(200, truth[place] * attraction)

    def regression(targets: Floats, weights: Floats) -> Floats:
        means = [np.average(targets[kind == each], weights=weights[kind == each]) for each in (0, 1)]
        return np.asarray(means)[kind]

    found = position_based(shown, clicked, start=power_law(4, 0.5), regression=regression, iterations=300)
    assert found.examination == pytest.approx(truth, abs=0.06)


def test_a_place_that_nothing_was_shown_at_keeps_its_start() -> None:
    shown, clicked = np.array([[10.0, 0.0], [10.0, 0.0]]), np.array([[5.0, 0.0], [1.0, 0.0]])
    assert position_based(shown, clicked, start=np.array([1.0, 0.4])).examination[1] == pytest.approx(0.4, abs=0.3)
    nothing = position_based(np.zeros((2, 3)), np.zeros((2, 3)))
    assert nothing.examination == pytest.approx(power_law(3))
    assert len(position_based(np.zeros((0, 3)), np.zeros((0, 3))).attraction) == 0


def test_chain_counts_what_stands_down_to_the_last_click() -> None:
    """Search 0 shows a b c and b is clicked: c was not looked at. Search 1 shows b a c, a is clicked and b not."""
    search, rank = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 2, 3, 1, 2, 3])
    pair = np.array([0, 1, 2, 1, 0, 2])
    clicked = np.array([False, True, False, False, True, False])
    found = chain(search, rank, pair, clicked, smoothing=1.0)
    assert found.attraction == pytest.approx([(1 + 1) / (2 + 2), (1 + 1) / (2 + 2), 1 / 2])
    assert found.satisfaction == pytest.approx([(1 + 1) / (1 + 2), (1 + 1) / (1 + 2), 1 / 2])


@pytest.mark.parametrize("model", [Cascade(), DynamicBayesian(continuation=1.0)])
def test_chain_finds_the_attraction_of_those_who_read_from_the_top(model: Cascade | DynamicBayesian) -> None:
    random = np.random.default_rng(3)
    attraction = random.uniform(0.1, 0.6, PAIRS)
    order = lists(random)
    clicks = model.simulate(attraction[order], random)
    search = np.repeat(np.arange(SEARCHES), PAGE)
    rank = np.tile(np.arange(1, PAGE + 1), SEARCHES)
    found = chain(search, rank, order.ravel(), clicks.ravel())
    # Lists that were read to the end without a click do not count as looked at, so all rates are somewhat too high.
    assert np.corrcoef(found.attraction, attraction)[0, 1] > 0.98


def test_chain_of_nothing() -> None:
    none = np.empty(0, np.int64)
    assert len(chain(none, none, none, np.empty(0, np.bool_)).relevance) == 0
