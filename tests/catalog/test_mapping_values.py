"""Prices, counts, dates and yes-or-no as shops write them."""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.catalog.values import DecimalMark, UnfitError, amount, moment, plain, truth, whole


@pytest.mark.parametrize(
    ("written", "number", "currency"),
    [
        ("12.50", "12.50", ""),
        (1299, "1299", ""),
        (19.99, "19.99", ""),
        (19.989999771118164, "19.99", ""),  # 19.99 in 32 bits
        ("¥1,299.00", "1299.00", ""),  # yuan or yen: the shop's default decides
        ("￥ 88", "88", ""),
        ("15.00 USD", "15.00", "USD"),
        ("USD15", "15", "USD"),
        ("1.299,00 €", "1299.00", "EUR"),
        ("1.299 €", "1299", "EUR"),  # cents have two digits
        ("12,99", "12.99", ""),
        ("1,299", "1299", ""),
        ("1 299,50 €", "1299.50", "EUR"),
        ("CHF 1'299.50", "1299.50", "CHF"),
        ("₹1,23,456", "123456", "INR"),
        ("1.299.000", "1299000", ""),
        ("99元", "99", "CNY"),
        ("99日元", "99", "JPY"),
        ("RMB 5", "5", "CNY"),
        ("1.2万", "12000", ""),
        ("-5", "-5", ""),
        ("-¥5.00", "-5.00", ""),
        ("£.50", "0.50", "GBP"),
    ],
)
def test_amounts(written: Any, number: str, currency: str) -> None:
    assert amount(written) == (Decimal(number), currency)


@pytest.mark.parametrize(("mark", "expected"), [("auto", "1.299"), (".", "1.299"), (",", "1299")])
def test_the_decimal_mark_can_be_said(mark: DecimalMark, expected: str) -> None:
    assert amount("1.299", mark)[0] == Decimal(expected)


@pytest.mark.parametrize("written", ["", "free", "10-20", "10 ~ 20 USD", None, True, [1]])
def test_what_is_no_amount(written: Any) -> None:
    with pytest.raises(UnfitError):
        amount(written)


@pytest.mark.parametrize(
    ("written", "expected"), [("12", 12), ("12.0", 12), ("1,234", 1234), ("3.5万+", 35_000), (7.0, 7)]
)
def test_whole_numbers(written: Any, expected: int) -> None:
    assert whole(written) == expected


@pytest.mark.parametrize("written", ["1.5", "many", "1e30", float("inf"), float("nan")])
def test_what_is_no_whole_number(written: Any) -> None:
    with pytest.raises(UnfitError):
        whole(written)


DAY = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-01T00:00:00Z",
        "20240301",
        "2024/3/1",
        "2024年3月1日",
        "1709251200",
        1709251200,
        1709251200000,
        date(2024, 3, 1),
    ],
)
def test_dates(written: Any) -> None:
    found = moment(written)
    assert found.replace(tzinfo=found.tzinfo or UTC) == DAY


def test_dates_of_another_form_need_it_said() -> None:
    with pytest.raises(UnfitError, match="not a date"):
        moment("01/03/2024")
    assert moment("01/03/2024", "%d/%m/%Y") == DAY.replace(tzinfo=None)


def test_yes_and_no() -> None:
    assert [truth(word) for word in ("Yes", "1", 1, "是", True)] == [True] * 5
    assert [truth(word) for word in ("no", "0", 0, "否", False)] == [False] * 5
    with pytest.raises(UnfitError):
        truth("perhaps")


def test_codes_that_a_data_frame_turned_into_floats_are_codes_again() -> None:
    assert plain(12345.0) == "12345"


@given(st.decimals(0, 10**9, places=2))
def test_both_groupings_are_read_the_same(price: Decimal) -> None:
    english = f"{price:,.2f}"
    german = english.translate({ord(","): ".", ord("."): ","})
    assert amount(f"${english}")[0] == price
    assert amount(f"{german} €") == (price, "EUR")


@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()))
def test_any_value_is_read_or_refused_in_plain_words(value: Any) -> None:
    for read in (amount, whole, moment, truth):
        with suppress(UnfitError):
            read(value)
