"""A filter as rows of a form: field, operator, value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lingsou.core.errors import InputError
from lingsou.retrieval.filters import FieldKind

Operator = Literal["is", "not", "gte", "lte", "gt", "lt", "exists", "missing"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
_BETWEEN = "|"


@dataclass(frozen=True)
class Condition:
    """One row. Several values of `is` and `not` stand side by side, parted by `|`."""

    field: str = ""
    operator: Operator = "is"
    value: str = ""

    @property
    def blank(self) -> bool:
        """Whether nothing is written in it."""
        return not self.field and not self.value


def filter_of(rows: Iterable[Condition], fields: Mapping[str, FieldKind]) -> dict[str, Any]:
    """The filter object that rows stand for; values of number fields become numbers.

    Raises:
        InputError: a row lacks its field or its value, or two rows of a field cannot be joined; `field` is `place`.
    """
    found: dict[str, Any] = {}
    for place, row in enumerate(rows):
        if row.blank:
            continue
        if not row.field or not (row.value or row.operator in ("exists", "missing")):
            raise InputError("missing", field=str(place))
        condition = _condition(row, fields.get(row.field, "keyword"))
        held = found.setdefault(row.field, condition)
        if held is condition:
            continue
        if not isinstance(held, dict) or not isinstance(condition, dict) or held.keys() & condition.keys():
            raise InputError("twice", field=str(place))
        held.update(condition)
    return found


def rows_of(condition: Mapping[str, Any]) -> list[Condition] | None:
    """The rows that stand for a filter object; none where it says more than rows can."""
    rows: list[Condition] = []
    for field, value in condition.items():
        if field in ("any", "not"):
            return None
        for name, operand in value.items() if isinstance(value, Mapping) else [("is", value)]:
            wanted = "missing" if name == "exists" and not operand else name
            operator = next((each for each in OPERATORS if each == wanted), None)
            values = operand if isinstance(operand, list | tuple) else [operand]
            if operator is None or any(isinstance(each, list | dict) or _BETWEEN in str(each) for each in values):
                return None
            shown = "" if name == "exists" else _BETWEEN.join(str(each) for each in values)
            rows.append(Condition(field, operator, shown))
    return rows


def _condition(row: Condition, kind: FieldKind) -> Any:
    match row.operator:
        case "exists" | "missing":
            return {"exists": row.operator == "exists"}
        case "is" | "not":
            values = [_value(part, kind) for part in map(str.strip, row.value.split(_BETWEEN)) if part]
            held = values[0] if len(values) == 1 else values
            return held if row.operator == "is" else {"not": held}
        case _:
            return {row.operator: _value(row.value.strip(), "number")}


def _value(text: str, kind: FieldKind) -> str | int | float:
    if kind == "keyword":
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
