"""A blend taught by prefixes of the latest sessions."""

import numpy as np
import pytest

from lingsou.recommend.blend import Blend, BlendSettings
from lingsou.recommend.interactions import Interactions, interactions, items_of, sequences
from lingsou.recommend.session_learning import HELD_OUT, by_end, prefixes_of, teach
from lingsou.recommend.sources.popularity import Popularity
from lingsou.recommend.sources.revisit import Revisit
from lingsou.recommend.sources.transitions import Transitions

SIZE = 12
ITEMS = items_of([[]] * SIZE)


def test_every_click_but_the_first_is_a_target_after_what_came_before() -> None:
    found = prefixes_of(sequences([[3, 4, 3], [5], []], SIZE))
    assert found.targets.tolist() == [4, 3]
    assert [found.histories.of([row]).items.tolist() for row in range(2)] == [[3], [3, 4]]


def test_sessions_go_by_when_they_ended() -> None:
    # The first began before the second and ended after it; the third is empty.
    log = interactions(np.array([0, 0, 1, 1]), np.arange(4), np.array([1, 9, 2, 3]), n_users=3)
    assert [by_end(log).of([row]).items.tolist() for row in range(2)] == [[2, 3], [0, 1]]
    assert len(by_end(log)) == 2


def walks(count: int) -> Interactions:
    """Each begins anywhere, goes on one number up for three clicks, and returns to where it began."""
    begin = np.random.default_rng(4).integers(0, SIZE, count)
    items = (begin[:, None] + np.array([0, 1, 2, 0])) % SIZE
    return interactions(np.repeat(np.arange(count), 4), items.ravel(), np.repeat(np.arange(count), 4), n_items=SIZE)


def blend() -> Blend:
    return Blend([Transitions(), Revisit(), Popularity()], BlendSettings(depth=SIZE, seen=True), "session")


def test_it_learns_when_to_go_on_and_when_to_return() -> None:
    pytest.importorskip("lightgbm")
    taught, sessions = blend(), walks(1_000)
    found, aside = teach(taught, sessions, ITEMS, aside=0.25, seed=2)
    late = round(len(sessions) * HELD_OUT)
    assert found is not None
    assert found.shoppers == 3 * (late - late // 4)
    assert len(aside.targets) == 3 * (late // 4)
    first = taught.recommend(aside.histories, 1).items[:, 0]
    assert (first == aside.targets).mean() > 0.9
    assert taught.recommend(sequences([[4, 5, 6]], SIZE), 1).items.tolist() == [[4]]


def test_sources_know_nothing_of_the_sessions_that_teach() -> None:
    """Only the latest sessions have item 11."""
    early, late = [[0, 1, 2]] * 92, [[11, 1, 11]] * 8
    taught = blend()
    assert teach(taught, sequences(early + late, SIZE), ITEMS)[0] is None, "16 prefixes are too few"
    assert taught.model is None
    counts = taught.sources[0]
    assert isinstance(counts, Transitions)
    assert counts.popularity[11] == 0
    assert counts.popularity[0] == 92


def test_nobody_takes_a_candidate() -> None:
    """What comes late was never there before, so no source has it among its candidates."""
    early, late = [[0, 1]] * 1_150, [[2 + place for place in range(9)]] * 100
    lone = Blend([Transitions()], BlendSettings(depth=3), "session")
    assert teach(lone, sequences(early + late, SIZE), ITEMS)[0] is None
    assert lone.model is None
