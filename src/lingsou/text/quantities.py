"""Measures in titles and queries: lengths, volumes, weights, power, storage, counts, ages, clothing sizes.

`find_quantities` runs on every product title at index time: one compiled pattern, and an early exit for texts
without a digit or a spelled measure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, partial
from typing import Literal

from lingsou.text.numbers import fold, read_number
from lingsou.text.units import (
    AMBIGUOUS,
    Sighting,
    any_of,
    bound_after,
    bounds_before,
    unit_of_spelling,
    unit_pattern,
    units,
)

Comparison = Literal["exact", "at least", "at most", "range"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measure in a text. `low` and `high` are in `unit`, an open end is none; `label` holds sizes that are words."""

    start: int
    end: int
    surface: str
    low: Decimal | None
    high: Decimal | None
    unit: str
    dimension: str
    comparison: Comparison = "exact"
    label: str = ""

    @property
    def base_low(self) -> Decimal | None:
        """`low` in the base unit of the dimension (see `units`)."""
        return None if self.low is None else to_base(self.low, self.unit)

    @property
    def base_high(self) -> Decimal | None:
        """`high` in the base unit of the dimension."""
        return None if self.high is None else to_base(self.high, self.unit)


def to_base(value: Decimal, unit: str) -> Decimal:
    """`value` of a unit in the base unit of its dimension."""
    if unit == "fahrenheit":
        return (value - 32) / Decimal("1.8")
    return value * units()[unit].factor


_COMMA = r"0,\d{1,2}(?![\d,.])|\d{1,3},\d(?![\d,.])"  # "30,5 m"; with two digits a comma rather lists: "24,27英寸"
_ARABIC = rf"(?:{_COMMA}|(?:\d{{1,3}}(?:,\d{{3}}){{1,2}}(?!\d)|\d{{1,7}}(?![\d,]\d))(?:\.\d{{1,4}})?)"
_FRACTION = r"(?:\d{1,3}[- ])?\d{1,2}/(?:2|3|4|8|16|32|64)(?!\d)"
_CHINESE = r"[一二两三四五六七八九十百半]{1,4}"
_LETTERS = r"(?:[2-9]xl|x{1,6}l|x{1,3}s|[sml])"
_COUNTRY_SIZES = {"us": (1, 16), "uk": (1, 20), "eu": (15, 50)}
_NUMBER_BEFORE = r"(?:(?<![a-z0-9.])(?<![a-z0-9][-_])|(?<=[\d克升片只包袋盒瓶支个米gl]x))"
_IMPERIAL = {"inch", "foot", "yard", "lb", "oz", "gallon", "quart", "pint", "hp", "fl oz"}


@cache
def _master() -> re.Pattern[str]:
    number = f"{_FRACTION}|{_ARABIC}"
    joined = (
        rf"(?P<first>{number})"
        rf"(?:\s?(?P<join1>-|~|到|至|x|\*| to )\s?(?P<second>{number})(?:\s?(?:x|\*)\s?(?P<third>{_ARABIC}))?)?"
    )
    half = "半(?![身袖价截])"  # "一斤半"; "1米8" is 1.8 m
    measure = (
        rf"{_NUMBER_BEFORE}{joined}(?P<gap>\s?-?\s?)(?P<unit>{unit_pattern()})"
        rf"(?P<tail>(?<=米)[1-9](?![\d.]|[个条根只件米x*]|cm)|{half})?"
    )
    chinese = (
        rf"(?<![一二两三四五六七八九十百第])(?P<han>{_CHINESE})(?P<han_unit>{unit_pattern(chinese_numerals=True)})"
        rf"(?P<han_tail>(?<=米)[一二三四五六七八九]|{half})?"
    )
    digits = r"\d{1,3}(?:\.5)?(?:-\d{1,3})?(?![\d.a-z])"
    size = rf"(?<![a-z])(?:size|sz|尺码|码数|鞋码)\s?:?\s?(?P<size>{_LETTERS}(?![a-z0-9])|{digits})"
    country = r"(?<![a-z])(?P<country>us|uk|eu)\s?(?P<country_size>\d{1,2}(?:\.5)?)(?![\d.a-z,%]|\s?(?:v|pin|inch|-))"
    letters = (
        r"(?<![a-z0-9'])(?<![a-z0-9][a-z0-9]-)(?:(?P<letters>[2-9]xl|x{1,6}l|x{1,3}s)(?![a-z0-9])码?"
        r"|(?P<letter>[sml])(?:码| size(?![a-z])))"
    )
    free = r"(?P<free>均码|(?<![a-z])(?:one size|free size)(?![a-z]))"
    pack = r"(?<![a-z])(?P<pack>pack|set|box|case|bundle) of (?P<pack_size>\d{1,4})(?![\d.])"
    age = r"(?<![a-z])(?:age|ages|aged)\s?(?P<age>\d{1,2})(?:\s?(?:-|to)\s?(?P<age_high>\d{1,2}))?(?![\d.a-z])"
    begin = "(?=[0-9abceflmopsux均尺码鞋一二两三四五六七八九十百半])"  # most characters begin nothing
    return re.compile(f"{begin}(?:{'|'.join([measure, chinese, age, pack, country, size, letters, free])})")


