"""Contract of `lingsou.recommend.recommender.Recommender`: every function of `CHECKS` takes what makes one.

@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check):
    check(MySource)
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lingsou.recommend.interactions import KINDS, Interactions, Items, interactions, items_of
from lingsou.recommend.recommender import Recommender, recommend

MakeRecommender = Callable[[], Recommender]
Check = Callable[[MakeRecommender], None]
N_USERS, N_ITEMS = 60, 24
_DAY = 86_400_000


def small_shop(n_items: int = N_ITEMS) -> tuple[Interactions, Items]:
    """60 shoppers who mostly stay in one of four departments of a catalogue, and now and then buy."""
    random = np.random.default_rng(5)
    count = 12 * N_USERS
    users = np.repeat(np.arange(N_USERS), 12)
    department = random.integers(0, 4, N_USERS)[users]
    anywhere = random.random(count) < 0.2
    items = np.where(anywhere, random.integers(0, N_ITEMS, count), department + 4 * random.integers(0, 6, count))
    times = 1_700_000_000_000 + np.tile(np.arange(12), N_USERS) * _DAY + random.integers(0, _DAY, count)
    kinds = np.where(random.random(count) < 0.4, KINDS.index("purchase"), KINDS.index("click")).astype(np.int8)
    attributes = [[item % 4, 4 + item // 4 % 3] for item in range(n_items)]
    return interactions(users, items, times, kinds, n_users=N_USERS, n_items=n_items), items_of(attributes)


def names_itself(make: MakeRecommender) -> None:
    """It says what it is."""
    source = make()
    assert isinstance(source, Recommender)
    assert source.name


def scores_every_item(make: MakeRecommender) -> None:
    """A finite float32 of at least 0 for each user and item, for users without a history too."""
    source, histories = _fitted(make)
    scores = source.score(histories.of([0, 1, 2]))
    assert scores.shape == (3, N_ITEMS)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    newcomers = histories.until_last(12)
    assert np.isfinite(source.score(newcomers.block(0, 2))).all()
    assert source.score(histories.block(0, 0)).shape == (0, N_ITEMS)


def a_history_alone_decides(make: MakeRecommender) -> None:
    """Whoever is asked for in the same block changes nothing but rounding."""
    source, histories = _fitted(make)
    for asked in (histories, replace(histories, now=int(histories.times.max()) + _DAY)):
        together = source.score(asked)
        alone = np.concatenate([source.score(asked.block(user, user + 1)) for user in range(N_USERS)])
        assert np.allclose(together, alone, rtol=1e-3, atol=1e-5)
        assert np.allclose(together[::-1], source.score(asked.of(np.arange(N_USERS)[::-1])), rtol=1e-3, atol=1e-5)


def is_repeatable(make: MakeRecommender) -> None:
    """The same interactions give the same scores."""
    (one, histories), (other, _) = _fitted(make), _fitted(make)
    assert np.array_equal(one.score(histories), other.score(histories))


def recommends_what_may_be(make: MakeRecommender) -> None:
    """Neither what was seen nor what is unavailable, nothing twice, best first."""
    source, histories = _fitted(make)
    available = np.arange(N_ITEMS) % 3 != 0
    found = recommend(source, histories, 10, available=available)
    assert found.items.shape == found.scores.shape == (N_USERS, 10)
    for user in range(N_USERS):
        given = found.items[user][found.items[user] >= 0].tolist()
        own = histories.of([user]).items.tolist()
        assert len(set(given)) == len(given)
        assert not set(given) & set(own)
        assert all(available[item] for item in given)
        scores = found.scores[user]
        assert (np.diff(scores) <= 0).all()
        assert ((scores > 0) == (found.items[user] >= 0)).all()


def gives_reasons_from_the_history(make: MakeRecommender) -> None:
    """Each reason is an item of the user's own history, or none."""
    source, histories = _fitted(make)
    asked = histories.of([3, 0])
    items = np.array([[0, 5, -1, 9], [1, 2, 3, -1]])
    reasons = source.because(asked, items)
    assert reasons.shape == items.shape
    assert (reasons[items < 0] == -1).all()
    for user in range(2):
        assert set(reasons[user].tolist()) <= {-1, *asked.of([user]).items.tolist()}
    nothing = source.because(histories.until_last(12).of([0]), items[:1])
    assert (nothing == -1).all()


def takes_up_new_events_and_items(make: MakeRecommender) -> None:
    """After an update that brings new items every one of them has a score; asking with the new history works."""
    source, _ = _fitted(make, until=2)
    more = N_ITEMS + 3
    grown, items = small_shop(more)
    new = np.full(N_USERS, 2)
    source.update(grown, new, items)
    scores = source.score(grown)
    assert scores.shape == (N_USERS, more)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    assert recommend(source, grown, 5).items.shape == (N_USERS, 5)


def bears_a_shop_without_events(make: MakeRecommender) -> None:
    """On the first day nobody has done anything."""
    source = make()
    histories, items = small_shop()
    nobody = histories.where(np.zeros(len(histories.items), np.bool_))
    source.fit(nobody, items)
    assert np.isfinite(source.score(histories.of([0]))).all()
    assert recommend(source, nobody.of([0]), 5).items.shape == (1, 5)


CHECKS: tuple[Check, ...] = (
    names_itself,
    scores_every_item,
    a_history_alone_decides,
    is_repeatable,
    recommends_what_may_be,
    gives_reasons_from_the_history,
    takes_up_new_events_and_items,
    bears_a_shop_without_events,
)


def _fitted(make: MakeRecommender, until: int = 0) -> tuple[Recommender, Interactions]:
    source = make()
    histories, items = small_shop()
    source.fit(histories.until_last(until), items)
    return source, histories
