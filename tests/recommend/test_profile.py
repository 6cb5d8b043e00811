"""What a history says of tastes, worked out by hand."""

from decimal import Decimal

import numpy as np
import pytest

from lingsou.core.types import Product
from lingsou.features.events_view import Facts, Trail
from lingsou.features.trails import facts_of
from lingsou.recommend.profile import MOST, profile_of

DAY = 86_400.0


def shoe(id_: str, price: str | None, *, currency: str = "CNY", sizes: tuple[str, ...] = ()) -> Product:
    return Product(
        id=id_,
        title=id_,
        brand="Wren",
        category=("Shoes", "Boots"),
        price=None if price is None else Decimal(price),
        currency=currency,
        attributes={"size": {"value": sizes}} if sizes else {},
    )


def trail(*actions: tuple[Facts, str, float]) -> Trail:
    facts, kinds, ages = zip(*actions, strict=True)
    return Trail(facts, kinds, np.array(ages))


def test_worth_and_age_weigh_what_was_done() -> None:
    """A purchase two weeks ago counts 5 / 2, a click just now 1: 5 / 7 and 2 / 7."""
    boots = shoe("boots", "80", sizes=("40", "41"))
    tea = Product(id="tea", title="tea", brand="Leaf", category=("Tea",))
    told = profile_of(
        trail((facts_of(boots), "purchase", 14 * DAY), (facts_of(tea), "click", 1e-9)), {"boots": boots, "tea": tea}
    )
    assert [each.name for each in told.categories] == ["Shoes > Boots", "Tea"]
    assert [each.weight for each in told.categories] == pytest.approx([5 / 7, 2 / 7])
    assert [each.name for each in told.brands] == ["Wren", "Leaf"]
    assert {each.name: each.weight for each in told.sizes} == pytest.approx({"40": 5 / 14, "41": 5 / 14})
    assert told.events == 2
    assert told.recent == ("tea", "boots")


def test_the_price_band_is_of_the_currency_that_weighs_most() -> None:
    products = {f"p{n}": shoe(f"p{n}", str(10 * n)) for n in range(1, 11)} | {
        "d": shoe("d", "5", currency="USD"),
        "free": shoe("free", None),
    }
    told = profile_of(trail(*((facts_of(each), "click", 1.0) for each in products.values())), products)
    assert told.price_band is not None
    assert told.price_band.model_dump() == {"low": 10, "median": 50, "high": 90, "currency": "CNY"}


def test_products_that_are_gone_tell_of_tastes_alone() -> None:
    gone = Facts("gone", brand="Wren", category="Shoes", price=9.0)
    told = profile_of(trail((gone, "cart", 1.0)), {})
    assert told.recent == ()
    assert told.price_band is None
    assert told.brands[0].weight == pytest.approx(1.0)


def test_only_so_many_are_told() -> None:
    many = [Facts(f"p{n}", brand=f"brand {n:02}") for n in range(MOST + 5)]
    told = profile_of(trail(*((each, "click", 1.0) for each in many)), {})
    assert [each.name for each in told.brands] == [f"brand {n:02}" for n in range(MOST)]
