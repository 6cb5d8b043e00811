"""Mapping files, and what they make of rows."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.mapping import FieldRule, Mapping, load_mapping, parse_mapping
from lingsou.core.errors import ConfigurationError, ProductError
from lingsou.core.types import Attribute, ProductPatch

EVERYTHING = """
missing = ["", "N/A"]
drop = ["attr_t_secret"]

[fields]
id = "sku"
title = ["title_zh", "title"]
description = "text.long"
brand = { source = "maker", constant = "自有品牌" }
category = { source = "path", split = ">" }
price = { source = "cents", scale = 0.01 }
stock = { source = "availability", values = { "in stock" = "", "sold out" = 0 } }
sales = { source = "sold", decimal = "," }
images = { source = ["image", "gallery"], take = "all", json = true }
tags = { source = "tags", split = [",", "，"] }
mpn = { source = "name", match = '\\S*\\d\\S*' }
group_id = { source = "url", hash = true }
created_at = { source = "listed", format = "%d.%m.%Y" }
language = { constant = "zh" }

[[attributes]]
source = "Weight (g)"
name = "weight"
type = "number"
unit = "g"

[[attributes]]
source = "attr_n_*"
type = "number"

[[attributes]]
source = "attr_b_*"
type = "bool"

[[attributes]]
source = "attr_t_*"
type = "text"

[[attributes]]
source = "specs.*"

