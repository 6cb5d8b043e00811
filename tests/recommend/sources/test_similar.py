import numpy as np
import pytest

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.sources.similar import Similar, SimilarSettings

# 0, 1, 2 share an attribute; 3 shares shoppers with 0; 4 is new and has the attribute.
SHOP = items_of([[0, 1], [0, 2], [0, 3], [4], [0, 1]])


def fitted(pairs: int) -> Similar:
    source = Similar(SimilarSettings(evidence=10))
    source.fit(sequences([[0, 3]] * pairs + [[1], [2]], 5), SHOP)
    return source


def test_what_is_new_is_known_by_its_content_and_what_is_known_by_its_shoppers() -> None:
    few, many = (fitted(pairs).score(sequences([[2, 0]], 5))[0] for pairs in (1, 40))
    assert few[4] == pytest.approx(many[4]) == pytest.approx(1), "the same attributes, and no event"
    assert few[3] < few[4]
    assert many[3] == pytest.approx(40 / 50 * 40 / 41, rel=1e-3)
    assert few[3] == pytest.approx(1 / 11 * 1 / 2, rel=1e-3)


def test_the_reason_is_the_product_itself() -> None:
    assert fitted(5).because(sequences([[2, 0]], 5), np.array([[3, 4, -1]])).tolist() == [[0, 0, -1]]
