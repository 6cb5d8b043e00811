import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.text.prices import PriceConstraint, find_prices

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
CASES = Path(__file__).parent / "cases"
WORDS = [
    *"0123456789.,-~ 一两三十百千万半多几来到元块内$€¥+",
    *(
        "以下",
        "以上",
        "左右",
        "不超过",
        "预算",
        "under ",
        "over ",
        "between ",
        " and ",
        "usd",
        "2w",
        "kg",
        "包邮",
        "max ",
    ),
]


def plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(text: str) -> str:
    return "; ".join(map(written, find_prices(text))) or "-"


def written(price: PriceConstraint) -> str:
    if price.kind in ("around", "exact"):
        assert price.target is not None
        bounds = ("~" if price.kind == "around" else "=") + plain(price.target)
    else:
        limits = ((">=", price.gte), (">", price.gt), ("<=", price.lte), ("<", price.lt))
        bounds = " ".join(sign + plain(value) for sign, value in limits if value is not None)
    return f"{price.kind} {bounds} {price.currency}".strip()


@pytest.mark.parametrize("name", ["prices", "prices_heldout"])
def test_written_cases(name: str) -> None:
    lines = (CASES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    failures = [f"{text}: expected {wanted}, found {compact(text)}" for text, wanted in rows if compact(text) != wanted]
    sys.stderr.write("\n".join(failures))
    assert len(failures) <= 0.01 * len(rows), failures


def test_the_span_covers_the_words_that_make_the_limit() -> None:
    (price,) = find_prices("hp laptop 17 inch under 600")
    assert (price.start, price.end, price.surface) == (18, 27, "under 600")


def test_around_accepts_a_fifth_more_or_less() -> None:
    (price,) = find_prices("礼物 两百块左右")
    assert (price.gte, price.lte, price.target) == (Decimal(160), Decimal(240), Decimal(200))
    assert price.approximate


def test_an_open_ending_is_approximate() -> None:
    (price,) = find_prices("笔记本 3千多")
    assert (price.gte, price.lt) == (Decimal(3000), Decimal(4000))
    assert price.approximate


def test_confidence_falls_with_the_evidence() -> None:
    texts = ["耳机 50-100元", "耳机 500以下", "耳机 50到100", "耳机 50-100"]
    confidences = [find_prices(text)[0].confidence for text in texts]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] == 1
    assert confidences[-1] <= 0.5


LOW, MORE = st.integers(10, 4_000), st.integers(1, 4_000)


@QUICK
@given(
    st.sampled_from(
        [
            ("{a}元到{b}元", "CNY"),
            ("{b}-{a}元", "CNY"),
            ("{a}~{b}块钱", "CNY"),
            ("¥{a}-¥{b}", "CNY"),
            ("价格在{a}到{b}之间", ""),
            ("between {a} and {b} dollars", "USD"),
            ("from {a} to {b}", ""),
            ("${a}-${b}", "USD"),
            ("£{a} to £{b}", "GBP"),
            ("{a} to {b} euros", "EUR"),
        ]
    ),
    LOW,
    MORE,
)
def test_ranges_round_trip(template: tuple[str, str], low: int, more: int) -> None:
    form, currency = template
    (price,) = find_prices("连衣裙 " + form.format(a=low, b=low + more) + " 女")
    assert (price.kind, price.gte, price.lte, price.currency) == ("range", Decimal(low), Decimal(low + more), currency)


@QUICK
@given(
    st.sampled_from(
        [
            ("{a}元以下", "max", "lte"),
            ("{a}以内", "max", "lte"),
            ("不超过{a}块", "max", "lte"),
            ("低于{a}", "max", "lt"),
            ("{a}块钱以上", "min", "gte"),
            ("至少{a}元", "min", "gte"),
            ("大于{a}", "min", "gt"),
            ("under ${a}", "max", "lt"),
            ("less than {a} dollars", "max", "lt"),
            ("up to £{a}", "max", "lte"),
            ("{a} euros or less", "max", "lte"),
            ("over {a}", "min", "gt"),
            ("at least {a} usd", "min", "gte"),
            ("${a} and up", "min", "gte"),
        ]
    ),
    st.decimals(10, 99_999, places=2),
)
def test_limits_round_trip(template: tuple[str, str, str], amount: Decimal) -> None:
    form, kind, bound = template
    (price,) = find_prices("gift 礼物 " + form.format(a=amount))
    bounds = {name: getattr(price, name) for name in ("gte", "gt", "lte", "lt") if getattr(price, name) is not None}
    assert (price.kind, bounds) == (kind, {bound: amount})


@QUICK
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)))
def test_any_text_gives_sound_constraints(text: str) -> None:
    last = 0
    for price in find_prices(text):
        assert last <= price.start < price.end <= len(text)
        assert price.surface == text[price.start : price.end]
        low = price.gte if price.gte is not None else price.gt
        high = price.lte if price.lte is not None else price.lt
        assert low is not None or high is not None
        assert low is None or high is None or low <= high
        assert 0 < price.confidence <= 1
        last = price.end


@pytest.mark.parametrize(
    "unit", ["1", "1元", "$1", "1到", "1-2-", "一百", "under ", "不超过", "over 1 under 2 ", "几百块", "1,"]
)
def test_hostile_texts_take_no_time(unit: str) -> None:
    started = time.thread_time()
    find_prices(unit * 50_000)
    assert time.thread_time() - started < 1
