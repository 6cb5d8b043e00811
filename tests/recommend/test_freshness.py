"""New products take the last places, and no more than their share."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.recommend.freshness import NEW_DAYS, freshen

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def products(new: list[bool]) -> list[Product]:
    days = [1.0 if each else 2 * NEW_DAYS for each in new]
    return [Product(id=f"p{n}", title="x", created_at=NOW - timedelta(days=each)) for n, each in enumerate(days)]


def test_the_best_new_ones_take_the_last_places() -> None:
    shop = products([False, True, False, False, False, True, True])
    found = freshen(np.arange(7), shop, NOW, 4, 0.5)
    assert found.tolist() == [0, 1, 2, 5, 3, 4, 6], "one was there already, one of two behind comes"
    assert freshen(np.arange(7), shop, NOW, 4, 0.25).tolist() == list(range(7)), "the share is taken"
    assert freshen(np.arange(7), shop, NOW, 4, 0.0).tolist() == list(range(7))


def test_a_product_without_a_date_is_not_new() -> None:
    shop = [Product(id="a", title="a"), *products([True])]
    assert freshen(np.arange(2), shop, NOW, 1, 1.0).tolist() == [1, 0]
    assert freshen(np.arange(2)[::-1], shop, NOW, 1, 1.0).tolist() == [1, 0]


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 12), st.floats(0, 1))
def test_nothing_is_lost_and_the_share_is_kept(new: list[bool], n: int, share: float) -> None:
    shop = products(new)
    found = freshen(np.arange(len(new)), shop, NOW, n, share)
    assert sorted(found.tolist()) == list(range(len(new)))
    flags = np.asarray(new, np.bool_)
    before, after = int(flags[:n].sum()), int(flags[found[:n]].sum())
    assert before <= after <= max(before, int(share * n))
    for group in (flags, ~flags):
        kept = [place for place in found.tolist() if group[place]]
        assert kept == sorted(kept), "among themselves they stay in order"
