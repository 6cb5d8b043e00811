"""Candidates, their features, and what a blend makes of them."""

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.models.choice import ChoiceModel, Choices
from lingsou.recommend.blend import Blend, BlendSettings
from lingsou.recommend.interactions import Floats, Interactions, Ints, Items, items_of, sequences
from lingsou.recommend.learning import learn
from lingsou.recommend.pool import facts_of, feature_names, pool
from lingsou.testing.recommender import small_shop


class Fixed:
    """A source with the same scores for everybody."""

    def __init__(self, name: str, scores: list[float]):
        self.name = name
        self.scores = np.array(scores, np.float32)

    def fit(self, interactions: Interactions, items: Items) -> None:
        pass

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        pass

    def score(self, histories: Interactions) -> Floats:
        return np.tile(self.scores, (len(histories), 1))

    def because(self, histories: Interactions, items: Ints) -> Ints:
        return np.full(items.shape, -1, np.int64)


ONE, OTHER = Fixed("one", [8, 4, 2, 0, 0]), Fixed("other", [0, 0, 1, 5, 0])
ITEMS = items_of([[0, 1], [0], [], [1], []])


def test_features_are_scores_shares_and_ranks_of_every_source() -> None:
    """The user has seen item 0, so the best of `one` is item 1 with 4."""
    rows = sequences([[0]], 5)
    found = pool([ONE, OTHER], rows, 2, facts_of(rows, ITEMS))
    assert found.items.tolist() == [1, 2, 3]
    table = dict(zip(feature_names(["one", "other"]), found.features.T.tolist(), strict=True))
    assert table["one-score"] == [4, 2, 0]
    assert table["one-share"] == [1, 0.5, 0]
    assert table["one-rank"] == [1, 0.5, 0]
    assert table["other-share"] == pytest.approx([0, 0.2, 1])
    assert table["other-rank"] == [0, 0.5, 1]
    assert table["agreement"] == [0.5, 1, 0.5]
    assert table["popularity"] == [0, 0, 0]
    assert table["attributes"] == pytest.approx(np.log1p([1, 0, 1]))
    assert table["history"] == pytest.approx([np.log(2)] * 3)


def test_without_a_model_what_sources_agree_on_comes_first() -> None:
    blend = Blend([ONE, OTHER], BlendSettings(depth=2))
    rows = sequences([[0], [3]], 5)
    blend.look_at(rows, ITEMS)
    assert blend.recommend(rows, 3).items[0, 0] == 2


def test_a_model_decides_and_filters_hold() -> None:
    blend = Blend([ONE, OTHER])
    rows = sequences([[0]], 5)
    blend.look_at(rows, ITEMS)
    weights = np.zeros(len(blend.features))
    weights[blend.features.index("other-score")] = 1
    blend.model = ChoiceModel(weights)
    found = blend.recommend(rows, 5)
    assert found.items.tolist() == [[3, 2, 1, -1, -1]]
    assert found.scores[0, :3].sum() == pytest.approx(1)
    available = np.array([True, True, False, True, True])
    assert blend.recommend(rows, 2, available=available).items.tolist() == [[3, 1]]


def test_a_session_may_return_to_what_it_saw() -> None:
    blend = Blend([ONE, OTHER], BlendSettings(seen=True))
    rows = sequences([[0]], 5)
    blend.look_at(rows, ITEMS)
    assert 0 in blend.recommend(rows, 5).items


def test_an_update_moves_popularity_as_a_fit_does() -> None:
    whole, items = small_shop()
    blend, anew = Blend([ONE]), Blend([ONE])
    blend.look_at(whole.until_last(3), items)
    blend.update(whole, np.full(len(whole), 3), items)
    anew.look_at(whole, items)
    assert blend.facts.popularity == pytest.approx(anew.facts.popularity, abs=1e-4)


def test_learning_finds_the_source_that_is_right() -> None:
    """What is taken is always the best of `other`, item 3."""
    blend = Blend([ONE, OTHER])
    rows = sequences([[0], [1], [2]] * 10, 5)
    blend.look_at(rows, ITEMS)
    learnt = learn(blend.choices(rows, np.full(30, 3)))
    assert learnt.rounds == 0
    assert not learnt.tried, "30 shoppers are too few for trees"
    blend.model = learnt.model
    assert (blend.recommend(rows, 1).items == 3).all()


def test_trees_are_added_where_they_help() -> None:
    pytest.importorskip("lightgbm")
    random = np.random.default_rng(1)
    features = random.uniform(-1, 1, (400, 4)).astype(np.float32)
    taken = np.zeros((400, 4), np.bool_)
    taken[np.arange(400), np.abs(features).argmin(axis=1)] = True
    learnt = learn(Choices(np.arange(401) * 4, features.reshape(-1, 1), taken.ravel()))
    assert learnt.rounds > 0
    assert learnt.tried[learnt.rounds] > learnt.tried[0]


def test_nobody_to_learn_from() -> None:
    blend = Blend([ONE])
    rows = sequences([[0]], 5)
    blend.look_at(rows, ITEMS)
    with pytest.raises(InputError, match="No shopper"):
        learn(blend.choices(rows, np.array([4])))
