"""Every source, and the blend of them, keeps the contract."""

import pytest

from lingsou.recommend.blend import Blend
from lingsou.recommend.sources.als import Als, AlsSettings
from lingsou.recommend.sources.bought_together import BoughtTogether
from lingsou.recommend.sources.content import Content
from lingsou.recommend.sources.ease import Ease
from lingsou.recommend.sources.popularity import Popularity, Trending
from lingsou.recommend.sources.presets import in_session
from lingsou.recommend.sources.replenish import Replenish
from lingsou.recommend.sources.similar import Similar
from lingsou.recommend.sources.transitions import Transitions
from lingsou.testing.recommender import CHECKS, Check, MakeRecommender


def _als() -> Als:
    return Als(AlsSettings(factors=4, iterations=3))


def _blend() -> Blend:
    return Blend([Transitions(), Content(), Popularity()])


def _ease() -> Ease:
    pytest.importorskip("scipy")
    return Ease()


MAKERS: dict[str, MakeRecommender] = {
    "als": _als,
    "blend": _blend,
    "bought-together": BoughtTogether,
    "content": Content,
    "ease": _ease,
    "popularity": Popularity,
    "replenish": Replenish,
    "session-transitions": in_session,
    "similar": Similar,
    "transitions": Transitions,
    "trending": Trending,
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Check, name: str) -> None:
    check(MAKERS[name])


@pytest.mark.parametrize("name", MAKERS)
def test_the_name_is_the_one_it_is_known_by(name: str) -> None:
    assert MAKERS[name]().name == name
