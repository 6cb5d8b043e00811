"""The mapping file: which columns of a feed become which fields of a product.

A mapping is data; `lingsou.catalog.mapper` compiles it to functions. The file is TOML that people edit:

    [fields]
    id = "sku"
    title = ["title_zh", "title"]                  # the first that is not empty
    price = { source = "cents", scale = 0.01 }
    category = { source = "path", split = ">" }

    [[attributes]]
    source = "attr_n_*"                            # the name is what the star stands for
    type = "number"
"""

import json
import re
import tomllib
from collections.abc import Mapping as AbstractMapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from lingsou.catalog.values import DecimalMark
from lingsou.core.errors import ConfigurationError
from lingsou.core.types import Frozen, Product

if TYPE_CHECKING:
    from lingsou.catalog.mapper import Mapper

LISTS = frozenset({"category", "ean", "images", "tags"})
NUMBERS = frozenset({"price", "stock", "rating", "review_count", "sales"})
MOMENTS = frozenset({"created_at", "updated_at"})
FIELDS = frozenset(Product.model_fields) - {"attributes"}
MISSING = ("", "null", "none", "nan", "n/a", "#n/a", "\\n", "undefined", "-", "--", "暂无")

Scalar = bool | int | float | str


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _as_rule(value: Any) -> Any:
    return {"source": value} if isinstance(value, str | list | tuple) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class FieldRule(Frozen):
    """Where one field comes from."""

    source: Texts = Field((), description="columns, or paths into nested objects such as `brand.name`")
    take: Literal["first", "all"] = Field(
        "first", description="`all`: the values of every column, for lists and for `hash`"
    )
    constant: Any = Field(None, description="the value where no column has one")
    scale: Decimal | None = Field(None, gt=0, description="numbers are multiplied by it: 0.01 makes cents into units")
    decimal: DecimalMark = Field("auto", description="the decimal mark; `auto` reads 1,299.00 and 1.299,00")
    split: Texts = Field((), description="separators that cut a text into a list")
    json_text: bool = Field(False, alias="json", description="the text is JSON and is read as such first")
    hash: bool = Field(False, description="a short hash of the value stands for it; for ids of feeds that have none")
    format: str | None = Field(None, description="of dates, as for strptime; none reads ISO 8601 and Unix time")
    match: str | None = Field(None, description="a regular expression; a text that is not wholly like it is missing")
    values: AbstractMapping[str, Scalar] = Field(
        default_factory=dict,
        description='replacements, such as `{ "out of stock" = 0, "in stock" = "" }`; "" is missing',
    )

    @model_validator(mode="after")
    def _has_a_source(self) -> "FieldRule":
        if not self.source and self.constant is None:
            raise ValueError("name a `source` column or a `constant`")
        try:
            re.compile(self.match or "")
        except re.error as error:
            raise ValueError(f"`match` is not a regular expression: {error}") from error
        return self


class AttributeRule(Frozen):
    """Which columns become attributes."""

    source: str = Field(
        min_length=1, description="a column; or a pattern with one star at its end, `attr_t_*`, `specs.*`"
    )
    name: str | None = Field(None, description="of the attribute; none: the column's, or what the star stands for")
    type: Literal["auto", "text", "number", "bool"] = Field(
        "auto", description="`auto` keeps the type that the feed gives"
    )
    unit: str | None = None
    split: Texts = ()
    json_text: bool = Field(False, alias="json", description="the text is JSON and is read as such first")
    pair: tuple[str, str] | None = Field(
        None, description="the column is a list of objects; these parts are the attribute's name and value"
    )

    @model_validator(mode="after")
    def _is_readable(self) -> "AttributeRule":
        if "*" in self.source[:-1]:
            raise ValueError("a star may only end a `source` pattern")
        if self.name and self.source.endswith("*"):
            raise ValueError("a pattern takes each `name` from its column; leave `name` out")
        return self


