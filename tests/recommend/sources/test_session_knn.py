"""Nearest sessions as a source."""

import numpy as np
import pytest

from lingsou.recommend.interactions import interactions, items_of, sequences
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.session_knn import STAN, VSKNN, SessionKnn
from lingsou.testing.recommender import CHECKS, Check

PAST = [[0, 1, 2], [1, 3], [4, 5]]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Check) -> None:
    check(SessionKnn)


def test_running_sessions_are_told_what_like_ones_went_on_to() -> None:
    source = SessionKnn(VSKNN)
    source.fit(sequences(PAST, 7), items_of([[]] * 7))
    found = recommend(source, sequences([[4], [0, 1], [6]], 7), 2, seen=False)
    # [0, 1]: the session [0, 1, 2] shares both; item 6 was never seen.
    assert found.items.tolist() == [[5, -1], [2, 3], [-1, -1]]


def test_what_happens_counts_at_once_and_each_step_once() -> None:
    source = SessionKnn(VSKNN)
    source.fit(sequences(PAST, 7), items_of([[]] * 7))
    # A session is told of three times as it grows: 4 → 6, then 6 → 0.
    for clicks in ([4], [4, 6], [4, 6, 0]):
        source.update(sequences([clicks], 7), np.array([1]), items_of([[]] * 7))
    asked = sequences([[6]], 7)
    scores = source.score(asked)[0]
    assert scores[4] == scores[0] == pytest.approx(1.0)
    assert scores[6] == pytest.approx(2.0)


def test_sessions_are_ordered_by_when_they_ended() -> None:
    # The second user acted first, so of two like neighbours the first user's is the later one.
    past = interactions(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), np.array([50, 60, 10, 20]))
    one = SessionKnn(VSKNN.__class__(**{**VSKNN.__dict__, "neighbours": 1}))
    one.fit(past, items_of([[]] * 3))
    assert recommend(one, sequences([[0]], 3), 1).items.tolist() == [[1]]


def test_the_reason_is_the_item_that_speaks_most() -> None:
    source = SessionKnn(STAN)
    source.fit(sequences(PAST, 7), items_of([[]] * 7))
    assert source.because(sequences([[4, 0]], 7), np.array([[5, 2, 6]])).tolist() == [[4, 0, -1]]


def test_what_is_kept_on_the_disk_says_the_same() -> None:
    source, restored = SessionKnn(), SessionKnn()
    source.fit(sequences(PAST, 7), items_of([[]] * 7))
    source.update(sequences([[5, 6]], 7), np.array([2]), items_of([[]] * 7))
    restored.restore(source.state())
    asked = sequences([[5], [0, 1]], 7)
    assert np.allclose(source.score(asked), restored.score(asked))


def test_complete_later_sessions_leave_it_as_a_fit_on_all_does() -> None:
    """With every decay of the default, ages among them, which are shares of all sessions known."""
    random = np.random.default_rng(1)
    rows = [random.integers(0, 9, 4).tolist() for _ in range(60)]
    begun = np.repeat(np.arange(60) * 3_600_000, 4)
    log = interactions(np.repeat(np.arange(60), 4), np.concatenate(rows), begun + np.tile(np.arange(4), 60), n_items=9)
    grown, whole = SessionKnn(), SessionKnn()
    grown.fit(log.block(0, 20), items_of([[]] * 9))
    for first in range(20, 60, 8):
        part = log.block(first, first + 8)
        grown.update(part, part.lengths, items_of([[]] * 9))
    whole.fit(log, items_of([[]] * 9))
    asked = sequences([[1, 2], [5], [8, 0, 3]], 9)
    assert np.allclose(grown.score(asked), whole.score(asked), rtol=1e-6)
