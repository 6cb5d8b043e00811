"""What the sampled values of each column are like: the evidence on which a mapping is guessed."""

import re
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from lingsou.catalog.columns import Missing
from lingsou.catalog.mapping import MISSING
from lingsou.catalog.values import UnfitError, moment, number, plain

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HINT = re.compile(r"[(（\[]([^)）\]]*)[)）\]]")
_LEADING = ("product_", "item_", "goods_", "prod_", "商品", "产品", "宝贝")
_KEPT = {
    "product_id",
    "item_id",
    "goods_id",
    "product_type",
    "item_group_id",
    "item_number",
    "item_no",
    "商品id",
    "商品编号",
}
_URL = re.compile(r"(https?:)?//", re.IGNORECASE)
_FILE = re.compile(r".+\.(jpe?g|png|webp|gif|svg|avif|bmp)(\?.*)?", re.IGNORECASE)
MODEL = r"(?=.*\d)[^\s\u3400-\u9fff]{3,40}"
"""A model number: one word with a digit, no Chinese."""
_MODEL = re.compile(MODEL)
_YES_NO = {"true", "false", "yes", "no", "是", "否"}
SEPARATORS = {
    "category": (" > ", ">", "›", "/", "|", "，", ","),
    "tags": (",", "，", "|", ";", "；", "、"),
    "images": ("|", ",", ";"),
}
_missing = Missing(MISSING)


def key_of(name: str) -> str:
    """A column's name as synonyms are compared: `ProductName`, `product name` and `Name (zh)` are all `name`."""
    bare = _HINT.sub("", name).strip() or name
    key = re.sub(r"[^\w]+", "_", _CAMEL.sub("_", bare)).strip("_").lower() or bare.lower()
    if name.startswith("_"):
        key = f"_{key}"
    for prefix in _LEADING:
        if key not in _KEPT and key.startswith(prefix) and len(key) > len(prefix):
            return key[len(prefix) :]
    return key


