from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.text.numbers import MAX_CHARACTERS, ceiling_of, find_numbers, fold, read_number

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """A number below 100,000,000 as a Chinese numeral, written the long way."""
    if number >= 10_000:
        upper, rest = divmod(number, 10_000)
        zero = "零" if 0 < rest < 1_000 else ""
        return in_chinese(upper) + "万" + zero + (in_chinese(rest) if rest else "")
    text, gap = "", False
    for scale, name in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, scale)
        if digit:
            text += ("零" if gap and text else "") + DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return text


TEENS = ["twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", *TEENS]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_english(number: int) -> str:
    if number >= 1_000:
        upper, rest = divmod(number, 1_000)
        return f"{in_english(upper)} thousand" + (f" {in_english(rest)}" if rest else "")
    if number >= 100:
        upper, rest = divmod(number, 100)
        return f"{ONES[upper]} hundred" + (f" and {in_english(rest)}" if rest else "")
    if number >= 20:
        upper, rest = divmod(number, 10)
        return TENS[upper] + (f"-{ONES[rest]}" if rest else "")
    return ONES[number]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,299.50", "1299.50"),
        ("1.5k", "1500"),
        ("2w", "20000"),
        ("2万", "20000"),
        ("3千", "3000"),
        ("1万2", "12000"),
        ("2万5千", "25000"),
        ("两百", "200"),
        ("一千二", "1200"),
        ("三百五", "350"),
        ("一万二", "12000"),
        ("一百零五", "105"),
        ("一千零五十", "1050"),
        ("十", "10"),
        ("百", "100"),
        ("半", "0.5"),
        ("二零二三", "2023"),
        ("兩百", "200"),
        ("５００", "500"),
        ("fifty", "50"),
        ("two hundred", "200"),
        ("a hundred", "100"),
        ("two thousand five hundred", "2500"),
        ("fifteen hundred", "1500"),
        ("Twenty-Five", "25"),
    ],
)
def test_a_number_alone_is_read(text: str, value: str) -> None:
    (number,) = find_numbers(text)
    assert number.value == Decimal(value)
    assert (number.start, number.end, number.surface) == (0, len(text), text)
    assert number.ceiling is None


@pytest.mark.parametrize("text", ["b450", "iphone15", "两三百", "twenty thirty", "三五", "", "cr2032"])
def test_what_is_no_number_is_left_alone(text: str) -> None:
    assert find_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("3千多", 3000, 4000), ("一百多", 100, 200), ("1500多", 1500, 1600), ("十几", 10, 20), ("二十几", 20, 30)],
)
def test_an_open_ending_has_a_ceiling(text: str, low: int, high: int) -> None:
    (number,) = find_numbers(text)
    assert (number.value, number.ceiling) == (Decimal(low), Decimal(high))


def test_the_many_of_a_product_word_is_no_open_ending() -> None:
    (number,) = find_numbers("100多功能")
    assert number.ceiling is None


def test_the_ceiling_of_nothing_is_one() -> None:
    assert ceiling_of(Decimal(0)) == 1


@QUICK
@given(st.integers(1, 99_999_999))
def test_chinese_numerals_round_trip(number: int) -> None:
    assert read_number(in_chinese(number)) == number


@QUICK
@given(st.integers(0, 999_999))
def test_english_words_round_trip(number: int) -> None:
    assert read_number(in_english(number)) == number


@QUICK
@given(st.decimals(0, 10**9, places=2))
def test_grouped_digits_round_trip(number: Decimal) -> None:
    assert read_number(f"{number:,.2f}") == number


@QUICK
@given(st.text(max_size=40))
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


@QUICK
@given(st.text(alphabet="0123456789.,kw百千万两三十半多几a two hundred and-", max_size=60))
def test_spans_are_valid_and_apart(text: str) -> None:
    last = 0
    for number in find_numbers(text):
        assert last <= number.start < number.end <= len(text)
        assert number.surface == text[number.start : number.end]
        assert number.ceiling is None or number.ceiling > number.value
        last = number.end


def test_no_more_than_the_cap_is_read() -> None:
    assert find_numbers("x" * MAX_CHARACTERS + " 50") == []
