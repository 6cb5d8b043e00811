"""Guessed mappings: names propose, values decide, and nothing is scaled or dropped without a note."""

import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.feeds import open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.catalog.mapping import AttributeRule, Mapping, parse_mapping
from lingsou.catalog.profile import key_of, valid_code
from lingsou.core.types import Product


def table(columns: dict[str, list[Any]]) -> Mapping:
    names, values = list(columns), list(columns.values())
    return guess_mapping([dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)])


def sources(mapping: Mapping) -> dict[str, Any]:
    return {
        name: rule.source[0] if len(rule.source) == 1 else rule.source
        for name, rule in mapping.fields.items()
        if rule.source
    }


IDS = ["7", "8", "9"]
TITLES = ["Steel kettle", "Glass kettle", "Tea pot"]


def test_a_chinese_shop() -> None:
    mapping = table(
        {
            "商品编号": IDS,
            "商品名称": ["不锈钢水壶", "玻璃水壶", "茶壶"],
            "价格（元）": ["¥99.00", "¥129.00", "¥1,299.00"],
            "库存": ["5", "0", "12"],
            "品牌": ["山语", "山语", "青瓷"],
            "类目": ["家居>厨房>水壶", "家居>厨房>水壶", "家居>餐厅"],
            "商品描述": ["烧水快", "看得见", "茶香"],
            "货号": ["A-1", "A-2", "B-1"],
            "条形码": ["6901234567892", "6901234567892", "4006381333931"],
            "主图": ["https://s.example/1.jpg", "https://s.example/2.jpg", "https://s.example/3.jpg"],
            "上架时间": ["2024-03-01", "2024-03-02", "2024/3/3"],
            "评分": ["4.5", "5", "3.9"],
            "销量": ["1.2万", "300", "12"],
            "商品链接": ["https://s.example/p/1", "https://s.example/p/2", "https://s.example/p/3"],
            "颜色": ["银", "透明", "青"],
        }
    )
    assert sources(mapping) == {
        "id": "商品编号",
        "title": "商品名称",
        "description": "商品描述",
        "brand": "品牌",
        "category": "类目",
        "price": "价格（元）",
        "sku": "货号",
        "ean": "条形码",
        "images": "主图",
        "stock": "库存",
        "rating": "评分",
        "sales": "销量",
        "created_at": "上架时间",
    }
    assert mapping.fields["category"].split == (">",)
    assert mapping.fields["currency"].constant == "CNY"
    assert mapping.attributes == (AttributeRule(source="颜色", type="text"),)
    assert "商品链接" in mapping.notes[""]


def test_an_icecat_form_feed_takes_title_and_keeps_name_as_model_number() -> None:
    mapping = table(
        {
            "id": IDS,
            "name": ["006R90321", "dv7-1211ea", "X100"],
            "title": ["Xerox 006R90321 toner", "HP dv7-1211ea notebook", "Acme X100 lamp"],
            "supplier": ["Xerox", "HP", "Acme"],
            "ean": [["0095205603217"], ["0884420588030"], ["4006381333931"]],
            "price": [4995, 10995, 299],
            "img_thumb": ["http://i.example/t1.jpg"] * 3,
            "img_500x500": ["http://i.example/m1.jpg"] * 3,
            "img_high": ["http://i.example/h1.jpg"] * 3,
            "date_released": ["2009-12-10T00:00:00Z"] * 3,
            "attr_t_colour": ["Black", "Silver", None],
            "attr_n_weight": [1.5, None, 3],
            "attr_b_touchscreen": [None, False, True],
        }
    )
    assert sources(mapping) == {
        "id": "id",
        "title": "title",
        "mpn": "name",
        "brand": "supplier",
        "ean": "ean",
        "price": "price",
        "images": "img_high",
        "created_at": "date_released",
    }
    assert {(rule.source, rule.type) for rule in mapping.attributes} == {
        ("attr_t_*", "text"),
        ("attr_n_*", "number"),
        ("attr_b_*", "bool"),
    }
    assert mapping.fields["price"].scale is None, "cents are never scaled silently"
    assert "scale = 0.01" in mapping.notes["price"]
    assert "scale = 0.01" in mapping.dump()


def test_a_name_is_the_title_where_there_is_no_other() -> None:
    assert sources(table({"ProductID": IDS, "ProductName": TITLES})) == {"id": "ProductID", "title": "ProductName"}


def test_google_merchant_data() -> None:
    mapping = table(
        {
            "id": IDS,
            "title": TITLES,
            "description": ["Boils.", "Boils too.", "Pours."],
            "link": ["https://s.example/1", "https://s.example/2", "https://s.example/3"],
            "image_link": ["https://s.example/1.jpg", "https://s.example/2.jpg", "https://s.example/3.jpg"],
            "additional_image_link": [["https://s.example/1b.jpg"], None, None],
            "availability": ["in_stock", "out_of_stock", "preorder"],
            "price": ["15.00 USD", "20.00 USD", "9.00 USD"],
            "sale_price": ["12.00 USD", None, None],
            "product_type": [["Home > Kitchen", "Gifts"], ["Home > Kitchen"], ["Home"]],
            "gtin": ["4006381333931", "4006381333931", "4006381333931"],
            "item_group_id": ["k", "k", "t"],
            "product_detail": [[{"attribute_name": "Volume", "attribute_value": "1 l"}], None, None],
        }
    )
    first = {
        "id": "7",
        "title": "Steel kettle",
        "price": "15.00 USD",
        "sale_price": "12.00 USD",
        "availability": "out_of_stock",
        "product_type": ["Home > Kitchen", "Gifts"],
        "image_link": "https://s.example/1.jpg",
        "additional_image_link": ["https://s.example/1b.jpg"],
        "product_detail": [{"attribute_name": "Volume", "attribute_value": "1 l"}],
        "item_group_id": "k",
    }
    product = mapping.apply(first)
    assert (str(product.price), product.currency) == ("12.00", "USD"), "the reduced price counts"
    assert str(mapping.apply(first | {"sale_price": None}).price) == "15.00"
    assert product.stock == 0
    assert mapping.apply(first | {"availability": "in_stock"}).stock is None
    assert product.category == ("Home", "Kitchen")
    assert product.images == ("https://s.example/1.jpg", "https://s.example/1b.jpg")
    assert product.attributes["Volume"].value == "1 l"
    assert product.group_id == "k"


