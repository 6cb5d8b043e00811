"""A small bilingual catalogue's vocabulary, with the words that make queries ambiguous."""

import pytest

from lingsou.query import CatalogLexicon, NumberField, Understander, Vocabulary
from lingsou.text.segment import Segmenter

BRANDS = {
    "HP": 120, "Dell": 80, "Xerox": 40, "Apple": 60, "小米": 90, "岚朵 Landuo": 30, "Haier/海尔": 20, "Orange": 2,
    "Logitech": 25, "Sony Corp.": 12, "UGREEN 绿联": 15,
}  # fmt: skip
CATEGORIES = {
    "Computers": 200, "Computers > Laptops": 150, "Computers > Monitors": 50, "Clothing": 300,
    "Clothing > T-shirts": 120, "Clothing > Dresses": 90, "Shoes": 100, "Shoes > Running Shoes": 60,
    "Shoes > Boots": 40, "Phones": 160, "Phones > Phone Cases": 70, "Phones > Chargers & Power Banks": 50,
    "Phones > Smartphones": 40, "Office > Toner Cartridges": 45, "Food > Fruit > Orange": 3, "食品 > 粮油 > 小米": 6,
    "Furniture > Sofas": 20, "Stationery > Notebooks": 25,
}  # fmt: skip
ATTRIBUTES = {
    "attributes.colour": {
        "black": 80, "黑色": 90, "曜石黑": 5, "blue": 40, "蓝色": 60, "天蓝色": 8, "navy": 9, "red": 30, "红色": 30,
        "white": 50, "白色": 55, "orange": 12, "grey": 10, "Rose Gold": 4,
    },
    "attributes.ink": {"黑色": 6, "black": 4},
    "attributes.material": {"纯棉": 50, "cotton": 40, "蕾丝": 6, "lace": 5, "leather": 25, "真皮": 12, "acrylic": 5},
    "attributes.audience": {"men": 60, "女士": 70, "儿童": 30},
    "attributes.type": {
        "充电宝": 20, "power bank": 15, "跑步鞋": 25, "running shoes": 30, "laptop": 90, "笔记本电脑": 60,
    },
    "attributes.size": {"S": 30, "M": 40, "L": 40, "XL": 30, "42": 10},
    "attributes.features": {"waterproof": 20, "Wi-Fi": 30, "降噪": 10},
    "attributes.package_type": {"box": 500},
    "attributes.serial": {f"serial {number:05} x": 1 for number in range(400)},
    "attributes.screen": {"15.6 inch": 40, "17.3 inch": 20, "27 英寸": 15},
}  # fmt: skip
NUMBERS = {
    "attributes.screen": NumberField(75, {"inch": 60, "英寸": 15}, 5.5, 65, {"Computers > Laptops": 60}),
    "attributes.wheel_size": NumberField(30, {"inch": 30}, 12, 29),
    "attributes.memory": NumberField(100, {"GB": 100}, 2, 64),
    "attributes.storage": NumberField(90, {"GB": 60, "TB": 30}, 1, 1024),
    "attributes.capacity": NumberField(140, {"mAh": 60, "ml": 60, "L": 20}, 1, 30000),
    "attributes.refresh_rate": NumberField(20, {"Hz": 20}, 60, 240),
    "attributes.weight": NumberField(100, {"g": 50, "kg": 50}, 0.1, 5000),
    "attributes.battery_life": NumberField(10, {"h": 10}, 1, 40),
    "attributes.display_diagonal": NumberField(5, {}, 13, 18),
    "attributes.package_weight": NumberField(500, {"kg": 500}, 0.1, 50),
}


@pytest.fixture(scope="session")
def segmenter() -> Segmenter:
    return Segmenter(["岚朵", "绿联"])


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary({"brand": BRANDS, "category": CATEGORIES, **ATTRIBUTES}, NUMBERS, has_price=True)


@pytest.fixture(scope="session")
def lexicon(vocabulary: Vocabulary, segmenter: Segmenter) -> CatalogLexicon:
    return CatalogLexicon(vocabulary, segmenter)


@pytest.fixture(scope="session")
def understander(lexicon: CatalogLexicon, segmenter: Segmenter) -> Understander:
    return Understander(lexicon, segmenter, "CNY")
