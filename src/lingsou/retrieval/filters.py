"""The filter grammar: JSON (or the CLI's `field=value` form) to a small tree, checked against the index's fields.

Keys of one object are AND, lists are any-of, `any` is OR, `not` excludes; `gt gte lt lte` are ranges and
`exists` asks whether a product has the field at all. docs/http.md has examples.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from lingsou.core.errors import RequestError

FieldKind = Literal["keyword", "number", "time", "both"]
"""`both`: an attribute that some products give as text and others as a number."""

_BOUNDS = ("gt", "gte", "lt", "lte")
_MAX_DEPTH, _MAX_NODES = 8, 1_000


@dataclass(frozen=True)
class Terms:
    """The field has at least one of the values. Numbers compare as numbers, text exactly."""

    field: str
    texts: tuple[str, ...]
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Range:
    """The field is a number (or a time in epoch seconds) within the bounds."""

    field: str
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True)
class Exists:
    """The field has any value at all."""

    field: str


@dataclass(frozen=True)
class Not:
    """The child does not hold."""

    child: "Filter"


@dataclass(frozen=True)
class AllOf:
    """Every child holds; none: everything passes."""

    children: tuple["Filter", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one child holds."""

    children: tuple["Filter", ...]


Filter = Terms | Range | Exists | Not | AllOf | AnyOf

EVERYTHING = AllOf(())
"""The filter that every product passes."""


def parse_filters(raw: Mapping[str, Any], fields: Mapping[str, FieldKind]) -> AllOf:
    """The tree for `raw`.

    Args:
        raw: what the request carries.
        fields: every field of the index that can be filtered, with its kind.

    Raises:
        RequestError: an unknown field, operator or value; the message names the field and the cure.
    """
    parser = _Parser(fields)
    return parser.parse_object(raw, depth=0)


class _Parser:
    def __init__(self, fields: Mapping[str, FieldKind]):
        self._fields = fields
        self._nodes = 0

    def parse_object(self, raw: Any, depth: int) -> AllOf:
        if not isinstance(raw, Mapping):
            raise RequestError(
                f"A filter is an object, not {_name(raw)}.", cure='Write {"field": value}.', field="filters"
            )
        if depth > _MAX_DEPTH:
            raise RequestError(f"Filters are nested deeper than {_MAX_DEPTH}.", cure="Flatten them.", field="filters")
        children: list[Filter] = []
        for key, value in raw.items():
            self._count(1)
            if key == "any":
                children.append(self._any(value, depth))
            elif key == "not":
                children.append(Not(self.parse_object(value, depth + 1)))
            else:
                children += self._field(key, value)
        return AllOf(tuple(children))

    def _count(self, more: int) -> None:
        self._nodes += more
        if self._nodes > _MAX_NODES:
            raise RequestError(f"Filters hold more than {_MAX_NODES} conditions.", cure="Send fewer.", field="filters")

    def _any(self, value: Any, depth: int) -> AnyOf:
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            raise RequestError(
                "`any` takes a list of at least one filter object.", cure='"any": [{…}, {…}]', field="any"
            )
        return AnyOf(tuple(self.parse_object(each, depth + 1) for each in value))

    def _field(self, field: str, value: Any) -> list[Filter]:
        kind = self._fields.get(field)
        if kind is None:
            raise unknown_field(field, self._fields)
        if not isinstance(value, Mapping):
            return [self._terms(field, kind, value)]
        found: list[Filter] = []
        bounds = {name: bound for name, bound in value.items() if name in _BOUNDS}
        if bounds:
            found.append(_range(field, kind, bounds))
        for name, operand in value.items():
            self._count(1)
            if name == "not":
                found.append(Not(self._terms(field, kind, operand)))
            elif name == "exists":
                if not isinstance(operand, bool):
                    raise RequestError("`exists` takes true or false.", cure='{"exists": true}', field=field)
                found.append(Exists(field) if operand else Not(Exists(field)))
            elif name not in _BOUNDS:
                raise RequestError(
                    f"There is no filter operator '{name}'.", cure="Use gt, gte, lt, lte, not or exists.", field=field
                )
        if not found:
            raise RequestError("The filter says nothing.", cure="Give a value, a list or an operator.", field=field)
        return found

    def _terms(self, field: str, kind: FieldKind, value: Any) -> Terms:
        values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        self._count(len(values))
        texts: list[str] = []
        numbers: list[float] = []
        for each in values:
            if isinstance(each, bool):
                texts.append("true" if each else "false")
            elif isinstance(each, int | float):
                (texts.append(_plain(each)) if kind == "keyword" else numbers.append(_finite(field, each)))
            elif isinstance(each, str):
                if kind == "keyword":
                    texts.append(each)
                elif kind == "both":
                    texts.append(each)
                    numbers += _maybe_number(each)
                else:
                    numbers.append(_number(field, kind, each))
            else:
                raise RequestError(f"{_name(each)} cannot be a filter value.", cure="Use text or numbers.", field=field)
        return Terms(field, tuple(texts), tuple(numbers))


