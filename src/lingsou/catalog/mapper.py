"""A mapping compiled to functions: row → `Product`, or → `ProductPatch`, or the reason why not."""

import hashlib
import re
from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from typing import Any

import orjson
from pydantic import ValidationError

from lingsou.catalog import values
from lingsou.catalog.attributes import attribute_reader
from lingsou.catalog.columns import Missing, cut, getter
from lingsou.catalog.feeds.base import RowProblem
from lingsou.catalog.mapping import LISTS, MOMENTS, FieldRule, Mapping
from lingsou.catalog.problems import unfit
from lingsou.catalog.values import UnfitError, shown
from lingsou.core.errors import ConfigurationError
from lingsou.core.types import VOLATILE_FIELDS, Product, ProductPatch

Row = AbstractMapping[str, Any]
Read = Callable[[Row], Any]
"""Returns the field's value, or `None` where the row has none; raises `UnfitError`."""


class Mapper:
    """The compiled form of one `Mapping`; stateless, so threads may share it."""

    def __init__(self, mapping: Mapping):
        self.mapping = mapping
        missing = Missing(mapping.missing)
        self._sources = {name: ", ".join(rule.source) for name, rule in mapping.fields.items()}
        self._fields = [(name, _reader(name, rule, missing)) for name, rule in mapping.fields.items()]
        self._volatile = [(name, read) for name, read in self._fields if name in VOLATILE_FIELDS]
        self._id = next((read for name, read in self._fields if name == "id"), None)
        self._attributes = attribute_reader(mapping, missing) if mapping.attributes else None
        price = mapping.fields.get("price")
        self._price = getter(price.source, missing) if price and "currency" not in mapping.fields else None

    def require(self, *names: str) -> None:
        """Raise `ConfigurationError` unless the mapping fills these fields."""
        for name in names:
            if name not in self.mapping.fields:
                raise ConfigurationError(
                    f"The mapping names no column for '{name}'.",
                    field=name,
                    cure=f'Add to [fields] of the mapping file: {name} = "COLUMN"',
                )

    def id(self, row: Row) -> str | None:
        """The row's id alone, or `None` where it cannot be read."""
        try:
            value = self._id(row) if self._id else None
        except (UnfitError, ArithmeticError):
            return None
        return value if isinstance(value, str) and 0 < len(value) <= 256 else None

    def product(self, row: Row) -> Product | RowProblem:
        """The product of one row."""
        fields: dict[str, Any] = {}
        name = ""
        try:
            for name, read in self._fields:
                value = read(row)
                if value is not None:
                    fields[name] = value
            name = "attributes"
            if self._attributes:
                fields["attributes"] = self._attributes(row)
            if self._price and "price" in fields:
                code = _currency_beside(self._price(row))
                if code:
                    fields["currency"] = code
            return Product(**fields)
        except UnfitError as error:
            return RowProblem(f"{name}: {error.kind}", error.reason, error.cure, getattr(error, "field", name), row)
        except ArithmeticError:
            return RowProblem(f"{name}: not a number", "the number is too large", "Give the real number.", name, row)
        except ValidationError as error:
            return unfit(error, row, self._sources)

    def patch(self, row: Row) -> ProductPatch | RowProblem:
        """The volatile fields that the row gives; empty cells change nothing."""
        name = "id"
        try:
            fields = {"id": self._id(row) if self._id else None}
            for name, read in self._volatile:
                value = read(row)
                if value is not None:
                    fields[name] = value
            if len(fields) == 1:
                names = ", ".join(name for name, _ in self._volatile) or "none"
                cure = f"Fill one of the mapped columns ({names}), or leave the row out."
                return RowProblem(
                    "nothing to change", "the row has neither price, stock nor another volatile field", cure, "", row
                )
            return ProductPatch(**fields)
        except UnfitError as error:
            return RowProblem(f"{name}: {error.kind}", error.reason, error.cure, name, row)
        except ArithmeticError:
            return RowProblem(f"{name}: not a number", "the number is too large", "Give the real number.", name, row)
        except ValidationError as error:
            return unfit(error, row, self._sources)


def _currency_beside(value: Any) -> str:
    return values.amount(value)[1] if isinstance(value, str) else ""


