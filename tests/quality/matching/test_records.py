"""Columns of products, and the terms of their texts."""

import numpy as np
import pytest

from lingsou.core.types import Product
from lingsou.quality.matching.records import designations, grams, gtin_of, numbers, records_of, words


def test_columns_of_products() -> None:
    products = [
        Product(
            id="a",
            title="Nikon D-850 机身",
            brand="NIKON",
            price=100,
            ean=("4006381333931", "not a code"),
            mpn="VBA-520 AE",
            attributes={"colour": "Black", "size": {"value": 3, "unit": "inch"}},
        ),
        Product(id="b", title="x"),
    ]
    records = records_of(products)
    assert len(records) == 2
    assert records.titles[0] == "nikon d-850 机身"
    assert records.texts[0] == "nikon d-850 机身 nikon black 3 inch"
    assert records.brands == ["nikon", ""]
    assert records.prices[0] == 100
    assert np.isnan(records.prices[1])
    assert records.gtins[0] == {"04006381333931"}
    assert records.mpns == ["vba520ae", ""]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("4006381333931", "04006381333931"),
        ("04006381333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("4006381333932", ""),  # the check digit is wrong
        ("0000000000000", ""),
        ("12345", ""),
        ("978-3-16-148410-0", "09783161484100"),
    ],
)
def test_trade_item_numbers(code: str, expected: str) -> None:
    assert gtin_of(code) == expected


def test_terms() -> None:
    assert words("dcs-855l ip 摄像头 été") == [
        "dcs-855l",
        "dcs",
        "855l",
        "dcs855l",
        "ip",
        "t",
        "摄像",
        "像头",
        "é",
        "é",
    ]
    assert words("灯") == ["灯"]
    assert grams("wd 40") == grams("wd40") == ["wd4", "d40"]
    assert grams("ab") == ["ab"]
    assert grams("") == []
    assert numbers("ef-s 10-22mm f/3.5") == ["10", "22", "3.5"]
    assert designations("canon mb13-pnk 2007 22mm usb 5d") == ["mb13pnk", "2007", "22mm"]
