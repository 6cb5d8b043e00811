import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.text.numbers import fold
from lingsou.text.units import any_of, bound_after, bounds_before, currency_code, unit_of_spelling, unit_pattern, units


def test_every_unit_is_sound() -> None:
    for name, unit in units().items():
        assert unit.factor > 0, name
        assert unit.token_factor > 0, name
        assert unit.dimension, name
        assert unit.token == unit.token.lower().strip(), name


def test_no_spelling_stands_for_two_units() -> None:
    spellings = [spelling for unit in units().values() for spelling in unit.spellings]
    assert len(spellings) == len(set(spellings)) == len(unit_of_spelling())


def test_spellings_are_folded() -> None:
    assert [s for s in unit_of_spelling() if fold(s) != s] == []


def test_every_spelling_is_recognised_whole() -> None:
    pattern = re.compile(unit_pattern())
    assert [spelling for spelling in unit_of_spelling() if not pattern.fullmatch(spelling)] == []


@pytest.mark.parametrize(
    ("name", "base"),
    [("inch", "0.0254"), ("jin", "0.5"), ("ml", "0.001"), ("kwh", "1000"), ("hp", "735.49875"), ("mah", "0.001")],
)
def test_factors_are_those_of_the_standards(name: str, base: str) -> None:
    assert units()[name].factor == Decimal(base)


def test_units_of_one_token_family_agree_with_their_factors() -> None:
    """12 mm of a foot and 304.8 mm must not differ: token factors are proportional to base factors."""
    families: dict[str, set[Decimal]] = {}
    for unit in units().values():
        if unit.token in {"oz", "k", "g"} and unit.dimension not in {"mass"}:
            continue  # ounces of weight and of volume share a token, as shoppers share the word
        families.setdefault(unit.token, set()).add((unit.factor / unit.token_factor).normalize())
    assert {token for token, ratios in families.items() if len(ratios) > 1} == set()


@given(st.lists(st.text(alphabet="abc.(", min_size=1, max_size=5), min_size=1, max_size=12))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_prefix_tree_matches_exactly_its_words(words: list[str]) -> None:
    pattern = re.compile(any_of(words))
    assert all(pattern.fullmatch(word) for word in words)
    assert (pattern.fullmatch("abcabc") is not None) == ("abcabc" in words)


def test_comparison_words_before_a_number_are_chained() -> None:
    assert bounds_before("price under 50")[12] == [(0, "price"), (6, "lt")]
    assert bounds_before("discover 200") == {}
    assert bounds_before("不超过500") == {3: [(0, "lte")]}


def test_comparison_words_after_a_number() -> None:
    assert bound_after("500以下", 3) == (5, "lte")
    assert bound_after("500 或以上", 3) == (7, "gte")
    assert bound_after("200左右手", 3) is None


@pytest.mark.parametrize(
    ("spelling", "code"), [("块钱", "CNY"), ("$", "USD"), ("quid", "GBP"), ("hk$", "HKD"), ("x", "")]
)
def test_currency_spellings(spelling: str, code: str) -> None:
    assert currency_code(spelling) == code