def test_values_decide_against_names() -> None:
    mapping = table(
        {
            "id": IDS,
            "title": TITLES,
            "price": ["on request", "ask us", "tba"],
            "code": ["4006381333931", "6901234567892", "0095205603217"],
            "rating": ["87", "92", "60"],
            "stock": ["Shelf A", "Shelf B", "Shelf A"],
            "images": [3, 4, 5],
        }
    )
    assert sources(mapping) == {"id": "id", "title": "title", "sku": "code"}
    assert "scale = 0.05" in mapping.notes["rating"], "87 of 100"


def test_a_nameless_column_of_valid_codes_is_the_ean() -> None:
    mapping = table({"id": IDS, "title": TITLES, "column 3": ["4006381333931", "6901234567892", "0095205603217"]})
    assert sources(mapping)["ean"] == "column 3"


def test_without_an_id_column_a_hash_stands_in_and_is_told() -> None:
    mapping = table({"name": TITLES, "link": ["https://s.example/1", "https://s.example/2", "https://s.example/3"]})
    assert mapping.fields["id"].hash
    assert sources(mapping)["id"] == "link"
    assert "No id column" in mapping.notes["id"]
    assert mapping.apply({"name": "x", "link": "https://s.example/1"}).id


def test_levels_of_a_category_are_joined_in_order() -> None:
    rule = table({"id": IDS, "name": TITLES, "sub_category": ["b", "c", "d"], "main_category": ["a"] * 3}).fields[
        "category"
    ]
    assert (rule.source, rule.take) == (("main_category", "sub_category"), "all")


def test_unmapped_columns_become_attributes_or_are_named() -> None:
    mapping = table(
        {
            "id": IDS,
            "title": TITLES,
            "Weight (g)": ["100", "250.5", "90"],
            "is_new": ["0", "1", "0"],
            "notes": ["x" * 150, "y" * 200, "z" * 300],
            "brand_id": ["4", "5", "6"],
            "specs": [{"volume": "1 l"}, {"volume": "2 l"}, None],
        }
    )
    assert mapping.attributes == (
        AttributeRule(source="Weight (g)", type="number", unit="g"),
        AttributeRule(source="is_new", type="bool"),
        AttributeRule(source="specs.*"),
    )
    assert "notes (long or ever different text, up to 300 characters)" in mapping.notes[""]
    assert "brand_id" in mapping.notes[""]


def test_product_form_rows_map_to_themselves() -> None:
    product = Product.model_validate(
        {
            "id": "1",
            "title": "1",
            "category": ["a > b", "c"],
            "price": "9.90",
            "attributes": {"diagonal": {"value": 17, "unit": "inch"}, "colour": "black", "ports": ["USB", "HDMI"]},
            "tags": ["x, y"],
            "rating": 4.5,
        }
    )
    row = product.model_dump(mode="json")
    assert guess_mapping([row]).apply(row) == product


def test_nothing_to_go_by() -> None:
    assert guess_mapping([]).fields == {}
    assert guess_mapping([{"x": None}]).attributes == ()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ProductName", "name"),
        ("Price (INR)", "price"),
        ("product id", "product_id"),
        ("_id", "_id"),
        ("商品名称", "名称"),
    ],
)
def test_names_are_compared_without_what_shops_put_around_them(name: str, key: str) -> None:
    assert key_of(name) == key


@pytest.mark.parametrize(
    "code", ["4006381333931", "036000291452", "96385074", "0306406152", "080442957X", "978-3-16-148410-0"]
)
def test_codes_with_the_right_check_digit(code: str) -> None:
    assert valid_code(code)
    assert not valid_code(code[:-1] + ("1" if code[-1] != "1" else "2"))


DATA = os.environ.get("LINGSOU_DATA")
REAL = {
    "icecat_chorus/products.jsonl.gz": {"id", "title", "brand", "price", "ean", "images", "created_at", "mpn"},
    "zh_retrieval/products.jsonl.gz": {"id", "title"},
    "catalog_myntra/myntra_products_catalog.csv.gz": {"id", "title", "description", "brand", "price", "currency"},
    "catalog_amazon_in/Amazon-Products.csv.gz": {
        "id",
        "title",
        "category",
        "price",
        "images",
        "rating",
        "review_count",
    },
    "litemall_zh/goods.jsonl.gz": {"id", "title", "short_description", "description", "price", "sku", "images"},
}


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="LINGSOU_DATA names no folder of public data sets")
@pytest.mark.parametrize("name", REAL)
def test_real_feeds(name: str) -> None:
    path = Path(DATA or "") / name
    if not path.exists():
        pytest.skip(f"no {name} in LINGSOU_DATA")
    rows = [row for _, row in islice(open_feed(path).rows(path), 2_000) if isinstance(row, dict)]
    mapping = guess_mapping(rows)
    assert mapping.fields.keys() >= REAL[name]
    assert parse_mapping(mapping.dump()) == mapping.model_copy(update={"notes": {}})
    good = sum(isinstance(mapping.mapper.product(row), Product) for row in rows)
    assert good >= 0.98 * len(rows)