@dataclass(frozen=True)
class Column:
    """One column of the sample."""

    name: str
    values: tuple[Any, ...]
    """those that are not missing"""
    rows: int
    """rows in the sample"""

    @cached_property
    def key(self) -> str:
        """The name for comparison."""
        return key_of(self.name)

    @property
    def hint(self) -> str:
        """What brackets in the name say, such as a currency or unit."""
        found = _HINT.search(self.name)
        return found.group(1).strip() if found else ""

    @property
    def count(self) -> int:
        """Values that are not missing."""
        return len(self.values)

    @property
    def empty(self) -> bool:
        """Whether the sample has no value."""
        return not self.values

    @property
    def full(self) -> bool:
        """Whether every row has a value."""
        return self.count == self.rows

    @property
    def scalar(self) -> bool:
        """Whether no value is a list or an object."""
        return not any(isinstance(value, list | tuple | dict) for value in self.values)

    @property
    def objects(self) -> bool:
        """Whether there are objects among the values or their members."""
        return any(isinstance(part, dict) for part in self.parts)

    @cached_property
    def json(self) -> bool:
        """Whether texts are JSON lists or objects."""
        texts = [value for value in self.values if isinstance(value, str)]
        return bool(texts) and all(_parsed(text) is not None for text in texts)

    @cached_property
    def parts(self) -> tuple[Any, ...]:
        """The values, lists (also those written as JSON) taken apart."""
        values = [_parsed(value) if self.json else value for value in self.values]
        return tuple(part for value in values for part in (value if isinstance(value, list | tuple) else (value,)))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The scalar parts as text."""
        return tuple(
            plain(part) for part in self.parts if not isinstance(part, dict | list | tuple) and part is not None
        )

    @cached_property
    def longest(self) -> int:
        """Length of the longest text."""
        return max(map(len, self.texts), default=0)

    @cached_property
    def distinct_share(self) -> float:
        """Distinct values by values; 1: all differ."""
        return len({orjson.dumps(value, default=str) for value in self.values}) / self.count if self.values else 0.0

    @property
    def distinct(self) -> int:
        """Distinct texts."""
        return len(set(self.texts))

    @cached_property
    def text_share(self) -> float:
        """Share of texts that are words rather than numbers."""
        return self._share([any(letter.isalpha() for letter in text) for text in self.texts])

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The values that are numbers, also as text with currency or unit."""
        found = []
        for part in self.parts:
            try:
                # A code such as "0012" or "B2B 300" is no number, a price such as "¥ 12" is.
                found.append(float(number(part)))
            except (UnfitError, ArithmeticError, ValueError):
                continue
        return tuple(found)

    @property
    def number_share(self) -> float:
        """Share of values that are numbers."""
        return len(self.numbers) / len(self.parts) if self.parts else 0.0

    @cached_property
    def plain_numbers(self) -> bool:
        """Whether every value is a number and nothing else."""
        return bool(self.parts) and all(
            (isinstance(part, int | float) and not isinstance(part, bool))
            or (isinstance(part, str) and re.fullmatch(r"\s*-?(0|[1-9]\d{0,14})(\.\d+)?\s*", part, re.ASCII))
            for part in self.parts
        )

    @property
    def integers(self) -> bool:
        """Whether all numbers are whole and written so."""
        return (
            bool(self.numbers)
            and all("." not in text for text in self.texts)
            and all(n == int(n) for n in self.numbers)
        )

    @property
    def smallest(self) -> float:
        """The smallest number."""
        return min(self.numbers, default=0.0)

    @property
    def largest(self) -> float:
        """The largest number."""
        return max(self.numbers, default=0.0)

    @cached_property
    def bools(self) -> bool:
        """Whether every value is true or false in some spelling."""
        return bool(self.values) and all(
            isinstance(value, bool) or (isinstance(value, str) and value.strip().casefold() in _YES_NO)
            for value in self.values
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """The distinct texts that are no numbers, small letters."""
        return frozenset(text.casefold() for text in self.texts if any(letter.isalpha() for letter in text))

    @cached_property
    def urls(self) -> bool:
        """Whether most texts are web addresses."""
        return self._share([bool(_URL.match(text)) for text in self.texts]) > 0.5

    @cached_property
    def files(self) -> bool:
        """Whether most texts are names of picture files."""
        return self._share([bool(_FILE.fullmatch(text)) for text in self.texts]) > 0.5

    @cached_property
    def model_share(self) -> float:
        """Share of texts that look like model numbers: one word with digits."""
        return self._share([bool(_MODEL.fullmatch(text)) for text in self.texts])

    @cached_property
    def code_share(self) -> float:
        """Share of texts that are EAN, GTIN, UPC or ISBN codes with the right check digit."""
        return self._share([valid_code(text) for text in self.texts])

    @cached_property
    def date_share(self) -> float:
        """Share of values that are dates; plain numbers count where they can be Unix times of this century."""
        return self._share([_is_date(value) for value in self.values])

    def separator(self, field: str) -> str:
        """The first separator of this field's that a good part of the texts hold, else an empty string."""
        if not all(isinstance(value, str) for value in self.values) and field != "category":
            return ""
        for separator in SEPARATORS.get(field, ()):
            if self._share([separator in text for text in self.texts]) > 0.2:
                return separator.strip()
        return ""

    @staticmethod
    def _share(holds: Sequence[bool]) -> float:
        return sum(holds) / len(holds) if holds else 0.0


def profile(rows: Sequence[AbstractMapping[str, Any]]) -> list[Column]:
    """The columns of the rows, in the order in which they first appear."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            held = values.setdefault(name, [])
            if not _missing.value(value):
                held.append(value)
    return [Column(name, tuple(held), len(rows)) for name, held in values.items()]


def valid_code(text: str) -> bool:
    """Whether a text is a GTIN (8, 12, 13 or 14 digits) whose last digit checks, or an ISBN-10."""
    digits = text.replace("-", "").replace(" ", "")
    if len(digits) in (8, 12, 13, 14) and digits.isascii() and digits.isdigit():
        weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
        return weighted % 10 == 0 and int(digits) > 0
    if (
        len(digits) == 10
        and digits[:9].isascii()
        and digits[:9].isdigit()
        and (digits[9].isdigit() or digits[9] in "Xx")
    ):
        last = 10 if digits[9] in "Xx" else int(digits[9])
        return (sum((10 - place) * int(digit) for place, digit in enumerate(digits[:9])) + last) % 11 == 0
    return False


def _parsed(text: Any) -> Any:
    if isinstance(text, str) and text[:1] in ("[", "{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
    return None


def _is_date(value: Any) -> bool:
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit() and len(value) != 8):
        try:
            return 2000 <= moment(float(value)).year <= 2100 and float(value) > 946_684_800
        except (UnfitError, ValueError):
            return False
    try:
        moment(value)
    except UnfitError:
        return False
    return True
