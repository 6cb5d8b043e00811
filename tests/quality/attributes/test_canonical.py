"""Different ways of writing one value go to the commonest; different values stay apart."""

from collections.abc import Sequence

import pytest

from lingsou.core.types import Attribute, AttributeValue
from lingsou.quality.attributes.canonical import rewrites


def written(name: str, *values: AttributeValue | tuple[AttributeValue, str]) -> list[tuple[str, str, str]]:
    held = [
        {name: Attribute(value=each[0], unit=each[1])}
        if isinstance(each, tuple) and not isinstance(each[0], str)
        else {name: Attribute(value=each)}
        for each in values
    ]
    return [(_plain(each.given), _plain(each.usual), each.reason) for each in rewrites(held, name)]


def _plain(attribute: Attribute) -> str:
    return f"{attribute.value} {attribute.unit or ''}".strip()


def test_case_signs_and_plural() -> None:
    found = written("type", "T-Shirt", "T-Shirt", "t shirt", "T-SHIRTS", "Skirt")
    assert found == [("t shirt", "T-Shirt", "spelling"), ("T-SHIRTS", "T-Shirt", "spelling")]


def test_measures_of_one_size() -> None:
    assert written("weight", "1 kg", "1 kg", "1000 g", "1千克", "500 g") == [
        ("1000 g", "1 kg", "unit"),
        ("1千克", "1 kg", "unit"),
    ]
    assert written("screen", "17 inch", "17 inch", "17in", "15.6 inch") == [("17in", "17 inch", "unit")]


def test_the_two_languages_of_one_colour_but_not_its_shades() -> None:
    assert written("colour", "Black", "Black", "黑色", "Navy", "Blue", "Blue") == [("黑色", "Black", "language")]


def test_numbers_go_to_the_unit_of_most() -> None:
    values: Sequence[tuple[AttributeValue, str]] = [(1, "kg"), (2, "kg"), (2.5, "kg"), (3, "kg"), (850, "g")]
    assert written("weight", *values) == [("850 g", "0.85 kg", "unit")]


@pytest.mark.parametrize(
    "values",
    [
        [(1, "kg"), (850, "g")],  # no unit is usual
        [(1, "kg")] * 5 + [(3, "cm")],  # another dimension
        [(21, "°C")] * 5 + [(70, "°F")],  # no factor converts temperatures
        ["USB 2.0", "USB 3.0"],
        ["-20 - 60", "20 - 60", "S20", "S20+", "DVD+R", "DVD-R"],  # between numbers signs have a meaning
        [True, False, 1],
        [4_006_381_333_931, 4_006_381_333_931, 4_006_381_333_948],  # one number is no spelling of another
        [(1_000_000, "h"), (1_000_000, "h"), (1_000_001, "h")],
        ["M", "L", "XL"],
    ],
)
def test_different_values_stay(values: list[AttributeValue | tuple[AttributeValue, str]]) -> None:
    assert written("x", *values) == []


def test_another_script_is_less_sure_and_another_order_is_nothing() -> None:
    lengths = [{"length": Attribute(value=17, unit=unit)} for unit in ("inch", "inch", "英寸", "in")]
    sure = {each.given.unit: each.confidence for each in rewrites(lengths, "length")}
    assert sure == {"英寸": 0.8, "in": 0.95}
    lists = [{"features": Attribute(value=parts)} for parts in (("a", "b"), ("a", "b"), ("b", "a"), ("A", "b"))]
    assert [each.given.value for each in rewrites(lists, "features")] == [("A", "b")]
