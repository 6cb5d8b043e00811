import numpy as np

from lingsou.recommend.interactions import items_of, sequences
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.als import Als, AlsSettings


def test_two_tastes_are_told_apart() -> None:
    """Shoppers of 0–3 and of 4–7, each missing one item of their own: that is what they get."""
    left, right = [0, 1, 2, 3], [4, 5, 6, 7]
    rows = [[item for item in taste if item != gap] for taste in (left, right) for gap in taste for _ in range(5)]
    source = Als(AlsSettings(factors=4, iterations=8))
    source.fit(sequences(rows, 8), items_of([[]] * 8))
    asked = sequences([[0, 1, 2], [7, 5, 4]], 8)
    assert recommend(source, asked, 1).items.ravel().tolist() == [3, 6]
    reason = source.because(asked, np.array([[3, 6], [6, 3]]))
    assert reason[0, 0] in left
    assert reason[1, 0] in right
