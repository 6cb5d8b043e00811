"""Prices, stock and duplicate ids, worked by hand."""

import random
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.quality.check import Check, Finding
from lingsou.quality.checks.duplicate_id import DuplicateIdCheck
from lingsou.quality.checks.price import PriceCheck
from lingsou.quality.checks.stock import StockCheck
from lingsou.quality.prices import likely_factor, usual

TEA = ("食品", "茶")


def run(check: Check, products: list[Product]) -> list[Finding]:
    for row, product in enumerate(products, start=1):
        check.observe(row, product)
    return check.finish()


def priced(
    *prices: float | str | None, category: tuple[str, ...] = TEA, currency: str = "CNY", prefix: str = "p"
) -> list[Product]:
    return [
        Product(
            id=f"{prefix}{n}",
            title="t",
            price=None if p is None else Decimal(str(p)),
            category=category,
            currency=currency,
        )
        for n, p in enumerate(prices)
    ]


def ordinary(number: int, median: float = 100, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [round(median * rng.lognormvariate(0, 0.3), 2) for _ in range(number)]


def test_a_slipped_decimal_point_is_found_with_its_repair() -> None:
    # 100 teas of about 100 yuan; one of 10,300 and one of 0.98
    findings = run(PriceCheck(), priced(*ordinary(100), 10_300, 0.98))
    assert [(f.product_id, f.severity, f.field) for f in findings] == [
        ("p101", "warning", "price"),
        ("p100", "warning", "price"),
    ]
    assert "multiply by 100" in findings[0].repair
    assert "divide by 100" in findings[1].repair
    assert "10,300.00 CNY" in findings[1].evidence


def test_wide_categories_and_small_ones_are_left_alone() -> None:
    rng = random.Random(2)
    wide = [round(100 * rng.lognormvariate(0, 1.5), 2) for _ in range(500)]
    assert run(PriceCheck(), priced(*wide)) == []
    assert run(PriceCheck(), priced(10, 10, 10, 10, 9_000)) == []


def test_small_categories_are_compared_with_their_parent() -> None:
    products = [
        *priced(*ordinary(100), category=("食品", "茶"), prefix="a"),
        *priced(*ordinary(5), 10_000, category=("食品", "咖啡"), prefix="b"),
    ]
    assert [f.product_id for f in run(PriceCheck(), products)] == ["b5"]


def test_categories_do_not_disturb_each_other() -> None:
    products = [
        *priced(*ordinary(60, 30), category=("数码", "手机壳"), prefix="a"),
        *priced(*ordinary(60, 4_000), category=("数码", "手机"), prefix="b"),
    ]
    assert run(PriceCheck(), products) == []


def test_two_levels_of_prices_are_an_info_and_no_flood_of_warnings() -> None:
    # a tenth of the teas costs a hundred times the others: cents, or antiques
    [finding] = run(PriceCheck(), priced(*ordinary(90), *ordinary(10, 10_000)))
    assert (finding.severity, finding.row) == ("info", None)
    assert "10 of 100" in finding.evidence


def test_zero_and_token_prices_are_errors() -> None:
    findings = run(PriceCheck(), priced(*ordinary(40), 0, "0.01", "0.001"))
    assert [(f.product_id, f.severity) for f in findings] == [("p40", "error"), ("p41", "error"), ("p42", "error")]


def test_missing_prices_weigh_by_their_share() -> None:
    check = PriceCheck(examples=2)
    findings = run(check, priced(10, 11, 12, 13, None, None, None))
    assert [f.product_id for f in findings] == ["p4", "p5"]
    assert [(kind.severity, number) for kind, number in check.counts().items()] == [("warning", 3)]
    assert {f.severity for f in run(PriceCheck(), priced(10, None, None))} == {"info"}
    [nothing] = run(PriceCheck(), priced(None, None))
    assert (nothing.severity, nothing.row) == ("info", None)


def test_the_smaller_currency_is_reported() -> None:
    products = [*priced(10, 11, 12, currency="CNY"), *priced(5, currency="USD", prefix="u")]
    [finding] = run(PriceCheck(), products)
    assert (finding.product_id, finding.field, finding.severity) == ("u0", "currency", "warning")
    unnamed = [*priced(10, currency="CNY"), *priced(5, currency="", prefix="u")]
    assert [(f.product_id, f.severity) for f in run(PriceCheck(), unnamed)] == [("u0", "info")]


def test_counts_cover_outliers_that_are_not_shown() -> None:
    check = PriceCheck(examples=2)
    findings = run(check, priced(*ordinary(300), *([30_000] * 9)))
    assert len(findings) == 2
    assert sum(check.counts().values()) == 9


def test_usual_prices_by_hand() -> None:
    # logarithms to base 10 are 1, 2, 3: median 2, median deviation 1 decade = 2.303, spread 1.4826 times that
    found = usual(np.array([10.0, 100.0, 1000.0]))
    assert found.median == pytest.approx(100)
    assert found.spread == pytest.approx(1.4826 * np.log(10))
    # all alike: ten times the price is the bound
    alike = usual(np.full(50, 20.0))
    assert [alike.low, alike.high] == pytest.approx([2, 200])
    assert [likely_factor(price, alike) for price in (2_000, 190, 0.021, 21_000, 700)] == [100, 10, 1_000, 1_000, 0]


@given(st.lists(st.floats(1e-4, 1e12), min_size=1, max_size=40), st.floats(0.01, 100))
def test_bounds_enclose_the_median_and_scale_with_the_currency(prices: list[float], rate: float) -> None:
    here, there = usual(np.array(prices)), usual(np.array(prices) * rate)
    assert here.low * 9.99 <= here.median <= here.high / 9.99
    assert there.low == pytest.approx(here.low * rate)
    assert there.high == pytest.approx(here.high * rate)


def stocked(*stock: int | None) -> list[Product]:
    return [Product(id=f"p{n}", title="t", stock=value) for n, value in enumerate(stock)]


def test_stock_missing_on_a_few_is_a_warning_and_on_many_an_info() -> None:
    findings = run(StockCheck(), stocked(*range(1, 20), None))
    assert [(f.product_id, f.severity) for f in findings] == [("p19", "warning")]
    assert {f.severity for f in run(StockCheck(), stocked(1, 2, None, None))} == {"info"}
    assert run(StockCheck(), stocked(None, None)) == []


def test_huge_stock_is_a_warning_unless_the_shop_is_like_that() -> None:
    assert [f.severity for f in run(StockCheck(), stocked(*range(1, 60), 2**31 - 1))] == ["warning"]
    assert run(StockCheck(), stocked(*range(2_000_000, 2_000_060))) == []


def test_codes_for_unlimited_are_infos() -> None:
    assert [f.severity for f in run(StockCheck(), stocked(1, 2, 9_999, 999_999, 99))] == ["info", "info"]


def test_no_stock_anywhere_and_the_same_stock_everywhere() -> None:
    assert [(f.severity, f.row) for f in run(StockCheck(), stocked(*[0] * 100, 3))] == [("warning", None)]
    assert [(f.severity, f.row) for f in run(StockCheck(), stocked(*[100] * 100))] == [("info", None)]
    assert run(StockCheck(), stocked(*[100] * 99)) == []
    assert run(StockCheck(), stocked(*[100] * 99, 5, 100)) == []


def test_duplicate_ids() -> None:
    ids = ["A1", "b2", "A1", "a1", "B2", "B2", "ｂ3", "A1"]
    findings = run(DuplicateIdCheck(), [Product(id=name, title="t") for name in ids])
    assert [(f.row, f.product_id, f.severity) for f in findings] == [
        (3, "A1", "error"),
        (6, "B2", "error"),
        (8, "A1", "error"),
        (4, "a1", "info"),
        (5, "B2", "info"),
    ]
    assert findings[0].evidence == "'A1' is also the id of row 1"
    assert findings[3].evidence == "'a1', in row 1 'A1'"


def test_prices_are_shown_with_every_digit() -> None:
    odd = priced("1500000", currency="USD", prefix="u") + priced("1234567.89", currency="EUR", prefix="e")
    findings = run(PriceCheck(), [*priced(10, 11, 12), *odd, *priced("0.0050", "0.00", prefix="z")])
    assert {each.evidence for each in findings} == {"1,500,000 USD", "1,234,567.89 EUR", "0.0050 CNY", "0.00 CNY"}
