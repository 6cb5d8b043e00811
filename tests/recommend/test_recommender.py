"""What may be recommended, and the scores against a plain-Python model of the same formula."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.recommend import recommender
from lingsou.recommend.interactions import Interactions, items_of, sequences
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.transitions import Transitions, TransitionSettings

N = 7
histories = st.lists(st.lists(st.integers(0, N - 1), max_size=8), min_size=1, max_size=6)
SETTINGS = TransitionSettings(window=4, backward=0.25, source_power=0.5, target_power=0.25, decay=0.5, depth=3)
ITEMS = items_of([[] for _ in range(N)])


def plain(rows: Sequence[Sequence[int]], own: TransitionSettings = SETTINGS) -> np.ndarray:
    """The score of every item for every history, as the formula reads."""
    counts = np.zeros((N, N))
    popularity = np.zeros(N)
    for row in rows:
        for later, item in enumerate(row):
            popularity[item] += 1
            for earlier in range(max(0, later - own.window), later):
                if row[earlier] != item:
                    weight = 1 / (later - earlier) ** own.distance
                    counts[row[earlier], item] += weight
                    counts[item, row[earlier]] += own.backward * weight
    scores = np.zeros((len(rows), N))
    for user, row in enumerate(rows):
        for age, item in enumerate(row[::-1][: own.depth]):
            scores[user] += own.decay**age * counts[item] / (popularity[item] + 1) ** own.source_power
    return scores / (popularity + 1) ** own.target_power


def fitted(rows: Interactions) -> Transitions:
    source = Transitions(SETTINGS)
    source.fit(rows, ITEMS)
    return source


@given(histories)
def test_scores_agree_with_the_plain_model(rows: list[list[int]]) -> None:
    own = sequences(rows, N)
    assert np.allclose(fitted(own).score(own), plain(rows), rtol=1e-5)


@given(histories, st.sets(st.integers(0, N - 1)), st.integers(1, 9), st.booleans())
def test_neither_seen_nor_unavailable(rows: list[list[int]], gone: set[int], n: int, seen: bool) -> None:
    own = sequences(rows, N)
    available = ~np.isin(np.arange(N), list(gone))
    found = recommend(fitted(own), own, n, available=available, seen=seen)
    scores = plain(rows)
    for user, row in enumerate(rows):
        allowed = {item for item in range(N) if scores[user, item] > 0} - gone - (set() if seen else set(row))
        given_items = [item for item in found.items[user].tolist() if item >= 0]
        assert set(given_items) <= allowed
        assert len(given_items) == min(n, len(allowed)) == len(set(given_items))
        assert scores[user, given_items] == pytest.approx(sorted(scores[user, list(allowed)], reverse=True)[:n])


@settings(max_examples=60)
@given(histories, st.data())
def test_updating_is_the_same_as_fitting_anew(rows: list[list[int]], data: st.DataObject) -> None:
    """Cut the histories anywhere, twice, and bring the rest as updates."""
    whole = sequences(rows, N)
    first = np.array([data.draw(st.integers(0, len(row))) for row in rows])
    second = np.array([data.draw(st.integers(0, left)) for left in first.tolist()])
    ages = whole.ages
    source = Transitions(SETTINGS)
    source.fit(whole.where(ages >= np.repeat(first, whole.lengths)), ITEMS)
    source.update(whole.where(ages >= np.repeat(second, whole.lengths)), first - second, ITEMS)
    source.update(whole, second, ITEMS)
    assert np.allclose(source.score(whole), fitted(whole).score(whole), rtol=1e-5)


def test_an_update_brings_new_items() -> None:
    source = Transitions(SETTINGS)
    source.fit(sequences([[0, 1]], 2), items_of([[], []]))
    source.update(sequences([[0, 1, 2]], 3), np.array([1]), items_of([[], [], []]))
    anew = Transitions(SETTINGS)
    anew.fit(sequences([[0, 1, 2]], 3), items_of([[], [], []]))
    asked = sequences([[0], [1], [2]], 3)
    assert source.score(asked) == pytest.approx(anew.score(asked))


def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    own = sequences([[0, 1, 2], [2, 3], [4], [], [1, 4, 5, 6]], N)
    source = fitted(own)
    whole = recommend(source, own, 3)
    monkeypatch.setattr(recommender, "CELLS", 1)
    parts = recommend(source, own, 3)
    assert np.array_equal(whole.items, parts.items)
    assert np.array_equal(whole.scores, parts.scores)


def test_the_reason_is_what_spoke_most() -> None:
    """2 followed 1 twice and 0 once; nothing ever led to 5."""
    own = sequences([[0, 2], [1, 2], [1, 2]], N)
    source = fitted(own)
    asked = sequences([[0, 1]], N)
    assert source.because(asked, np.array([[2, 5, 2, -1]])).tolist() == [[1, -1, 1, -1]]