def _reader(name: str, rule: FieldRule, missing: Missing) -> Read:
    # "N/A" may well be a product's id or part of a title; only emptiness is missing there.
    missing = Missing(("",)) if name in ("id", "title") else missing
    get = getter(rule.source, missing, every=rule.take == "all")
    convert = _converter(name, rule, missing)
    constant = None if rule.constant is None else convert(rule.constant)
    lookup = {key.casefold(): value for key, value in rule.values.items()}
    like = re.compile(rule.match) if rule.match else None

    if len(rule.source) == 1 and "." not in rule.source[0] and rule.take == "first" and not lookup and not like:
        return _quick_reader(rule.source[0], convert, constant, missing)

    def read(row: Row) -> Any:
        value = get(row)
        if lookup and value is not None:
            value = lookup.get(str(value).casefold(), value)
            value = None if value == "" else value
        if like and isinstance(value, str) and not like.fullmatch(value.strip()):
            value = None
        return constant if value is None else convert(value)

    return read


def _quick_reader(source: str, convert: Callable[[Any], Any], constant: Any, missing: Missing) -> Read:
    """The same for one plain column, which nearly all rules have: a third of the time."""
    words, longest = missing.words, missing.longest
    texts = convert is values.plain or convert is _identifier

    def read(row: Row) -> Any:
        value = row.get(source)
        if type(value) is str:
            value = value.strip()
            if len(value) <= longest and value.casefold() in words:
                return constant
            return value if texts else convert(value)
        return constant if value is None or missing.value(value) else convert(value)

    return read


def _converter(name: str, rule: FieldRule, missing: Missing) -> Callable[[Any], Any]:
    if name in LISTS:
        return lambda value: names_list(value, rule, missing, first_only=name == "category")
    if name in MOMENTS:
        return lambda value: values.moment(value, rule.format)
    if name == "price":
        return lambda value: _scaled(value, rule, 4)
    if name == "rating":
        if rule.scale is None:
            return lambda value: value if type(value) is float else values.number(value, rule.decimal)
        return lambda value: _scaled(value, rule, 3)
    if name in VOLATILE_FIELDS:
        return (
            (lambda value: values.whole(value, rule.decimal))
            if rule.scale is None
            else (lambda v: int(_scaled(v, rule, 0)))
        )
    if rule.hash:
        return hashed
    if name == "id":
        return _identifier
    return values.plain


def _scaled(value: Any, rule: FieldRule, places: int) -> Any:
    number = values.number(value, rule.decimal)
    if rule.scale is not None:
        number *= rule.scale
    return round(number, places) if number.is_finite() and number != round(number, places) else number


def _identifier(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        raise UnfitError("not an id", f"{shown(value)} is a fraction", "Write ids as text.")
    if isinstance(value, bool):
        raise UnfitError("not an id", f"{shown(value)} is true or false", "Write ids as text.")
    return values.plain(value)


def hashed(value: Any) -> str:
    """Sixteen hexadecimal digits (64 bits) of BLAKE2b over the value; equal values have equal hashes."""
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return hashlib.blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def names_list(value: Any, rule: FieldRule, missing: Missing, *, first_only: bool) -> tuple[str, ...] | None:
    """Short strings out of a list, a JSON text, or one text with separators."""
    if rule.json_text and isinstance(value, str):
        value = from_json(value)
    found: list[str] = []
    for item in value if isinstance(value, list | tuple) else (value,):
        if rule.json_text and isinstance(item, str):
            item = from_json(item)
        for part in item if isinstance(item, list | tuple) else (item,):
            text = part.strip() if type(part) is str else "" if part is None else values.plain(part)
            if rule.split:
                found += [piece for piece in cut(text, rule.split) if not missing.word(piece)]
            elif not missing.word(text):
                found.append(text)
        if first_only and found and (rule.split or isinstance(item, list | tuple)) and rule.take == "first":
            break  # several paths: the first is the main one
    return tuple(found) or None


def from_json(text: str) -> Any:
    """The value of a JSON list or object; any other text stays as it is."""
    if text[:1] in ("[", "{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise UnfitError(
                "not valid JSON", f"{shown(text)} is not valid JSON", "Mend it, or drop `json`."
            ) from error
    return text
