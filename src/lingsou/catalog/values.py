"""Single values as feeds write them (prices, counts, dates, yes and no) as Python values.

Every function raises `UnfitError` with the reason in plain words; the caller adds the field.
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal

DecimalMark = Literal["auto", ".", ","]

SYMBOLS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "US$": "USD", "HK$": "HKD", "NT$": "TWD",
    "美元": "USD", "欧元": "EUR", "日元": "JPY", "港元": "HKD", "韩元": "KRW", "英镑": "GBP", "元": "CNY",
}  # fmt: skip
"""Only what names one currency (`¥` and `$` do not), the longer before what it contains."""
_WORDS = {"RMB": "CNY", "人民币": "CNY", "CNY": "CNY", "RS": "INR", "RS.": "INR", "USD": "USD", "块": "CNY"}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d[\d.,]*\d|\d|\.\d+)", re.ASCII)
_DOTTED = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{2,3})*,\d{3}", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}")
_YES = {"true", "yes", "y", "1", "t", "on", "是", "有", "真"}
_NO = {"false", "no", "n", "0", "f", "off", "否", "无", "假"}
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(.*)", re.DOTALL)


class UnfitError(Exception):
    """A value that cannot become what its field needs. `kind` has none of the value's own words."""

    def __init__(self, kind: str, reason: str, cure: str):
        super().__init__(reason)
        self.kind, self.reason, self.cure = kind, reason, cure


def shown(value: Any) -> str:
    """A value as messages quote it: short, on one line."""
    text = " ".join(str(value).split())
    return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"


def number(value: Any, mark: DecimalMark = "auto") -> Decimal:
    """A number, whatever currency, unit or grouping it is written with; several numbers are refused."""
    return amount(value, mark)[0]


def amount(value: Any, mark: DecimalMark = "auto") -> tuple[Decimal, str]:
    """A number and the ISO 4217 code written beside it, empty where none or not certain."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise _not_a_number(value)
    if isinstance(value, float):
        # A binary float has digits that nobody wrote: 19.99 stored in 32 bits is 19.98999977.
        result = Decimal(repr(value))
        return (round(result, 4) if result.is_finite() and abs(result) < 10**15 else result), ""
    try:
        if mark != "," or not isinstance(value, str):
            result = Decimal(value)
            if result.is_finite():
                return result, ""
    except InvalidOperation:
        pass
    return _written(str(value), mark)


@lru_cache(maxsize=16_384)
def _written(text: str, mark: DecimalMark) -> tuple[Decimal, str]:
    found = _NUMBER.findall(text)
    if not found:
        raise _not_a_number(text)
    if len(found) > 1:
        raise UnfitError("several numbers", f"{shown(text)} holds several numbers", "Give one number.")
    before, _, after = text.partition(found[0])
    before, after = before.strip(), after.strip()
    code = currency(f"{before} {after}".strip())
    digits = re.sub(r"['’ \u00a0\u202f]", "", found[0])
    dot, comma = digits.rfind("."), digits.rfind(",")
    if mark == "," or (mark == "auto" and comma > dot >= 0):
        digits = digits.replace(".", "").replace(",", ".")
    elif mark == "." or dot >= 0 or _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
        if mark == "auto" and code == "EUR" and _DOTTED.fullmatch(digits):
            digits = digits.replace(".", "")  # "1.299 €": cents have two digits, so this dot groups thousands
    else:
        digits = digits.replace(",", ".")
    if digits.count(".") > 1:
        digits = digits.replace(".", "")
    if before[:1] in ("-", "−") and len(before) <= 4:
        digits = f"-{digits}"
    power = next((power for sign, power in _MYRIADS.items() if after.rstrip("+").startswith(sign)), 1)
    return Decimal(digits) * power, code


def currency(text: str) -> str:
    """The ISO 4217 code that a text beside a number names for certain, else an empty string."""
    if not text:
        return ""
    for symbol, code in SYMBOLS.items():
        if symbol in text:
            return code
    for word in text.replace("(", " ").replace(")", " ").upper().split():
        if word in _WORDS:
            return _WORDS[word]
        if _CODE.fullmatch(word) and len(text.strip()) <= 5:
            return word
    return ""


def _not_a_number(value: Any) -> UnfitError:
    return UnfitError(
        "not a number",
        f"{shown(value)} is not a number",
        "Give a number, or list the word under `missing` in the mapping.",
    )


def whole(value: Any, mark: DecimalMark = "auto") -> int:
    """A whole number: `12`, `12.0`, `1,234`, `1.2万`."""
    if type(value) is int:
        return value
    result = number(value, mark)
    if not result.is_finite() or result != result.to_integral_value():
        raise UnfitError("not a whole number", f"{shown(value)} is not a whole number", "Give a whole number.")
    if abs(result) >= 10**18:
        raise UnfitError("number too large", f"{shown(value)} is too large", "Give the real number.")
    return int(result)


def truth(value: Any) -> bool:
    """Yes or no, as English and Chinese feeds write it."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in _YES or value == 1:
        return True
    if word in _NO or value == 0:
        return False
    raise UnfitError("not yes or no", f"{shown(value)} is neither yes nor no", "Write true or false.")


def moment(value: Any, form: str | None = None) -> datetime:
    """A moment: ISO 8601, `2024/3/1 12:00`, `2024年3月1日`, or Unix seconds or milliseconds; `form` is for strptime."""
    try:
        if isinstance(value, datetime):
            return value
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= 10**11 else value, UTC)
        if isinstance(value, str):
            return _moment(value.strip(), form)
    except (ValueError, OverflowError, OSError):
        pass
    raise UnfitError(
        "not a date",
        f"{shown(value)} is not a date",
        "Write dates as 2024-03-01 or 2024-03-01T12:00:00Z, or give their `format` in the mapping.",
    )


def _moment(text: str, form: str | None) -> datetime:
    if form:
        return datetime.strptime(text, form)  # noqa: DTZ007 (Product takes a naive moment as UTC)
    if text.isdigit() and len(text) in (10, 13):
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        parts = _DATE.fullmatch(text)
        if not parts:
            raise
        year, month, day, rest = parts.groups()
        return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2} {rest.strip() or '00:00'}")


def plain(value: Any) -> str:
    """A short text: numbers as they print, lists joined by a blank."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # spreadsheets and data frames turn codes into floats
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return " ".join(plain(part) for part in value if part is not None)
    if isinstance(value, dict):
        raise UnfitError(
            "an object", "the value is an object", "Name one of its parts in the mapping, such as 'brand.name'."
        )
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    return str(value)
