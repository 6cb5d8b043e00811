"""Variety, exploration and explanations."""

from collections import Counter

import numpy as np
import pytest

from lingsou.core.types import Product
from lingsou.features import Feature
from lingsou.ranking.diversity import diversify
from lingsou.ranking.explain import Asked, counterfactuals, explain, language_of
from lingsou.ranking.exploration import explore
from lingsou.ranking.lambdamart import train
from lingsou.ranking.ranker import Ranked, Ranker, order_of

from .test_lambdamart import MONOTONE, judged

NAMES = ("stock", "rating", "title-coverage", "age")


def goods(*brands: str) -> list[Product]:
    return [Product(id=str(n), title="x", brand=brand, category=("c" + brand,)) for n, brand in enumerate(brands)]


def test_variety_brings_another_brand_forward() -> None:
    scores = np.array([1.0, 0.9, 0.8, 0.7])
    products = goods("a", "a", "a", "b")
    order = order_of(scores)
    assert diversify(order, scores, products, 0.0).tolist() == [0, 1, 2, 3]
    assert diversify(order, scores, products, 0.5).tolist() == [0, 3, 1, 2]


def test_products_without_a_brand_are_not_alike() -> None:
    scores = np.array([1.0, 0.9, 0.8])
    products = [Product(id=str(n), title="x") for n in range(3)]
    assert diversify(order_of(scores), scores, products, 0.9).tolist() == [0, 1, 2]


def test_variety_keeps_every_product_once() -> None:
    random = np.random.default_rng(3)
    scores = random.random(120)
    products = goods(*(str(each) for each in random.integers(0, 5, 120)))
    order = diversify(order_of(scores), scores, products, 0.7)
    assert sorted(order.tolist()) == list(range(120))
    assert order[50:].tolist() == order_of(scores)[50:].tolist()


def test_exploration_fills_its_places_from_behind_and_says_how_likely() -> None:
    order = np.arange(120)
    found = explore(order, 2, "seed")
    assert sorted(found.order.tolist()) == list(range(120))
    chosen = [int(found.order[6]), int(found.order[13])]
    assert all(each >= 20 for each in chosen)
    assert found.propensities == dict.fromkeys(chosen, 1 / 100)
    assert explore(order, 2, "seed").order.tolist() == found.order.tolist()
    assert [each for each in found.order.tolist() if each not in chosen] == [n for n in range(120) if n not in chosen]


def test_propensities_are_what_happens() -> None:
    """Over 4,000 seeds each of ten products gets one of two slots as often as it says, twice 1 / 10."""
    counts: Counter[int] = Counter()
    for seed in range(4_000):
        counts.update(explore(np.arange(30), 2, str(seed)).propensities.keys())
    shares = [counts[product] / 4_000 for product in range(20, 30)]
    assert shares == pytest.approx([0.2] * 10, abs=0.03)


def test_nothing_to_explore() -> None:
    assert not explore(np.arange(20), 2, "s").propensities
    assert not explore(np.arange(100), 0, "s").propensities


@pytest.fixture(scope="module")
def ranked() -> Ranked:
    ranker = Ranker(train(judged(), NAMES, MONOTONE))
    features = np.array([[0.5, 0.5, 0.1, 0.5], [0.5, 0.5, 0.9, 0.5], [0.5, 0.5, 0.1, 0.5]])
    base = np.array([0.51, 0.5, 9.5])
    return Ranked(ranker, base, features, base + ranker.model.adjustments(features))


def test_the_parts_add_up_to_the_score(ranked: Ranked) -> None:
    (tree,) = explain(ranked, [Asked(1, goods("a")[0], None)], None, "en")
    assert sum(child.value or 0.0 for child in tree.children) == pytest.approx(ranked.scores[1])
    assert tree.value == pytest.approx(ranked.scores[1])
    assert "title has your words" in tree.detail
    (chinese,) = explain(ranked, [Asked(1, goods("a")[0], None)], None, "zh")
    assert "标题与您的搜索相符" in chinese.detail
    assert explain(ranked, [], None, "en") == []


def test_what_would_lift_it_does_lift_it(ranked: Ranked) -> None:
    found = counterfactuals(ranked, [(1, 0), (0, 1), (0, 2), (2, 2)])
    (change,) = found[1]
    assert (change.feature, change.now, change.needed) == ("title-coverage", 0.1, 0.9)
    assert found[0] == (), "it stands above already"
    assert found[2] == (), "an exact identifier cannot be passed"
    assert found[3] == ()
    first, second = explain(ranked, [Asked(0, goods("a")[0], 1), Asked(1, goods("b")[0], None)], None, "en")
    assert first.children[-1].name == "to pass the one before"
    assert "0.1 → 0.9" in first.children[-1].detail
    assert "to pass the one before" not in [child.name for child in second.children]


def test_pairs_that_take_their_steps_together_find_what_each_finds_alone(ranked: Ranked) -> None:
    random = np.random.default_rng(4)
    features = random.random((30, 4)).round(1)
    features[random.random((30, 4)) < 0.1] = np.nan
    base = random.random(30) * 0.1
    many = Ranked(ranked.ranker, base, features, base + ranked.ranker.model.adjustments(features))
    pairs = [(int(a), int(b)) for a, b in random.integers(0, 30, (60, 2))]
    together = counterfactuals(many, pairs)
    assert together == [counterfactuals(many, [pair])[0] for pair in pairs]
    assert any(together)
    for (place, rival), changes in zip(pairs, together, strict=True):
        lifted = features[[place]].copy()
        for each in changes:
            lifted[0, NAMES.index(each.feature)] = each.needed
        if changes:
            assert base[place] + ranked.ranker.model.adjustments(lifted)[0] > many.scores[rival]


def test_language_of_the_reasons() -> None:
    assert language_of(None, "zh-CN") == "zh"
    assert language_of(None, "en") == "en"
    assert language_of(None, None) == "en"


def test_a_feature_is_one_line_to_make() -> None:
    made = Feature("one", lambda batch: np.ones(len(batch)), "one", "一")
    assert (made.describe(), made.describe("zh"), made.monotone, made.praise) == ("one", "一", 0, None)
