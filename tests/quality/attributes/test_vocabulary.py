"""Keys tell values apart, however they are written; what is shown has every digit."""

import pytest

from lingsou.core.types import Attribute, AttributeValue
from lingsou.quality.attributes.vocabulary import key_of, shown


def test_long_numbers_that_differ_are_two_values() -> None:
    assert key_of(123_456_781) != key_of(123_456_789)
    assert key_of(1_234.567_8) != key_of(1_234.567_9)
    assert key_of(17) == key_of(17.0)
    assert key_of(0.1 + 0.2) == key_of(0.3)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_500_000, None, "1,500,000"),
        (12_345_678_901_234_567, None, "12,345,678,901,234,567"),
        (1_234_567.25, "g", "1,234,567.25 g"),
        (17.0, "inch", "17 inch"),
        (True, None, "True"),
        (("a", "b"), None, "a, b"),
    ],
)
def test_numbers_are_shown_in_full(value: AttributeValue, unit: str | None, text: str) -> None:
    assert shown(Attribute(value=value, unit=unit)) == text