@cache
def _gate() -> re.Pattern[str]:
    numerals = any_of(s for s, unit in unit_of_spelling().items() if unit.chinese_numerals and not s.isascii())
    return re.compile(rf"\d|[一二两三四五六七八九十百半]{numerals}|(?<![a-z])size|xl|xs|尺码|码数|鞋码|[sml]码|均码")


_DECIMAL_COMMA = re.compile(_COMMA)


def _value(surface: str) -> Decimal | None:
    if "/" not in surface:
        return Decimal(surface.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(surface) else read_number(surface)
    whole, _, fraction = surface.replace("-", " ").rpartition(" ")
    above, below = fraction.split("/")
    return Decimal(whole or 0) + Decimal(above) / Decimal(below)


def _letter_size(surface: str) -> str:
    crosses = surface.count("x")
    return surface if crosses < 2 or surface[0].isdigit() else f"{crosses}x{surface[-1]}"


def _sized(match: re.Match[str], text: str) -> Quantity | None:
    """The reading of everything that is not number-then-unit: clothing sizes, `pack of 6`, `ages 3-5`."""
    start, end = match.span()
    make = partial(Quantity, start, end, text[start:end])
    kind = match.lastgroup
    low = high = None
    label = ""
    if kind in ("letters", "letter"):
        before = text[max(0, start - 8) : start].lower()
        if kind == "letters" and (before.endswith("iphone ") or before[-2:-1].isdigit()):
            return None  # "iPhone XS", "Pixel 4 XL"
        label = _letter_size(match[kind])
    elif kind == "free":
        label = "free"
    elif kind == "country_size":
        low = high = Decimal(match["country_size"])
        least, most = _COUNTRY_SIZES[match["country"]]
        if not least <= low <= most:
            return None
        label = "" if match["country"] == "eu" else match["country"]
    elif kind == "pack_size":
        low = high = Decimal(match["pack_size"])
        unit = units()["pack" if match["pack"] == "bundle" else match["pack"]]
        return make(low, high, unit.name, unit.dimension)
    elif kind in ("age", "age_high"):
        low = Decimal(match["age"])
        high = Decimal(match["age_high"] or match["age"])
        return make(min(low, high), max(low, high), "age", "age", "range" if low != high else "exact")
    elif match["size"][-1].isdigit():
        first, _, second = match["size"].partition("-")
        low, high = Decimal(first), Decimal(second or first)
        if low > high:
            low, high = high, low
    else:
        label = _letter_size(match["size"])
    return make(low, high, "size", "size", "range" if low != high else "exact", label)


def _measures(match: re.Match[str], text: str, folded: str) -> Iterator[Quantity]:
    """One match of number(s) and unit as quantities: a range is one, `7*10cm` are two, `2x500ml` is 500 ml."""
    if match["han"]:
        value, spelling, at, tail = (
            read_number(match["han"]),
            match["han_unit"],
            match.start("han_unit"),
            match["han_tail"],
        )
        starts, values, join, spaced = [match.start()], [value], None, False
        if value is None:
            return
    else:
        spelling, at, tail, join = match["unit"], match.start("unit"), match["tail"], match["join1"]
        groups = [name for name in ("first", "second", "third") if match[name]]
        starts = [match.start(name) for name in groups]
        values = [_value(match[name]) for name in groups]
        spaced = match["gap"].startswith(" ")
    end = match.end()
    unit_end = at + len(spelling)
    unit = unit_of_spelling()[spelling]
    value = values[-1]
    if value is None or (unit.not_before and tail is None and unit.not_before.match(folded, unit_end)):
        return
    if match["han"] is None and "/" in match[groups[-1]] and unit.name not in _IMPERIAL:
        if not match[groups[-1]].replace("/", "").isdigit():
            return
        starts[-1] += match[groups[-1]].index("/") + 1  # "6/8gb" lists two memories, it is no fraction
        values[-1] = value = read_number(folded[starts[-1] : match.end(groups[-1])])
        if value is None:
            return
    if spelling in AMBIGUOUS:
        seen = Sighting(value, folded, at, unit_end, spaced, text[at] != folded[at] and text[at].isupper())
        name = AMBIGUOUS[spelling](seen)
        if name is None:
            return
        unit = units()[name]
    if tail:
        values[-1] = value + (Decimal("0.5") if tail == "半" else (read_number(tail) or 0) / Decimal(10))
    if join and join not in "x*" and len(values) == 2:
        low, high = sorted(v for v in values if v is not None)
        yield Quantity(starts[0], end, text[starts[0] : end], low, high, unit.name, unit.dimension, "range")
        return
    if unit.dimension == "temperature" and _MINUS.search(folded, max(0, starts[0] - 1), starts[0]):
        starts[0] -= 1
        values[0] = -(values[0] or Decimal(0))
    if unit.dimension != "length":
        starts, values = starts[-1:], values[-1:]
    borders = [*starts[1:], end]
    for start, border, number in zip(starts, borders, values, strict=True):
        stop = border if border == end else start + len(folded[start:border].rstrip(" x*-"))
        yield Quantity(start, stop, text[start:stop], number, number, unit.name, unit.dimension)


_MINUS = re.compile(r"(?<![a-z0-9])-$")
_CONNECTOR = re.compile(r"\s?(?:-|~|到|至|to)\s?")


def _joined(found: list[Quantity], text: str, folded: str) -> list[Quantity]:
    """`3岁-6岁` is one range, not two quantities."""
    merged: list[Quantity] = []
    for item in found:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.unit == item.unit
            and last.comparison == item.comparison == "exact"
            and last.low is not None
            and item.low is not None
            and last.low < item.low
            and _CONNECTOR.fullmatch(folded, last.end, item.start)
        ):
            merged[-1] = replace(
                last, end=item.end, surface=text[last.start : item.end], high=item.low, comparison="range"
            )
        else:
            merged.append(item)
    return merged


