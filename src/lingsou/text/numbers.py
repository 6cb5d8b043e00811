"""Numbers as shoppers write them: digits, Chinese numerals, English words, and mixtures of these.

Also the light folding that the quantity, price and negation parsers share. It keeps one character per
character, so a span found in the folded text is valid in the text that was given.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_CHARACTERS = 2_000
"""Parsers of this package read no further: a longer text is a description, not a query or a title."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if code != 0xFF0C}  # "，" never groups digits
_SYMBOLS = {
    **dict.fromkeys(map(ord, "　\u00a0\u2009\u202f"), " "),
    **dict.fromkeys(map(ord, "“”〃″＂"), '"'),
    **dict.fromkeys(map(ord, "‘’′"), "'"),
    **dict.fromkeys(map(ord, "–—−‒―﹣－"), "-"),
    **dict.fromkeys(map(ord, "～〜∼"), "~"),
    **dict.fromkeys(map(ord, "×✕"), "x"),
    ord("￥"): "¥",
    ord("￡"): "£",
    ord("圓"): "元",
    ord("圆"): "元",
}
_TRADITIONAL = dict(
    zip(
        map(
            ord,
            "塊錢內於過餘萬億兩貳雙個張條歲碼號盒裝顆粒隻無帶沒歐鎊價預約間與幣並別喜歡慮買時鐘層卷對介從紅藍綠黃東標紋連頭鏈釦",
        ),
        "块钱内于过余万亿两二双个张条岁码号盒装颗粒只无带没欧镑价预约间与币并别喜欢虑买时钟层卷对介从红蓝绿黄东标纹连头链扣",
        strict=True,
    )
)
_FOLDS: dict[int, str | int] = {**_FULL_WIDTH, **_SYMBOLS, **_TRADITIONAL}


def fold(text: str) -> str:
    """Lower case, half width, simplified numerals and units; as many characters as `text`, at most `MAX_CHARACTERS`."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        return text.lower()
    folded = text.translate(_FOLDS)
    lower = folded.lower()
    if len(lower) == len(folded):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in folded)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text. `ceiling` is set by an open ending: `3千多` is at least 3000 and less than 4000."""

    start: int
    end: int
    surface: str
    value: Decimal
    ceiling: Decimal | None = None


_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000, "k": 1_000, "w": 10_000}

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_WORDS = {word: value for value, word in enumerate(re.findall(r"\w+", _ONES))}
_TENS = {
    f"{stem}ty": 10 * value
    for value, stem in enumerate(("twen", "thir", "for", "fif", "six", "seven", "eigh", "nine"), 2)
}
_WORD = "|".join(sorted([*_WORDS, *_TENS, "hundred", "thousand"], key=len, reverse=True))

ARABIC = r"(?:\d{1,3}(?:,\d{3}){1,4}(?![\d,])|\d{1,15})(?:\.\d{1,6})?(?!\d)"
_SCALED = rf"{ARABIC}(?:(?:[百千万亿](?:\d千|\d(?![\d.]))?)|[kw](?![a-z0-9]))?"
CHINESE = r"[零〇一二两三四五六七八九十百千万亿半]{1,12}"
ENGLISH = rf"(?<![a-z])(?:a (?=hundred|thousand))?(?:{_WORD})(?:(?:[ -]| and )(?:{_WORD})){{0,8}}(?![a-z])"
NUMBER = rf"(?:{_SCALED}|{CHINESE}|{ENGLISH})"
"""Pattern of any number in folded text; what it finds may still be refused by `read_number`."""

MORE = (
    r"多(?!功能|用|层|色|彩|种|口味|媒|维|肉|款|尺|档|喝|芬|规格|角|模|人|巴)|余(?=元|块|$|\s)|(?<=[十百千万])几(?!何)"
)
"""Pattern of an open ending: `3千多`, `十几`; not the 多 of 多功能."""
_FIND = re.compile(rf"(?<![a-z0-9.])({NUMBER})({MORE})?")
_ARABIC_PARTS = re.compile(rf"({ARABIC})([百千万亿kw])?(\d)?(千)?")


