"""What a shopper looked at before, as a source."""

import numpy as np
import pytest

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.revisit import Revisit, RevisitSettings
from lingsou.testing.recommender import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Check) -> None:
    check(Revisit)


def test_the_latest_and_the_repeated_come_first() -> None:
    source = Revisit(RevisitSettings(decay=0.5))
    source.fit(sequences([[]], 4), items_of([[]] * 4))
    histories = sequences([[1, 2, 1, 0]], 4)
    # 0 is the last; 1 was looked at one and three steps before, 2 two steps before.
    assert source.score(histories)[0].tolist() == pytest.approx([1, 0.625, 0.25, 0])
    assert recommend(source, histories, 4, seen=True).items.tolist() == [[0, 1, 2, -1]]
    assert source.because(histories, np.array([[1, 3]])).tolist() == [[1, -1]]
