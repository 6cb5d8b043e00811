"""Random products, written in each format and read back through a mapping, are the same products."""

import csv
import json
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingsou.catalog.feeds import open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.catalog.mapping import Mapping, parse_mapping
from lingsou.core.types import Attribute, Product

LETTERS = st.sampled_from("abcXYZ019 红色连衣裙,;|\t\"'<&\n>é😀")
WORDS = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
NAMES = st.from_regex(r"[a-z红]{1,8}", fullmatch=True)
TUPLES = st.lists(WORDS, min_size=1, max_size=3).map(tuple)
VALUES = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), WORDS, TUPLES)
UNITS = st.sampled_from([None, "cm", "毫升"])
ATTRIBUTES = st.dictionaries(NAMES, st.builds(Attribute, value=VALUES, unit=UNITS), max_size=3)
COUNTS = st.none() | st.integers(0, 10**6)
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
LISTS = st.lists(WORDS, max_size=3).map(tuple)


def product(number: int) -> st.SearchStrategy[Product]:
    return st.builds(
        Product,
        id=st.just(f"p{number}"),
        title=WORDS,
        short_description=st.just("") | WORDS,
        description=st.just("") | WORDS,
        brand=st.just("") | WORDS,
        category=LISTS,
        price=st.none() | st.decimals(0, 10**6, places=2),
        currency=st.sampled_from(["", "CNY", "USD"]),
        sku=st.just("") | NAMES,
        mpn=st.just("") | NAMES,
        ean=st.sampled_from([(), ("4006381333931",)]),
        attributes=ATTRIBUTES,
        images=LISTS,
        tags=LISTS,
        language=st.sampled_from(["", "zh", "en"]),
        stock=COUNTS,
        rating=st.none() | st.floats(0, 5),
        review_count=COUNTS,
        sales=COUNTS,
        created_at=MOMENTS,
        updated_at=MOMENTS,
        group_id=st.just("") | NAMES,
    )


PRODUCTS = st.integers(1, 5).flatmap(lambda count: st.tuples(*(product(number) for number in range(count))))
FIELDS = [name for name in Product.model_fields if name != "attributes"]
EXACT = "missing = ['']\n[fields]\n" + "\n".join(f'{name} = "{name}"' for name in FIELDS)
TYPED = EXACT + "\n[[attributes]]\nsource = 'attributes.*'\n"
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(path: Path, mapping: Mapping | None = None) -> list[Product]:
    rows = [(number, row) for number, row in open_feed(path).rows(path) if isinstance(row, dict)]
    chosen = mapping or guess_mapping(row for _, row in rows)
    return [chosen.apply(row, number) for number, row in rows]


@SLOW
@given(PRODUCTS)
def test_json_lines(tmp_path_factory: pytest.TempPathFactory, products: tuple[Product, ...]) -> None:
    path = tmp_path_factory.getbasetemp() / "products.jsonl"
    path.write_text("".join(product.model_dump_json() + "\n" for product in products), encoding="utf-8")
    assert read(path, parse_mapping(TYPED)) == list(products)


@SLOW
@given(PRODUCTS)
def test_json_lines_by_guess(tmp_path_factory: pytest.TempPathFactory, products: tuple[Product, ...]) -> None:
    path = tmp_path_factory.getbasetemp() / "guessed.jsonl"
    path.write_text("".join(product.model_dump_json() + "\n" for product in products), encoding="utf-8")
    assert read(path) == list(products)


@SLOW
@given(PRODUCTS)
def test_parquet(tmp_path_factory: pytest.TempPathFactory, products: tuple[Product, ...]) -> None:
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    path = tmp_path_factory.getbasetemp() / "products.parquet"
    rows: list[dict[str, Any]] = [product.model_dump(exclude={"attributes"}) for product in products]
    for row, product in zip(rows, products, strict=True):
        row["attributes"] = json.dumps(product.model_dump(mode="json")["attributes"])
    strings = {name: pa.string() for name in ("short_description", "description", "brand", "currency", "sku", "mpn")}
    lists = {name: pa.list_(pa.string()) for name in ("category", "ean", "images", "tags")}
    moments = {name: pa.timestamp("us", tz="UTC") for name in ("created_at", "updated_at")}
    counts = {name: pa.int64() for name in ("stock", "review_count", "sales")}
    kinds = {"price": pa.decimal128(12, 2), "rating": pa.float64(), **strings, **lists, **moments, **counts}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in Product.model_fields])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    assert read(path, parse_mapping(TYPED + "json = true\n")) == list(products)


@SLOW
@given(PRODUCTS)
def test_csv(tmp_path_factory: pytest.TempPathFactory, products: tuple[Product, ...]) -> None:
    path = tmp_path_factory.getbasetemp() / "products.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(Product.model_fields))
        writer.writeheader()
        for product in products:
            row = product.model_dump(mode="json")
            packed = {name: json.dumps(value) for name, value in row.items() if isinstance(value, dict | list)}
            writer.writerow(row | packed)
    lists = {name: f'{name} = {{ source = "{name}", json = true }}' for name in ("category", "ean", "images", "tags")}
    fields = "\n".join(lists.get(name, f'{name} = "{name}"') for name in FIELDS)
    text = f"missing = ['']\n[fields]\n{fields}\n[[attributes]]\nsource = 'attributes.*'\njson = true\n"
    assert read(path, parse_mapping(text)) == list(products)
