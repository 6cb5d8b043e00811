import numpy as np
import pytest

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.sources.content import Content, ContentSettings

# Attributes: 0 is on all shirts, 1 and 2 are colours, 3 stands alone.
SHOP = [[0, 1], [0, 1], [0, 2], [3], []]
PLAIN = ContentSettings(popularity_power=0, decay=1.0)


def fitted(own: ContentSettings = PLAIN, vectors: np.ndarray | None = None) -> Content:
    source = Content(own)
    source.fit(sequences([[0], [1], [1]], 5), items_of(SHOP, vectors))
    return source


def test_the_same_attributes_are_alike_wholly_and_common_ones_a_little() -> None:
    scores = fitted().score(sequences([[0]], 5))[0]
    assert scores[[0, 1]] == pytest.approx([1, 1])
    common, rare = np.log(6 / 3), np.log(6 / 2)
    other = np.log(6 / 1)
    assert scores[2] == pytest.approx(common**2 / (np.hypot(common, rare) * np.hypot(common, other)), rel=1e-5)
    assert scores[3:].tolist() == [0, 0]


def test_later_items_count_more_and_popular_ones_come_first() -> None:
    source = fitted(ContentSettings(popularity_power=1.0, decay=0.25))
    scores = source.score(sequences([[3, 0]], 5))[0]
    assert scores[3] == pytest.approx(0.25, rel=1e-5)
    assert scores[1] == pytest.approx(3, rel=1e-5), "it was wanted twice"


def test_vectors_speak_where_attributes_are_silent() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, 1], [0.6, 0.8], [0, 0]], np.float32)
    source = fitted(ContentSettings(popularity_power=0, vectors=0.5), vectors)
    scores = source.score(sequences([[0]], 5))[0]
    assert scores[3] == pytest.approx(0.3)
    assert scores[4] == 0
    assert source.because(sequences([[0, 4]], 5), np.array([[3, 4]])).tolist() == [[0, -1]]


def test_new_items_and_new_popularity_come_with_an_update() -> None:
    source = fitted(ContentSettings(popularity_power=1.0))
    source.update(sequences([[0, 1]], 6), np.array([1]), items_of([*SHOP, [3]]))
    assert source.score(sequences([[3]], 6))[0, 5] > 0
    assert source.score(sequences([[0]], 6))[0, 1] == pytest.approx(4, rel=1e-5)


def test_a_new_item_is_near_by_its_text_at_once_both_ways() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, 1], [0, 0], [0, 0]], np.float32)
    source = fitted(ContentSettings(popularity_power=0, vectors=0.5), vectors)
    grown = items_of([*SHOP, []], np.concatenate([vectors, [[0.8, 0.6]]]).astype(np.float32))
    source.update(sequences([[0]], 6), np.array([0]), grown)
    assert source.score(sequences([[0]], 6))[0, 5] == pytest.approx(0.4)
    assert source.score(sequences([[5]], 6))[0, [0, 1]] == pytest.approx([0.4, 0.3])
    assert source.score(sequences([[1]], 6))[0, 2] > 0.5, "what was near stays so"