[[attributes]]
source = "details"
pair = ["k", "v"]
"""

ROW: dict[str, Any] = {
    "sku": 17.0,
    "title_zh": "  ",
    "title": "Kettle",
    "text": {"long": "Boils water."},
    "maker": "n/a",
    "path": "家居 > 厨房 > ",
    "cents": "1,999",
    "availability": "Sold Out",
    "sold": "1.200",
    "image": "a.jpg",
    "gallery": '["b.jpg", "c.jpg"]',
    "tags": "hot，new, ",
    "name": "KT-100",
    "url": "https://shop.example/kettle",
    "listed": "01.03.2024",
    "Weight (g)": "1,250",
    "attr_n_power": "2200",
    "attr_n_volume": 1.7,
    "attr_b_cordless": "是",
    "attr_t_colour": "black",
    "attr_t_empty": "N/A",
    "attr_t_secret": "cost 3",
    "specs": {"plug": "CN", "length": {"value": 0.8, "unit": "m"}, "colour": "white"},
    "details": [{"k": "Box", "v": ["manual", "cable"]}, {"k": "", "v": "-"}],
}


@pytest.fixture
def mapping() -> Mapping:
    return parse_mapping(EVERYTHING)


def test_every_kind_of_rule(mapping: Mapping) -> None:
    product = mapping.apply(ROW)
    assert product.id == "17"
    assert product.title == "Kettle", "the first source is blank"
    assert product.description == "Boils water."
    assert product.brand == "自有品牌", "N/A is missing in any case"
    assert product.category == ("家居", "厨房")
    assert product.price == Decimal("19.99")
    assert product.stock == 0
    assert product.sales == 1200, "the comma is the decimal mark"
    assert product.images == ("a.jpg", "b.jpg", "c.jpg")
    assert product.tags == ("hot", "new")
    assert product.mpn == "KT-100"
    assert len(product.group_id) == 16
    assert product.created_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert product.language == "zh"
    assert dict(product.attributes) == {
        "weight": Attribute(value=1250, unit="g"),
        "power": Attribute(value=2200),
        "volume": Attribute(value=1.7),
        "cordless": Attribute(value=True),
        "colour": Attribute(value="black"),
        "plug": Attribute(value="CN"),
        "length": Attribute(value=0.8, unit="m"),
        "Box": Attribute(value=("manual", "cable")),
    }


def test_a_text_that_does_not_match_is_missing(mapping: Mapping) -> None:
    assert mapping.apply(ROW | {"name": "a kettle"}).mpn == ""


def test_what_is_in_stock_but_not_counted_is_not_tracked(mapping: Mapping) -> None:
    assert mapping.apply(ROW | {"availability": "in stock"}).stock is None


def test_a_price_names_its_currency_unless_a_column_does() -> None:
    mapping = parse_mapping('fields = { id = "id", title = "title", price = "price" }')
    assert mapping.apply({"id": "1", "title": "x", "price": "15.00 USD"}).currency == "USD"


def test_sources_may_hold_dots_and_reach_through_lists() -> None:
    mapping = parse_mapping('fields = { id = "a.b", title = "t", images = "media.url", brand = "makers.0.name" }')
    row = {"a.b": "1", "t": "x", "media": [{"url": "a"}, {"url": "b"}], "makers": [{"name": "M"}]}
    product = mapping.apply(row)
    assert (product.id, product.images, product.brand) == ("1", ("a", "b"), "M")


def test_dump_is_read_back_as_the_same_mapping(mapping: Mapping) -> None:
    again = parse_mapping(mapping.dump())
    assert again == mapping
    assert "# sku = " in mapping.dump(), "fields that are not mapped are there to be filled in"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"cents": "-500"}, "price", "price is -5.00, below 0"),
        ({"cents": "ask"}, "price", "'ask' is not a number"),
        ({"cents": "9" * 40}, "price", "too large"),
        ({"title": ""}, "title", "the row has no title"),
        ({"sku": None}, "id", "the row has no id"),
        ({"sku": "x" * 257}, "id", "id has 257 characters, more than 256"),
        ({"sku": 1.5}, "id", "'1.5' is a fraction"),
        ({"maker": {"name": "M"}}, "brand", "the value is an object"),
        ({"maker": "M" * 201}, "brand", "brand has 201 characters, more than 200"),
        ({"listed": "soon"}, "created_at", "'soon' is not a date"),
        ({"availability": "perhaps"}, "stock", "'perhaps' is not a number"),
        ({"gallery": "[oops"}, "images", "'[oops' is not valid JSON"),
        ({"attr_n_power": "strong"}, "attributes.power", "'strong' is not a number"),
        ({"attr_b_cordless": "perhaps"}, "attributes.cordless", "'perhaps' is neither yes nor no"),
        ({"sold": "1,5"}, "sales", "'1,5' is not a whole number"),
        ({"sold": "99999999999"}, "sales", "sales is 99999999999, above 2147483647"),
    ],
)
def test_errors_name_row_field_reason_and_cure(
    mapping: Mapping, change: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(ProductError) as caught:
        mapping.apply(ROW | change, 12)
    assert caught.value.row == 12
    assert caught.value.field == field
    assert reason in caught.value.message
    assert caught.value.cure


def test_a_patch_takes_the_volatile_fields_that_are_there(mapping: Mapping) -> None:
    patch = mapping.mapper.patch({"sku": "1", "cents": 500, "sold": ""})
    assert isinstance(patch, ProductPatch)
    assert patch.values() == {"price": Decimal("5")}
    nothing = mapping.mapper.patch({"sku": "1", "cents": None})
    assert not isinstance(nothing, ProductPatch)
    assert nothing.kind == "nothing to change"


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("fields = 3", "fields", "valid"),
        ("[fields", "", "not valid TOML"),
        ('[fields]\nprize = "p"', "fields", "no product field 'prize'"),
        ('[fields]\nprice = { source = "p", scael = 1 }', "fields.price.scael", "Extra inputs"),
        ('[fields]\ntitle = { source = "p", scale = 1 }', "fields", "`scale` is for"),
        ('[fields]\ntitle = { source = "p", split = "," }', "fields", "`split` is for"),
        ('[fields]\ntitle = { source = "p", match = "(" }', "fields.title", "not a regular expression"),
        ("[fields]\ntitle = {}", "fields.title", "name a `source`"),
        ('fields = {}\n[[attributes]]\nsource = "a*b"', "attributes.0", "star"),
        ('fields = {}\n[[attributes]]\nsource = "a_*"\nname = "b"', "attributes.0", "leave `name` out"),
    ],
)
def test_a_wrong_mapping_names_the_key(text: str, field: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_mapping(text)
    assert message in caught.value.message
    assert (caught.value.field or "") == field


def test_a_mapping_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no mapping file"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_mapping(tmp_path / "latin.toml")
    (tmp_path / "good.toml").write_text(EVERYTHING, encoding="utf-8-sig")
    assert load_mapping(tmp_path / "good.toml").fields["id"].source == ("sku",)


def test_the_mapping_in_the_docs_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
    documented = parse_mapping(text.split("```toml")[1].split("```")[0])
    assert documented.fields["price"].scale == Decimal("0.01")
    keys = {alias or name for name, alias in ((n, f.alias) for n, f in FieldRule.model_fields.items())}
    assert keys == {key for key in keys if f"| `{key}` |" in text}, "every key of a field has its line"
