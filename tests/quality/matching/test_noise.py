"""Copies as another seller might have written them."""

import numpy as np

from lingsou.quality.matching.noise import noisy
from lingsou.quality.matching.records import Records, words

TITLES = ["lumo steel kettle with lid for the kitchen and camp", "无线蓝牙耳机主动降噪长续航"]
RECORDS = Records(
    ids=["a", "b"],
    titles=TITLES,
    texts=[f"{title} lumo and a text of its own" for title in TITLES],
    brands=["lumo", ""],
    prices=np.array([100.0, np.nan]),
    gtins=[frozenset({"00012345678905"}), frozenset()],
    mpns=["k1", ""],
)


def test_copies_are_alike_but_not_the_same() -> None:
    made = noisy(RECORDS, np.zeros(200, np.int64), seed=1)
    assert len(set(made.titles)) > 150
    own = set(words(TITLES[0]))
    shares = [len(own & set(words(title))) / len(own) for title in made.titles]
    assert 0.6 < float(np.mean(shares)) < 0.95
    assert all(made.titles)
    assert set(made.brands) == {"lumo", ""}
    assert 40 < min(made.prices) < 95 < 105 < max(made.prices) < 250


def test_codes_are_gone_and_no_price_is_made_up() -> None:
    made = noisy(RECORDS, np.array([0, 1]), seed=0)
    assert made.gtins == [frozenset(), frozenset()]
    assert made.mpns == ["", ""]
    assert np.isnan(made.prices[1])


def test_chinese_loses_characters_not_everything() -> None:
    made = noisy(RECORDS, np.ones(100, np.int64), seed=2)
    assert len(set(made.titles)) > 50
    assert all(len(title) >= len(TITLES[1]) // 3 for title in made.titles)


def test_the_seed_decides() -> None:
    places = np.array([0, 1, 0])
    assert noisy(RECORDS, places, 3).titles == noisy(RECORDS, places, 3).titles
