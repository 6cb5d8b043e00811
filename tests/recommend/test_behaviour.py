"""Will they buy, will they leave."""

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.recommend.behaviour import FEATURES, Behaviour, features
from lingsou.recommend.interactions import KINDS, Interactions, interactions, sequences
from lingsou.recommend.sessions import new_in_sessions, sessions_of

VIEW, CART, PURCHASE = (KINDS.index(kind) for kind in ("view", "cart", "purchase"))


def test_half_an_hour_ends_a_session() -> None:
    minutes = np.array([0, 10, 41, 71, 0])
    users = np.array([0, 0, 0, 0, 2])
    past = interactions(users, np.arange(5), minutes * 60_000, n_users=3)
    # 31 minutes are a pause, 30 are none; user 1 did nothing.
    assert [sessions_of(past).of([row]).items.tolist() for row in range(3)] == [[0, 1], [2, 3], [4]]
    assert len(sessions_of(past)) == 3
    assert len(sessions_of(sequences([[]], 3))) == 0


def test_features_are_of_the_session_up_to_each_event() -> None:
    kinds = np.array([VIEW, VIEW, CART, VIEW], np.int8)
    past = interactions(np.array([0, 0, 0, 1]), np.array([7, 8, 7, 7]), np.array([0, 1_000, 4_000, 9_000]), kinds)
    found = dict(zip(FEATURES, features(past).T, strict=True))
    assert np.expm1(found["events"]).tolist() == pytest.approx([1, 2, 3, 1])
    assert np.expm1(found["distinct items"]).tolist() == pytest.approx([1, 2, 2, 1])
    assert np.expm1(found["returns to an item"]).tolist() == pytest.approx([0, 0, 1, 0])
    assert np.expm1(found["seconds so far"]).tolist() == pytest.approx([0, 1, 4, 0])
    assert np.expm1(found["seconds since the event before"]).tolist() == pytest.approx([0, 1, 3, 0])
    assert np.expm1(found["cart events"]).tolist() == pytest.approx([0, 0, 1, 0])
    assert found["last event is a cart"].tolist() == [0, 0, 1, 0]
    assert found["last event is on an item of before"].tolist() == [0, 0, 1, 0]


def shop(count: int, seed: int) -> tuple[Interactions, np.ndarray]:
    """Sessions that end with chance 0.3 after each view; after a cart comes a purchase with chance 0.6, else the end.

    Returns them, and for each event the true chance of leaving.
    """
    random = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    leaves: list[float] = []
    for session in range(count):
        time = 0
        while True:
            time += int(random.integers(1_000, 60_000))
            kind = CART if random.random() < 0.3 else VIEW
            rows.append((session, int(random.integers(0, 50)), time, kind))
            leaves.append(0.4 if kind == CART else 0.3)
            if kind == CART:
                if random.random() < 0.6:
                    rows.append((session, rows[-1][1], time + 500, PURCHASE))
                    leaves.append(1.0)
                break
            if random.random() < 0.3:
                break
    users, items, times, kinds = (np.array(column) for column in zip(*rows, strict=True))
    return interactions(users, items, times, kinds.astype(np.int8), n_items=50), np.array(leaves)


def test_chances_are_those_that_the_sessions_were_made_by() -> None:
    behaviour = Behaviour()
    behaviour.fit(shop(3_000, 1)[0])
    later, leaves = shop(1_000, 2)
    # Each session is asked for as it stood after its first event.
    first = later.where(later.ages == np.repeat(later.lengths, later.lengths) - 1)
    truth = leaves[later.starts[:-1]]
    found = behaviour.chances(first)
    assert np.abs(found.leaves - truth).mean() < 0.04
    after_cart = first.kinds == CART
    assert found.buys[after_cart].mean() == pytest.approx(0.6, abs=0.05)
    bought = np.bincount(later.users, later.kinds == PURCHASE) > 0
    assert found.buys.mean() == pytest.approx(bought.mean(), abs=0.04)


def test_what_cannot_be_known_is_not_told() -> None:
    behaviour = Behaviour()
    with pytest.raises(InputError, match="Nothing is known"):
        behaviour.chances(sequences([[1]], 3))
    with pytest.raises(InputError, match="no session"):
        behaviour.fit(sequences([[]], 3))
    behaviour.fit(sequences([[0, 1], [2]], 3))  # nobody bought
    found = behaviour.chances(sequences([[1], []], 3))
    assert np.isnan(found.buys).all()
    assert 0 < found.leaves[0] < 1
    assert np.isnan(found.leaves[1])
    assert not Behaviour().known
    assert not Behaviour.of(Behaviour().state()).known


def test_what_is_new_of_users_is_new_of_their_last_sessions() -> None:
    minutes = np.array([0, 10, 60, 70, 0, 1])
    past = interactions(np.array([0, 0, 0, 0, 1, 1]), np.arange(6), minutes * 60_000)
    sessions, new = new_in_sessions(past, np.array([3, 0]))
    assert sessions.lengths.tolist() == [2, 2, 2]
    assert new.tolist() == [1, 2, 0]
