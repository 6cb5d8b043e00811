"""The attribute rules of a mapping, compiled."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from typing import Any

import orjson

from lingsou.catalog import values
from lingsou.catalog.columns import Missing, cut, walk
from lingsou.catalog.mapping import AttributeRule, Mapping
from lingsou.catalog.values import UnfitError, shown
from lingsou.core.types import Attribute, AttributeValue

Row = AbstractMapping[str, Any]
MEMORY = 100_000
"""Columns, and values, that are remembered."""
_SCALARS = frozenset({str, int, float, bool})
_CURE = "Mend the value, list it under `missing`, or give the attribute's rule another `type`."


class AttributeUnfitError(UnfitError):
    """The same with the attribute's name."""

    def __init__(self, name: str, error: UnfitError):
        super().__init__(f"{name}: {error.kind}", error.reason, _CURE)
        self.field = f"attributes.{name}"


def attribute_reader(mapping: Mapping, missing: Missing) -> Callable[[Row], dict[str, Attribute]]:
    """A function from row to attributes. Where two columns give one name, the earlier column or rule wins."""
    exact = {rule.source: rule for rule in mapping.attributes if not rule.source.endswith("*")}
    patterns = [(rule.source[:-1], rule) for rule in mapping.attributes if rule.source.endswith("*")]
    nested = [(rule.source.split("."), rule) for rule in mapping.attributes if "." in rule.source]
    taken = {source for field in mapping.fields.values() for source in field.source} | set(mapping.drop)
    known: dict[str, tuple[str, AttributeRule] | None] = {}

    def find(column: str) -> tuple[str, AttributeRule] | None:
        if column in exact:
            return exact[column].name or column, exact[column]
        if column in taken:
            return None
        for prefix, rule in patterns:
            if column.startswith(prefix) and len(column) > len(prefix):
                return column[len(prefix) :], rule
        return None

    # The same values recur all over a catalogue: what became of one is remembered, with its rule and type.
    made: dict[tuple[int, type, Any], Attribute | None] = {}

    def read(row: Row) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        for column, value in row.items():
            if value is None or value == "":
                continue
            try:
                target = known[column]
            except KeyError:
                # A feed with endless new names must not fill the memory.
                target = find(column)
                if len(known) < MEMORY:
                    known[column] = target
            if target is None:
                continue
            name, rule = target
            if name in found:
                continue
            kind = type(value)
            if kind not in _SCALARS or rule.pair:
                _add(found, name, rule, value, missing)
                continue
            key = (id(rule), kind, value)
            try:
                attribute = made[key]
            except KeyError:
                attribute = _attribute(name, rule, value, missing)
                if len(made) < MEMORY:
                    made[key] = attribute
            if attribute is not None:
                found[name] = attribute
        for path, rule in nested:
            for name, value in _inside(row, path, rule):
                _add(found, name, rule, value, missing)
        return found

    return read


def _inside(row: Row, path: list[str], rule: AttributeRule) -> Iterable[tuple[str, Any]]:
    """Names and values of a rule that reaches into nested objects."""
    if rule.source in row:
        return ()
    last = path[-1]
    parent = row.get(path[0]) if len(path) == 2 else row.get(rule.source[: -len(last) - 1]) or walk(row, path[:-1])
    if isinstance(parent, str) and rule.json_text:
        try:
            parent = orjson.loads(parent)
        except orjson.JSONDecodeError as error:
            raise UnfitError(
                "not valid JSON", f"{shown(parent)} is not valid JSON", "Mend it, or drop `json`."
            ) from error
    if not isinstance(parent, dict):
        return ()
    if last == "*":
        return parent.items()
    if last.endswith("*"):
        return [(name[len(last) - 1 :], value) for name, value in parent.items() if name.startswith(last[:-1])]
    return [(rule.name or last, parent[last])] if last in parent else ()


def _add(found: dict[str, Attribute], name: str, rule: AttributeRule, value: Any, missing: Missing) -> None:
    if rule.pair:
        for label, part in _pairs(value, rule):
            _put(found, label, rule, part, missing)
    else:
        _put(found, name, rule, value, missing)


def _put(found: dict[str, Attribute], name: str, rule: AttributeRule, value: Any, missing: Missing) -> None:
    if name and name not in found and (made := _attribute(name, rule, value, missing)) is not None:
        found[name] = made


def _pairs(value: Any, rule: AttributeRule) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and rule.json_text:
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise UnfitError("not valid JSON", f"{shown(value)} is not valid JSON", _CURE) from error
    label, part = rule.pair or ("", "")
    for item in value if isinstance(value, list | tuple) else (value,):
        if isinstance(item, AbstractMapping):
            yield str(item.get(label) or "").strip(), item.get(part)


def _attribute(name: str, rule: AttributeRule, value: Any, missing: Missing) -> Attribute | None:
    """The attribute that a value makes under a rule; `None` where it is missing."""
    if missing.value(value):
        return None
    unit = rule.unit
    if isinstance(value, dict) and "value" in value and value.keys() <= {"value", "unit"}:
        unit = value.get("unit") or unit
        value = value["value"]
        if missing.value(value):
            return None
    try:
        converted = _converted(rule, value, missing)
        return None if converted == () else Attribute(value=converted, unit=unit)
    except UnfitError as error:
        raise AttributeUnfitError(name, error) from error
    except ArithmeticError as error:
        raise AttributeUnfitError(name, UnfitError("not a number", "the number is too large", _CURE)) from error


def _converted(rule: AttributeRule, value: Any, missing: Missing) -> AttributeValue:
    if rule.type == "number":
        return value if type(value) in (int, float) else _number(value)
    if rule.type == "bool":
        return values.truth(value)
    if isinstance(value, str):
        if rule.split:
            return tuple(part for part in cut(value, rule.split) if not missing.word(part))
        return value.strip()
    if isinstance(value, list | tuple):
        return tuple(text for part in value if part is not None and (text := values.plain(part)))
    if rule.type == "auto" and isinstance(value, bool | int | float):
        return value
    if isinstance(value, AbstractMapping):
        return orjson.dumps(value, default=str).decode()
    return values.plain(value)


def _number(value: Any) -> int | float:
    number = values.number(value)
    whole = number.is_finite() and number == number.to_integral_value() and abs(number) < 2**53
    return int(number) if whole and "." not in str(value) else float(number)