_MEANING: dict[str, Comparison] = {"lt": "at most", "lte": "at most", "gt": "at least", "gte": "at least"}


def _bounded(found: list[Quantity], text: str, folded: str) -> list[Quantity]:
    """Take the comparison words around each quantity into it: `under 15 inch`, `16G以上`."""
    before = bounds_before(folded)
    result = []
    free_from = 0
    for item in found:
        start, end, comparison = item.start, item.end, item.comparison
        if comparison == "exact" and item.low is not None:
            after = bound_after(folded, end)
            if after and after[1] in _MEANING and item.unit != "v":  # "20V MAX" is a line of tools
                end, comparison = after[0], _MEANING[after[1]]
            for at, meaning in before.get(item.start, ()):
                if meaning in _MEANING and at >= free_from:
                    start, comparison = min(start, at), _MEANING[meaning]
        if comparison != item.comparison:
            low, high = (None, item.high) if comparison == "at most" else (item.low, None)
            item = replace(
                item, start=start, end=end, surface=text[start:end], low=low, high=high, comparison=comparison
            )
        free_from = item.end
        result.append(item)
    return result


def find_quantities(text: str) -> list[Quantity]:
    """Every measure of `text`, left to right, spans into `text` (the first `MAX_CHARACTERS` characters of it)."""
    folded = fold(text)
    if not _gate().search(folded):
        return []
    found: list[Quantity] = []
    for match in _master().finditer(folded):
        if match["unit"] or match["han_unit"]:
            found.extend(_measures(match, text, folded))
        elif sized := _sized(match, text):
            found.append(sized)
    return _bounded(_joined(found, text, folded), text, folded) if found else []


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def canonical_token(quantity: Quantity) -> str:
    """One spelling for one measure, for the index: `17in`, `500ml` (of 0.5 L too), `1500g`, `size42`, `3-6age`."""
    if quantity.unit == "size":
        numbers = [_plain(v) for v in (quantity.low, quantity.high) if v is not None]
        return "size" + quantity.label + "-".join(dict.fromkeys(numbers))
    unit = units()[quantity.unit]
    values = [v * unit.token_factor for v in (quantity.low, quantity.high) if v is not None]
    written = unit.token
    if written == "g" and unit.dimension == "mass" and values[-1] < 1:
        written, values = "mg", [v * 1_000 for v in values]
    elif written == "hz" and values[-1] >= 1_000_000:
        written, values = "mhz", [v / 1_000_000 for v in values]
    if len(values) == 2 and values[0] == values[1]:
        values.pop()
    return "-".join(_plain(v) for v in values) + written
