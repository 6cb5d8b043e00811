"""Guessed attribute rules: families of columns by prefix, nested objects, and single short columns."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from lingsou.catalog.mapping import AttributeRule
from lingsou.catalog.profile import Column
from lingsou.catalog.synonyms import field_names, ignored

MAX_SINGLE_LENGTH = 100
_FAMILY = re.compile(
    r"(?P<base>attr|attrs|attribute|attributes|prop|property|properties|spec|specs|param|params|feature|属性|参数|规格)"
    r"(?P<sep>[_.:\- ])(?:(?P<type>t|n|b|s|i|f|text|str|string|num|number|int|float|bool|boolean)(?P=sep))?.+",
    re.IGNORECASE,
)
_TYPES: dict[str, Literal["text", "number", "bool"]] = {
    **dict.fromkeys(("t", "s", "text", "str", "string"), "text"),
    **dict.fromkeys(("n", "i", "f", "num", "number", "int", "float"), "number"),
    **dict.fromkeys(("b", "bool", "boolean"), "bool"),
}
_PAIRS = (
    ("attribute_name", "attribute_value"),
    ("name", "value"),
    ("key", "value"),
    ("attribute", "value"),
    ("名称", "值"),
)
_NESTED = frozenset(
    (
        *("attributes", "attribute", "attrs", "properties", "props", "specs", "specifications", "params", "features"),
        *("details", "属性", "参数", "规格", "规格参数"),
    )
)


def attribute_rules(columns: Sequence[Column]) -> tuple[tuple[AttributeRule, ...], list[str]]:
    """Rules for the columns that no field took, and what to say about each that is left out."""
    families: dict[str, list[Column]] = defaultdict(list)
    singles: list[Column] = []
    dropped: list[str] = []
    for column in columns:
        family = _FAMILY.fullmatch(column.name)
        if family:
            typed = family["type"] + family["sep"] if family["type"] else ""
            families[f"{family['base']}{family['sep']}{typed}"].append(column)
        else:
            singles.append(column)
    # The longer prefix stands first, since the first rule that fits holds.
    rules = [
        AttributeRule(source=f"{prefix}*", type=_family_type(prefix, families[prefix]))
        for prefix in sorted(families, key=lambda prefix: (-len(prefix), prefix))
    ]
    for column in singles:
        rule = _nested(column) or _single(column)
        if isinstance(rule, AttributeRule):
            rules.append(rule)
        else:
            dropped.append(f"{column.name} ({rule})")
    return tuple(rules), dropped


def _family_type(prefix: str, members: Sequence[Column]) -> Literal["auto", "text", "number", "bool"]:
    """What the prefix says, if every value agrees."""
    said = re.split(r"[_.:\- ]", prefix.rstrip("_.:- "))[-1].casefold()
    wanted = _TYPES.get(said)
    values: list[Any] = [value for column in members for value in column.values]
    if wanted == "number" and all(column.plain_numbers or column.empty for column in members):
        return "number"
    if wanted == "bool" and all(column.bools or column.empty or column.words <= {"0", "1"} for column in members):
        return "bool"
    if wanted == "text" and all(not isinstance(value, dict | list | tuple) for value in values):
        return "text"
    return "auto"


def _nested(column: Column) -> AttributeRule | None:
    """Objects of names and values, or lists of such pairs."""
    if not column.objects and not column.json:
        return None
    extra: dict[str, Any] = {"json": True} if column.json else {}
    objects = [part for part in column.parts if isinstance(part, dict)]
    if not objects or len(objects) < len(column.parts):
        return None
    lists = any(isinstance(value, list | tuple) for value in column.values) or len(column.parts) > column.count
    for label, value in _PAIRS:
        if all(label in part and value in part for part in objects):
            return AttributeRule(source=column.name, pair=(label, value), **extra)
    if not lists and column.key in _NESTED:
        return AttributeRule(source=f"{column.name}.*", **extra)
    return None


def _single(column: Column) -> AttributeRule | str:
    """A short column that tells products apart is an attribute; anything else gets the reason why it is not."""
    if column.empty:
        return "empty"
    if column.key in ignored() or column.urls or column.files:
        return "says nothing of the product"
    if column.key.endswith("_id") or column.key in ("id", *field_names()["id"]):
        return "a number of another table"
    if column.key in field_names()["price"]:
        return "another price"
    if column.objects:
        return "objects"
    if len(column.name) > 100:
        return "its name is too long"
    name = column.name.strip()
    if column.bools or (column.key.startswith(("is_", "has_", "是否")) and set(column.texts) <= {"0", "1"}):
        return AttributeRule(source=name, type="bool")
    if column.plain_numbers and column.scalar:
        return AttributeRule(source=name, type="number", unit=column.hint[:32] or None)
    few = column.distinct <= max(20, column.count // 2)
    if column.longest <= MAX_SINGLE_LENGTH and few:
        return AttributeRule(source=name, type="auto" if not column.scalar else "text")
    return f"long or ever different text, up to {column.longest} characters"
