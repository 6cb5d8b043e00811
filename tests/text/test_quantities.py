import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.text.quantities import canonical_token, find_quantities
from lingsou.text.units import units

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
CASES = Path(__file__).parent / "cases"
MARKS = {"at least": ">=", "at most": "<="}
WORDS = [
    *'0123456789.,-x*/~" 一两三十百半多以上下内到',
    "kg",
    "ml",
    "寸",
    "米",
    "size ",
    "xl",
    "码",
    "under ",
    "pack of ",
    "岁",
    "gb",
]


def compact(text: str) -> str:
    found = [MARKS.get(q.comparison, "") + canonical_token(q) for q in find_quantities(text)]
    return "; ".join(found) or "-"


@pytest.mark.parametrize("name", ["quantities", "quantities_heldout"])
def test_written_cases(name: str) -> None:
    lines = (CASES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    failures = [f"{text}: expected {wanted}, found {compact(text)}" for text, wanted in rows if compact(text) != wanted]
    sys.stderr.write("\n".join(failures))
    assert len(failures) <= 0.01 * len(rows), failures


def test_bounds_are_in_the_unit_and_in_the_base_unit() -> None:
    (quantity,) = find_quantities("laptop under 15 inch")
    assert (quantity.surface, quantity.low, quantity.high) == ("under 15 inch", None, Decimal(15))
    assert quantity.comparison == "at most"
    assert (quantity.base_low, quantity.base_high) == (None, Decimal("0.3810"))


def test_an_age_range() -> None:
    (quantity,) = find_quantities("3-6岁玩具")
    assert (quantity.low, quantity.high) == (Decimal(3), Decimal(6))
    assert (quantity.dimension, quantity.comparison) == ("age", "range")
    assert (quantity.start, quantity.end) == (0, 4)


def test_a_reversed_range_is_put_in_order() -> None:
    assert compact("40-36码") == "size36-40"


def test_a_range_with_the_unit_twice_is_one() -> None:
    assert compact("3岁-6岁") == "3-6age"
    assert compact("50cm到80cm") == "500-800mm"


def test_fahrenheit_has_its_own_zero() -> None:
    (quantity,) = find_quantities("212°F kettle")
    assert quantity.base_low == 100


@pytest.mark.parametrize(
    "spellings",
    [
        ("17寸", "17 inch", '17"', "17-inch", "17英寸", "17 in", "17吋"),
        ("0.5L", "500ml", "500毫升", "500 ML", "５００ml", "0,5 l"),
        ("1.5kg", "1500g", "1.5公斤", "3斤", "三斤"),
        ("5000mAh", "5000毫安", "5Ah", "5000 mah"),
        ("2TB", "2T硬盘", "2 tb"),
        ("XXL", "2XL", "size xxl", "尺码2XL"),
        ("100 pcs", "100片", "100支装", "100 count"),
        ("1米8", "1.8m", "180cm", "180厘米", "1800mm"),
    ],
)
def test_one_measure_has_one_token(spellings: tuple[str, ...]) -> None:
    assert len({compact(spelling) for spelling in spellings}) == 1


@QUICK
@given(st.sampled_from(["kg", "g", "ml", "l", "cm", "mm", "w", "mah", "gb", "tb", "hz", "lm", "oz", "lb"]), st.data())
def test_rendered_measures_are_found_again(name: str, data: st.DataObject) -> None:
    unit = units()[{"lm": "lumen"}.get(name, name)]
    value = data.draw(st.decimals("0.1", "999", places=1).filter(bool))
    spelling = data.draw(st.sampled_from([s for s in unit.spellings if len(s) > 1 or not s.isascii()]))
    gap = " " if spelling.isascii() and data.draw(st.booleans()) else ""
    (quantity,) = find_quantities(f"超值 {value}{gap}{spelling} 正品")
    assert (quantity.low, quantity.high, quantity.dimension) == (value, value, unit.dimension)
    assert quantity.surface == f"{value}{gap}{spelling}"


@QUICK
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)))
def test_any_text_gives_valid_spans_apart(text: str) -> None:
    last = 0
    for quantity in find_quantities(text):
        assert last <= quantity.start < quantity.end <= len(text)
        assert quantity.surface == text[quantity.start : quantity.end]
        assert canonical_token(quantity)
        assert " " not in canonical_token(quantity)
        if quantity.comparison == "range":
            assert quantity.low is not None
            assert quantity.high is not None
            assert quantity.low <= quantity.high
        last = quantity.end


@pytest.mark.parametrize(
    "unit", ["1", "1,111", "1/2 ", "10x", "1-", "1kg-", "一百", "xxl", "ages 1 to ", "1 in ", "9" * 15]
)
def test_hostile_texts_take_no_time(unit: str) -> None:
    started = time.thread_time()
    find_quantities(unit * 50_000)
    assert time.thread_time() - started < 1


def test_titles_without_measures_leave_early() -> None:
    assert find_quantities("Cotton summer dress with pockets for women") == []
    assert find_quantities("纯棉夏季连衣裙女修身显瘦") == []
