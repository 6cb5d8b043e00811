"""Several hard constraints as one filter."""

from typing import Any

from lingsou.core.plan import Constraint
from lingsou.query import hard_filters


def constraint(field: str, hard: bool = True, **condition: Any) -> Constraint:
    return Constraint(
        start=0, end=1, surface="x", field=field, condition=condition, hard=hard, source="test", confidence=1
    )


def one(field: str, name: str, operand: Any) -> Constraint:
    return constraint(field, **{name: operand})


def test_soft_constraints_do_not_filter() -> None:
    assert hard_filters([constraint("price", hard=False, lte=5)]) == {}


def test_bounds_are_intersected() -> None:
    price = [constraint("price", gte=10, lte=100), constraint("price", lt=50), constraint("price", gte=5)]
    assert hard_filters(price) == {"price": {"gte": 10, "lt": 50}}
    assert hard_filters([constraint("price", lte=50), constraint("price", lt=50)]) == {"price": {"lt": 50}}
    assert hard_filters([constraint("price", gt=50), constraint("price", gte=50)]) == {"price": {"gt": 50}}


def test_lists_are_joined() -> None:
    wanted = [constraint("brand", any_of=["HP"]), constraint("brand", any_of=["Dell", "HP"])]
    assert hard_filters(wanted) == {"brand": ["HP", "Dell"]}
    refused = [one("brand", "not", ["HP"]), one("brand", "not", ["Dell"])]
    assert hard_filters(refused) == {"brand": {"not": ["HP", "Dell"]}}


def test_refused_values_leave_the_wanted_ones() -> None:
    both = [constraint("colour", any_of=["black", "red"]), one("colour", "not", ["black", "blue"])]
    assert hard_filters(both) == {"colour": ["red"]}
    assert hard_filters([constraint("colour", any_of=["red"]), one("colour", "not", ["red"])]) == {"colour": ["red"]}
