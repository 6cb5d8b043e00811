"""The vocabulary agrees with what the index stores."""

from collections import Counter, defaultdict

from lingsou.core.types import Attribute, Product
from lingsou.demo import generate
from lingsou.query import vocabulary_of
from lingsou.query.vocabulary import is_asked_for
from lingsou.retrieval.engines.embedded.analysis import attribute_numbers, keywords


def test_values_are_spelled_and_counted_as_in_the_index() -> None:
    products = list(generate(300))
    found = vocabulary_of(products)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    numbers: Counter[str] = Counter()
    for product in products:
        for field, value in keywords(product):
            counts[field][value] += 1
        numbers.update(field for field, _ in attribute_numbers(product))
    expected = {
        field: dict(values)
        for field, values in counts.items()
        if field in ("brand", "category") or field.startswith("attributes.")
    }
    assert found.fields == expected
    assert {field: number.count for field, number in found.numbers.items()} == numbers
    assert found.has_price


def test_what_number_fields_know() -> None:
    products = [
        Product(id=str(n), title="x", category=("A", "B"), attributes={"screen": Attribute(value=value, unit=unit)})
        for n, (value, unit) in enumerate([(15.6, "inch"), (17, "inch"), (27, "英寸")])
    ]
    found = vocabulary_of(products)
    screen = found.numbers["attributes.screen"]
    assert (screen.count, screen.units, screen.low, screen.high) == (3, {"inch": 2, "英寸": 1}, 15.6, 27)
    assert screen.categories == {"A > B": 3}
    assert not found.has_price


def test_nobody_searches_by_pallets() -> None:
    assert not is_asked_for("attributes.package_weight")
    assert not is_asked_for("attributes.master__outer__case_width")
    assert is_asked_for("attributes.weight")
    assert is_asked_for("attributes.case_type")
