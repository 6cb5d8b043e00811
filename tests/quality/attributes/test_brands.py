"""Spellings of one brand, and brands in titles."""

import pytest

from lingsou.quality.attributes.brands import Brands, one_brand
from tests.quality.attributes.shops import columns, product


@pytest.mark.parametrize(
    ("rare", "usual"),
    [
        ("NORDVIK", "Nordvik"),
        ("Nordvik®", "Nordvik"),
        ("Nord-Vik", "Nordvik"),
        ("Nordvik Inc.", "Nordvik"),
        ("Nordvik Co., Ltd.", "Nordvik"),
        ("Nordvik/北境", "Nordvik"),
        ("Nordvk", "Nordvik"),
        ("北境有限公司", "北境"),
    ],
)
def test_spellings_of_one_brand(rare: str, usual: str) -> None:
    counts = {"Nordvik": 40, "北境": 30, rare: 1}
    assert one_brand(counts)[rare][0] == usual


@pytest.mark.parametrize("other", ["Nordik Sound", "Polvik", "Nor", "W", "N7"])
def test_other_brands_stay(other: str) -> None:
    assert one_brand({"Nordvik": 40, "N8": 40, other: 1}) == {}


def test_a_slip_is_much_rarer_than_what_it_was_meant_to_be() -> None:
    assert one_brand({"Nordvik": 40, "Nordvika": 10}) == {}


def test_brands_in_titles_are_as_reliable_as_they_were_elsewhere() -> None:
    rows = [product(n, f"Nordvik lamp {n}", brand="Nordvik") for n in range(20)]
    rows += [product(100 + n, f"Next lamp {n}", brand="Next") for n in range(3)]
    rows += [product(200 + n, f"Next season lamp {n}", brand="Polvik") for n in range(9)]
    rows += [product(300, "Nordvik desk lamp"), product(301, "Next big lamp"), product(302, "Shade for Nordvik lamps")]
    brands = Brands(columns(rows))
    [nordvik] = brands.named(32)
    [following] = brands.named(33)
    assert (nordvik.brand, nordvik.leads, nordvik.products) == ("Nordvik", True, 20)
    assert nordvik.reliability > 0.95
    assert following.reliability == pytest.approx(3.5 / 13)
    assert brands.named(34) == []  # what it is for is not what it is