class Mapping(Frozen):
    """How rows become products."""

    fields: AbstractMapping[str, Annotated[FieldRule, BeforeValidator(_as_rule)]]
    attributes: tuple[AttributeRule, ...] = Field((), description="the first rule that fits a column holds")
    missing: tuple[str, ...] = Field(MISSING, description="texts that mean: no value (case does not matter)")
    drop: tuple[str, ...] = Field((), description="columns that no attribute pattern takes")
    notes: AbstractMapping[str, str] = Field(
        default_factory=dict,
        exclude=True,
        description="remarks on fields, '' for all; written as comments, not read back",
    )

    @field_validator("fields")
    @classmethod
    def _fit_their_fields(cls, rules: AbstractMapping[str, FieldRule]) -> AbstractMapping[str, FieldRule]:
        for name, rule in rules.items():
            if name not in FIELDS:
                known = ", ".join(sorted(FIELDS))
                raise ValueError(f"there is no product field '{name}'; the fields are {known}, and [[attributes]]")
            if rule.scale is not None and name not in NUMBERS:
                raise ValueError(f"`scale` is for {', '.join(sorted(NUMBERS))}, not for '{name}'")
            if rule.split and name not in LISTS:
                raise ValueError(f"`split` is for {', '.join(sorted(LISTS))}, not for '{name}'")
            if rule.take == "all" and name not in LISTS and not rule.hash:
                raise ValueError(f"`take = 'all'` is for {', '.join(sorted(LISTS))}, not for '{name}'")
            if rule.format and name not in MOMENTS:
                raise ValueError(f"`format` is for {', '.join(sorted(MOMENTS))}, not for '{name}'")
            if rule.hash and name not in ("id", "group_id"):
                raise ValueError(f"`hash` is for id and group_id, not for '{name}'")
        return rules

    @cached_property
    def mapper(self) -> "Mapper":
        """The compiled mapping."""
        from lingsou.catalog.mapper import Mapper

        return Mapper(self)

    def apply(self, row: AbstractMapping[str, Any], number: int | None = None) -> Product:
        """The product of one row.

        Raises:
            ProductError: naming `number`, the field, the reason and the cure.
        """
        product = self.mapper.product(row)
        if isinstance(product, Product):
            return product
        raise product.error(number)

    def dump(self) -> str:
        """Commented TOML that `load_mapping` reads."""
        lines = [
            "# How the columns of a feed become products; docs/feeds.md explains every key.",
            *_comment(self.notes.get("", "")),
            "",
            f"missing = {_toml(self.missing)}",
            *([f"drop = {_toml(self.drop)}"] if self.drop else []),
            "",
            "[fields]",
        ]
        for name in (field for field in Product.model_fields if field in self.fields):
            lines += [*_comment(self.notes.get(name, "")), f"{name} = {_rule(self.fields[name])}"]
        lines += [f"# {name} = " for name in Product.model_fields if name in FIELDS - set(self.fields)]
        for rule in self.attributes:
            lines += ["", *_comment(self.notes.get(f"attributes.{rule.source}", "")), "[[attributes]]"]
            lines += [f"{key} = {_toml(value)}" for key, value in _set(rule).items()]
        return "\n".join(lines) + "\n"


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigurationError: no such file, not TOML, or a key or value is wrong.
    """
    try:
        return parse_mapping(path.read_text(encoding="utf-8-sig"), path.name)
    except FileNotFoundError as error:
        cure = "Write one with: lingsou import FEED --guess > mapping.toml"
        raise ConfigurationError(f"There is no mapping file '{path}'.", cure=cure) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"'{path}' cannot be read: {error}.", cure="Save it as UTF-8 text.") from error


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """The mapping that TOML text describes; see `load_mapping`."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name} is not valid TOML: {error}.", cure="Mend that line.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"{name}: {message}.", field=where, cure="docs/feeds.md explains every key."
        ) from error


def _set(rule: Frozen) -> dict[str, Any]:
    return rule.model_dump(by_alias=True, exclude_defaults=True)


def _rule(rule: FieldRule) -> str:
    parts = _set(rule)
    if "source" in parts and len(rule.source) == 1:
        parts["source"] = rule.source[0]
    return _toml(parts["source"]) if parts.keys() == {"source"} else _toml(parts)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.splitlines()]


def _toml(value: Any) -> str:
    if isinstance(value, AbstractMapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _toml(key)