def _read_arabic(surface: str) -> Decimal | None:
    parts = _ARABIC_PARTS.fullmatch(surface)
    if parts is None:
        return None
    value = Decimal(parts[1].replace(",", ""))
    if parts[2]:
        scale = _SCALES[parts[2]]
        value *= scale
        if parts[3]:  # "1万2" leaves out the next lower scale, "2万5千" names it
            value += int(parts[3]) * (1_000 if parts[4] else scale // 10)
    return value


def _read_chinese(surface: str) -> Decimal | None:
    if surface == "半":
        return Decimal("0.5")
    if all(char in _DIGITS for char in surface):
        if len(surface) == 1:
            return Decimal(_DIGITS[surface])
        spelled = len(surface) > 2 and "两" not in surface  # "二零二三" is spelled out; "三五" is a guess
        return Decimal("".join(str(_DIGITS[char]) for char in surface)) if spelled else None
    total = section = 0
    digit: int | None = None
    previous, after_zero, last_scale = 10**12, False, 0
    for position, char in enumerate(surface):
        if char in _DIGITS:
            if digit is not None:
                return None
            if _DIGITS[char] == 0:
                after_zero = True
            else:
                digit = _DIGITS[char]
        elif char in "十百千":
            scale = _SCALES[char]
            if scale >= previous or (digit is None and position and not (char == "十" and after_zero)):
                return None
            section += (digit if digit is not None else 1) * scale
            digit, previous, last_scale, after_zero = None, scale, scale, False
        elif char in "万亿":
            section += digit or 0
            if position and not section:
                return None
            total = (total + (section or 1)) * _SCALES[char]
            section, digit, previous, last_scale, after_zero = 0, None, 10**12, _SCALES[char], False
        else:  # "半" inside a numeral
            return None
    if digit is not None:
        section += digit * (last_scale // 10 if last_scale >= 100 and not after_zero else 1)
    return Decimal(total + section)


def _read_english(surface: str) -> Decimal | None:
    total = current = 0
    room = 1_000  # the next word must be smaller than this: no "twenty thirty", no "five six"
    words = [word for word in re.split(r"[ -]+", surface) if word not in ("and", "a")]
    for position, word in enumerate(words):
        if word == "thousand":
            if total:
                return None
            total, current, room = (current or 1) * 1_000, 0, 1_000
        elif word == "hundred":
            if current >= 100 or (position and not current):
                return None
            current, room = (current or 1) * 100, 100
        else:
            value = _TENS.get(word, _WORDS.get(word, -1))
            if value >= room:
                return None
            current += value
            room = 10 if word in _TENS else 1
    return Decimal(total + current)


def read_number(surface: str) -> Decimal | None:
    """Value of a folded piece of text that is wholly a number, or none: `一万二`, `1.5k`, `two hundred`."""
    if not surface:
        return None
    if surface[0].isdigit():
        return _read_arabic(surface)
    return _read_english(surface) if surface[0].isascii() else _read_chinese(surface)


def ceiling_of(value: Decimal) -> Decimal:
    """Where an open ending stops: one more of the lowest place that is written (3000 → 4000, 1500 → 1600)."""
    step = Decimal(1)
    while value and value % (step * 10) == 0:
        step *= 10
    return value + step


def find_numbers(text: str) -> list[Number]:
    """Every number of `text`, left to right. Digits that are part of a word (`b450`) are not numbers."""
    found = []
    for match in _FIND.finditer(fold(text)):
        value = read_number(match[1])
        if value is not None:
            ceiling = ceiling_of(value) if match[2] else None
            found.append(Number(match.start(), match.end(), text[match.start() : match.end()], value, ceiling))
    return found
