"""Hard constraints of a plan as one object of the filter grammar."""

from collections.abc import Iterable
from typing import Any

from lingsou.core.plan import Constraint

_LOWER, _UPPER = ("gt", "gte"), ("lt", "lte")


def hard_filters(constraints: Iterable[Constraint]) -> dict[str, Any]:
    """The filter object that the hard constraints ask for together; soft ones are left out.

    Bounds of one field are intersected, exclusions joined. `any_of` is the one key of a condition that the grammar
    writes differently: as a bare list. Two lists for one field (`brand:HP brand:Dell`) mean either.
    """
    bounds: dict[str, dict[str, Any]] = {}
    wanted: dict[str, list[Any]] = {}
    unwanted: dict[str, list[Any]] = {}
    for constraint in constraints:
        if not constraint.hard:
            continue
        for name, operand in constraint.condition.items():
            if name == "any_of":
                wanted.setdefault(constraint.field, []).extend(operand)
            elif name == "not":
                unwanted.setdefault(constraint.field, []).extend(operand)
            else:
                _tighten(bounds.setdefault(constraint.field, {}), name, operand)
    filters: dict[str, Any] = {field: dict(found) for field, found in bounds.items()}
    for field, values in wanted.items():
        filters[field] = list(dict.fromkeys(values))
    excluded = {field: list(dict.fromkeys(values)) for field, values in unwanted.items()}
    for field, values in excluded.items():
        if isinstance(filters.get(field), list):
            filters[field] = [value for value in filters[field] if value not in values] or filters[field]
        else:
            filters[field] = {**filters.get(field, {}), "not": values}
    return filters


def _tighten(bounds: dict[str, Any], name: str, operand: Any) -> None:
    """Keep the stricter of two bounds on one side; at the same number the open one is stricter."""
    side = _LOWER if name in _LOWER else _UPPER if name in _UPPER else (name,)
    other = next((key for key in side if key in bounds), None)
    if other is None:
        bounds[name] = operand
        return
    stricter = operand > bounds[other] if side == _LOWER else operand < bounds[other]
    if stricter or (operand == bounds[other] and name in ("gt", "lt")):
        del bounds[other]
        bounds[name] = operand
