"""The audit `unlikely-price`: slipped decimal points."""

import sys
from decimal import Decimal

import pytest

from lingsou.core.errors import MissingExtraError
from lingsou.core.types import Product
from lingsou.quality.audit import Flags
from lingsou.quality.audits.price import UnlikelyPrice
from lingsou.quality.columns import columns_of
from tests.quality.audits.shop import shop

HIGH, LOW = [4, 77, 200, 281], [9, 150, 240]


def judged(products: list[Product]) -> list[Flags]:
    return UnlikelyPrice().judge(columns_of(enumerate(products, start=1)))


def slipped(products: list[Product]) -> list[Product]:
    new = list(products)
    for place in HIGH + LOW:
        price = new[place].price
        assert price is not None
        factor = Decimal(10) if place in HIGH else Decimal("0.1")
        new[place] = new[place].model_copy(update={"price": price * factor})
    return new


def test_slipped_points_are_found_on_both_sides_and_put_right() -> None:
    products = shop()
    flags = judged(slipped(products))
    found = {("high" if "high" in each.problem.text else "low"): each for each in flags}
    assert set(HIGH) <= set(found["high"].places.tolist())
    assert set(LOW) <= set(found["low"].places.tolist())
    assert sum(map(len, flags)) <= len(HIGH + LOW) + 5
    for each in flags:
        for place, edit in zip(each.places.tolist(), each.edits, strict=True):
            if place in HIGH and edit is not None:
                assert edit.field == "price"
                assert Decimal(str(edit.value)) == products[place].price


def test_dear_and_cheap_goods_of_their_kind_pass() -> None:
    assert sum(len(each) for each in judged(shop())) <= 2


def test_too_few_prices_and_other_currencies_are_not_judged() -> None:
    products = slipped(shop())
    assert judged(products[:150]) == []
    foreign = [
        each.model_copy(update={"currency": "USD"}) if place in HIGH + LOW else each
        for place, each in enumerate(products)
    ]
    assert not {place for flags in judged(foreign) for place in flags.places.tolist()} & set(HIGH + LOW)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtraError, match="quality"):
        judged(shop(240))
