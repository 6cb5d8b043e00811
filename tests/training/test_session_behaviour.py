"""What sessions come to, learnt from a log with a known rule."""

import numpy as np
import pytest

from lingsou.recommend.interactions import KINDS, Interactions, interactions, sequences
from lingsou.recommend.sessions import PAUSE_MS
from lingsou.training.session_behaviour import LEAST, train_behaviour

CLICK, CART, PURCHASE = (KINDS.index(kind) for kind in ("click", "cart", "purchase"))


def log(count: int, seed: int = 1) -> Interactions:
    """Sessions a day apart: one or two clicks, then half of them fill a cart, and 7 of 10 of these buy."""
    random = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    for session in range(count):
        kinds = [CLICK] * int(random.integers(1, 3))
        if random.random() < 0.5:
            kinds += [CART] + [PURCHASE] * int(random.random() < 0.7)
        rows += [
            (session % 40, int(random.integers(0, 9)), session * 40 * PAUSE_MS + 20_000 * place, kind)
            for place, kind in enumerate(kinds)
        ]
    users, items, times, kinds_ = (np.array(column) for column in zip(*rows, strict=True))
    return interactions(users, items, times, kinds_.astype(np.int8), n_items=9)


def test_later_sessions_are_told_better_than_by_the_rate_and_honestly() -> None:
    behaviour, report = train_behaviour(log(2_000))
    assert report["sessions"] == 1_999, "the last one may go on"
    for name in ("will_buy", "will_leave"):
        assert report[name]["log_loss"] < report[name]["base_log_loss"] - 0.02
        assert report[name]["calibration_error"] < 0.06
        assert report[name]["auc"] > 0.6
    after_cart = interactions(np.zeros(2, np.int64), np.array([1, 2]), np.array([0, 20_000]), np.array([CLICK, CART]))
    assert behaviour.chances(after_cart).buys[0] == pytest.approx(0.7, abs=0.06)


def test_a_shop_where_nobody_buys_is_told_of_leaving_alone() -> None:
    whole = log(600)
    behaviour, report = train_behaviour(whole.where(whole.kinds != PURCHASE))
    assert "will_buy" not in report
    assert "will_leave" in report
    assert np.isnan(behaviour.chances(sequences([[1]], 9)).buys[0])


def test_few_sessions_teach_nothing() -> None:
    behaviour, report = train_behaviour(log(LEAST))
    assert not behaviour.known
    assert report == {"sessions": LEAST - 1}
