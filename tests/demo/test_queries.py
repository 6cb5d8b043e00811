"""Judged queries: the rules by hand, and that the default shop can answer all."""

from collections import Counter
from decimal import Decimal

import pytest

from lingsou.core.types import Product
from lingsou.demo import Criterion, JudgedQuery, generate, grade, judged_queries
from lingsou.demo.queries import accepted, criterion
from lingsou.demo.vocabulary import table, vocabulary

SHIRTS = ("Clothing", "Tops", "Shirts")
TEES = ("Clothing", "Tops", "T-shirts")
BLUE_TEE = JudgedQuery(
    "蓝色T恤衫 50元到100元",
    "zh",
    "price",
    ("t-shirts",),
    ("shirts",),
    (criterion("colour=blue"), criterion("price=50..100"), criterion("material=cotton")),
)


def tee(colour: str, price: str, material: str, category: tuple[str, ...] = TEES) -> Product:
    attributes = {"colour": {"value": colour}, "material": {"value": material}}
    return Product.model_validate(
        {"id": "x", "title": "x", "category": category, "price": Decimal(price), "attributes": attributes}
    )


@pytest.mark.parametrize(
    ("product", "expected", "why"),
    [
        (tee("蓝色", "59.00", "纯棉"), 3, "everything, said in Chinese"),
        (tee("navy", "100", "cotton"), 3, "everything, in English, with a shade of blue at the very bound"),
        (tee("红色", "59.00", "纯棉"), 2, "two of three, the price among them"),
        (tee("红色", "59.00", "莫代尔"), 1, "only the price"),
        (tee("蓝色", "100.01", "纯棉"), 1, "too dear: the price is hard"),
        (tee("蓝色", "59.00", "纯棉", SHIRTS), 1, "a related category"),
        (tee("蓝色", "59.00", "纯棉", ("Food",)), 0, "another category"),
    ],
)
def test_grades_by_hand(product: Product, expected: int, why: str) -> None:
    assert grade(BLUE_TEE, product) == expected, why


def test_criteria_are_read() -> None:
    assert criterion("price=..300") == Criterion(("price",), high=300.0)
    assert criterion("capacity=500..") == Criterion(("capacity",), low=500.0)
    assert criterion("tip=0.5") == Criterion(("tip",), low=0.5, high=0.5)
    assert criterion("colour!=black").negated
    assert criterion("theme/animal=dinosaur").names == ("theme", "animal")


def test_values_are_accepted_in_both_languages_with_shades_and_unisex() -> None:
    assert {"蓝色", "藏青色", "navy"} <= accepted("colour", "blue")
    assert accepted("audience", "men") == {"男士", "men", "男女通用", "unisex"}
    assert {"主动降噪", "active noise cancelling"} <= accepted("features", "active noise cancelling")


def test_negation_needs_the_fact_to_be_known() -> None:
    not_black = criterion("colour!=black")
    assert not_black.met(tee("白色", "1", "纯棉"))
    assert not not_black.met(tee("黑色", "1", "纯棉"))
    assert not not_black.met(Product(id="x", title="x"))


def test_a_terabyte_counts_as_gigabytes() -> None:
    disk = Product.model_validate({"id": "x", "title": "x", "attributes": {"storage": {"value": 1, "unit": "TB"}}})
    assert criterion("storage=1024").met(disk)


def test_audience_is_met_by_things_for_nobody_in_particular() -> None:
    assert criterion("audience=women").met(Product(id="x", title="x"))


def test_every_written_query_names_known_things() -> None:
    leaves = vocabulary().leaves
    for row in table("queries.tsv"):
        assert set(row["leaves"].split(",")) <= set(leaves), row
        assert set(filter(None, row["related"].split(","))) <= set(leaves) - set(row["leaves"].split(",")), row
        for text in row["criteria"].split("; "):
            read = criterion(text)
            assert read.values or read.low is not None or read.high is not None, (row["query"], text)


def test_the_default_shop_answers_every_query() -> None:
    shop = list(generate())
    queries = judged_queries(shop)
    written = {row["query"] for row in table("queries.tsv")}
    assert written <= {query.query for query in queries}, "a written query has no grade-3 product"
    assert len({query.query for query in queries}) == len(queries) >= 80
    assert min(Counter(query.language for query in queries)[language] for language in ("zh", "en")) >= 40
    kinds = {"vague", "colloquial", "misspelt", "price", "cross-lingual", "identifier", "negation", "brand", "measure"}
    assert kinds <= {query.intent for query in queries}
    by_id = {product.id: product for product in shop}
    for query in queries:
        assert 3 in query.grades.values()
        assert len(query.grades) < len(shop) / 4, query.query
        if query.intent != "identifier":
            assert all(grade(query, by_id[name]) == mark for name, mark in query.grades.items())


def test_relevant_products_come_in_both_languages() -> None:
    shop = {product.id: product for product in generate()}
    languages = Counter(
        shop[name].language
        for query in judged_queries(shop.values())
        if query.language == "zh"
        for name, mark in query.grades.items()
        if mark == 3
    )
    assert languages["en"] > 0.15 * languages.total()


def test_a_shop_without_answers_has_no_queries() -> None:
    assert judged_queries([]) == []
    assert judged_queries([Product(id="x", title="x")]) == []
