"""Transitions within a session alone."""

import numpy as np
import pytest

from lingsou.recommend.interactions import Interactions, interactions, items_of, sequences
from lingsou.recommend.sources.presets import in_session
from lingsou.recommend.sources.transitions import Transitions, TransitionSettings

ITEMS = items_of([[]] * 4)
HOUR = 3_600_000


def past(count: int) -> Interactions:
    """One shopper: 0 and 1, after two hours 2 and 3."""
    times = np.array([0, 60_000, 2 * HOUR, 2 * HOUR + 60_000])
    return interactions(np.zeros(count, np.int64), np.arange(count), times[:count], n_items=4)


def test_a_pause_parts_pairs() -> None:
    source, whole = in_session(), Transitions(TransitionSettings(window=10))
    for each in (source, whole):
        each.fit(past(4), ITEMS)
    assert np.flatnonzero(source.score(sequences([[1]], 4))[0]).tolist() == [0]
    assert np.flatnonzero(whole.score(sequences([[1]], 4))[0]).tolist() == [0, 2, 3]


@pytest.mark.parametrize("make", [in_session, Transitions], ids=["within", "across"])
def test_updates_count_as_a_fit_does(make: type[Transitions]) -> None:
    grown, anew = make(), make()
    grown.fit(past(1), ITEMS)
    for count in (2, 3, 4):
        grown.update(past(count), np.array([1]), ITEMS)
    anew.fit(past(4), ITEMS)
    asked = sequences([[0], [1, 2], [3]], 4)
    assert np.allclose(grown.score(asked), anew.score(asked))
