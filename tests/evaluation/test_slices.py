"""Slices by hand."""

from lingsou.core.types import Product
from lingsou.evaluation.slices import MOST_CATEGORIES, category_of, head_and_tail, slices

QUERIES = ("red shoes", "红色 跑步 鞋", "shoes", "very good red running shoes")


def cut(**chosen: object) -> dict[tuple[str, str], tuple[int, ...]]:
    values: dict[str, object] = {"counts": {}, "categories": {}, "terms": str.split} | chosen
    return {(each.dimension, each.name): each.places for each in slices(QUERIES, **values)}  # type: ignore[arg-type]


def test_each_dimension_is_a_partition() -> None:
    found = cut(
        counts={"shoes": 10, "red shoes": 6, "红色 跑步 鞋": 3},
        categories={"shoes": "Shoes", "red shoes": "Shoes", "红色 跑步 鞋": "Sport"},
    )
    assert found == {
        ("language", "en"): (0, 2, 3),
        ("language", "zh"): (1,),
        ("frequency", "tail"): (0, 1, 3),
        ("frequency", "head"): (2,),
        ("category", "Shoes"): (0, 2),
        ("category", "Sport"): (1,),
        ("category", "other"): (3,),
        ("length", "1 term"): (2,),
        ("length", "2 terms"): (0,),
        ("length", "3–4 terms"): (1,),
        ("length", "5 terms or more"): (3,),
    }


def test_what_all_share_is_no_slice() -> None:
    assert not any(dimension in {"frequency", "category"} for dimension, _ in cut())
    assert ("category", "Shoes") not in cut(categories=dict.fromkeys(QUERIES, "Shoes"))


def test_head_makes_half_and_equals_stay_together() -> None:
    assert head_and_tail([1, 10, 5, 4]) == ["tail", "head", "tail", "tail"]
    assert head_and_tail([5, 5, 5, 1]) == ["head", "head", "head", "tail"]
    assert head_and_tail([0, 0]) == ["head", "head"]
    assert head_and_tail([]) == []


def test_rare_categories_are_put_together() -> None:
    queries = [f"q{n}" for n in range(MOST_CATEGORIES + 3)]
    found = slices(queries, counts={}, categories={q: f"c{q}" for q in queries}, terms=str.split)
    (other,) = (each for each in found if (each.dimension, each.name) == ("category", "other"))
    assert len(other.places) == 3


def test_the_category_is_where_the_gain_lies() -> None:
    products = {
        name: Product(id=name, title=name, category=category)
        for name, category in {"a": ("Home", "Lamps"), "b": ("Sport",), "c": ("Sport",), "d": ()}.items()
    }
    assert category_of({"a": 1, "b": 1, "c": 1}, products) == "Sport"
    assert category_of({"a": 2, "b": 1, "c": 1}, products) == "Home", "3 against 2"
    assert category_of({"a": 1, "b": 1, "c": 0}, products) == "Home", "a tie goes by name; 0 gains nothing"
    assert category_of({"d": 3, "gone": 3}, products) == ""