def unknown_field(field: str, fields: Mapping[str, FieldKind]) -> RequestError:
    """The error for a field that the index does not have, with the nearest names."""
    near = difflib.get_close_matches(field, fields, n=3, cutoff=0.5)
    known = [name for name in fields if not name.startswith("attributes.")]
    cure = f"Did you mean {' or '.join(near)}?" if near else f"Use one of {', '.join(known)} or attributes.<name>."
    return RequestError(f"There is no field '{field}'.", cure=cure, field=field)


def _range(field: str, kind: FieldKind, bounds: Mapping[str, Any]) -> Range:
    if kind == "keyword":
        raise RequestError("This field holds text and has no order.", cure="Filter it by value.", field=field)
    value = {name: _number(field, kind, bound) for name, bound in bounds.items()}
    if {"gt", "gte"} <= value.keys() or {"lt", "lte"} <= value.keys():
        raise RequestError("Two bounds on the same side.", cure="Give gt or gte, and lt or lte.", field=field)
    return Range(
        field,
        low=value.get("gt", value.get("gte", -math.inf)),
        high=value.get("lt", value.get("lte", math.inf)),
        low_open="gt" in value,
        high_open="lt" in value,
    )


def _number(field: str, kind: FieldKind, value: Any) -> float:
    if kind == "time" and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise RequestError(
                f"'{value}' is not a time.", cure="Use ISO 8601: 2026-01-31T12:00:00Z.", field=field
            ) from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RequestError(f"{_name(value)} is not a number.", cure="Give a number.", field=field)
    try:
        return _finite(field, float(value))
    except (ValueError, OverflowError) as error:
        raise RequestError(f"'{value}' is not a number.", cure="Give a number.", field=field) from error


def _maybe_number(text: str) -> list[float]:
    try:
        number = float(text)
    except ValueError:
        return []
    return [number] if math.isfinite(number) else []


def _finite(field: str, value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RequestError(f"{value!r:.40} is not a finite number.", cure="Give a number.", field=field)
    return number


def _plain(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def _name(value: Any) -> str:
    return "null" if value is None else f"a value of type {type(value).__name__}"


def parse_filter_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """The CLI's form of the same grammar, as the JSON object.

    `brand=HP|Dell` any-of, `price=50..100` (at least 50, at most 100; either side may be empty), `brand!=HP` not,
    `ean=*` exists, `ean!=*` does not.

    Raises:
        RequestError: an argument without `=`, or a field named twice in a way that cannot be joined.
    """
    filters: dict[str, Any] = {}
    for argument in arguments:
        field, equals, text = argument.partition("=")
        negated = field.endswith("!")
        field = field.removesuffix("!").strip()
        if not equals or not field or not text:
            raise RequestError(
                f"'{argument}' is not a filter.", cure="Write --filter 'brand=HP|Dell' or --filter 'price=50..100'."
            )
        low, dots, high = text.partition("..")
        condition: dict[str, Any]
        if text == "*":
            condition = {"exists": not negated}
        elif dots and not negated and low + high and all(not bound or _maybe_number(bound) for bound in (low, high)):
            condition = {name: float(bound) for name, bound in (("gte", low), ("lte", high)) if bound}
        else:
            values = [value.strip() for value in text.split("|") if value.strip()]
            condition = {"not": values} if negated else {"any_of": values}
        stored = filters.setdefault(field, {})
        if stored.keys() & condition.keys():
            raise RequestError("This field is filtered twice.", cure="Join the values with |.", field=field)
        stored.update(condition)
    return {field: _simplified(field, condition) for field, condition in filters.items()}


def _simplified(field: str, condition: dict[str, Any]) -> Any:
    values = condition.pop("any_of", None)
    if values is None:
        return condition
    if condition:
        raise RequestError("A value list cannot be joined with other conditions.", cure="Use one form.", field=field)
    return values
