"""The table of units in both languages, and the pattern that recognises their spellings.

The table itself is `data/units.tsv`; a new spelling or unit is a line there. Dimensions have one base unit
each (length m, area m2, volume l, mass kg, power W, charge Ah, energy Wh, storage GB, frequency Hz, voltage V,
time s, duration months, resolution megapixels, counts 1); `factor` converts to it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: how it converts, how it is spelled, and what shows that a spelling means something else."""

    name: str
    dimension: str
    factor: Decimal
    token: str
    token_factor: Decimal
    chinese_numerals: bool
    not_before: re.Pattern[str] | None
    spellings: tuple[str, ...]


def read_table(name: str) -> list[list[str]]:
    """Rows of a tab-separated file of this package's data folder; lines that start with `#` are comments."""
    text = resources.files("lingsou.text").joinpath("data", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def units() -> dict[str, Unit]:
    """Every unit by name."""
    table = {}
    for name, dimension, factor, token, token_factor, numerals, not_before, spellings in read_table("units.tsv"):
        pattern = None if not_before == "-" else re.compile(not_before)
        table[name] = Unit(
            name,
            dimension,
            Decimal(factor),
            token,
            Decimal(token_factor),
            numerals == "h",
            pattern,
            () if spellings == "-" else tuple(spellings.split("|")),
        )
    return table


@cache
def unit_of_spelling() -> dict[str, Unit]:
    """Folded spelling → unit."""
    return {spelling: unit for unit in units().values() for spelling in unit.spellings}


def any_of(words: Iterable[str]) -> str:
    """A pattern of alternatives as a prefix tree, longest first: its time hardly grows with the number of words."""
    tree: dict[str, dict] = {}  # type: ignore[type-arg]  # recursive
    for word in words:
        node = tree
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return _pattern_of(tree)


def _pattern_of(tree: dict[str, dict]) -> str:  # type: ignore[type-arg]
    ends = "" in tree
    branches = [re.escape(char) + _pattern_of(below) for char, below in sorted(tree.items()) if char]
    if not branches:
        return ""
    inner = branches[0] if len(branches) == 1 and not ends else f"(?:{'|'.join(branches)})"
    return f"{inner}?" if ends else inner


@cache
def unit_pattern(*, chinese_numerals: bool = False) -> str:
    """Pattern of any unit spelling in folded text; Latin ones end at a word border (or before `x2`)."""
    chosen = [s for s, unit in unit_of_spelling().items() if unit.chinese_numerals or not chinese_numerals]
    latin = [s for s in chosen if s[-1].isascii() and s[-1].isalnum()]
    other = [s for s in chosen if s not in set(latin)]
    return rf"(?:{any_of(latin)}(?:(?![a-z0-9])|(?=x\d))|{any_of(other)})"


@cache
def _comparison_pattern(side: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    rows = [(meaning, pattern) for row_side, meaning, pattern in read_table("comparisons.tsv") if row_side == side]
    alternatives = "|".join(f"({pattern})" for _, pattern in rows)
    if side == "left":
        # most characters of a title begin no comparison word: one look at the character spares all alternatives
        letters = {char for _, pattern in rows for char in pattern} - set("()[]|?:$\\ ")
        begin = "".join(sorted(map(re.escape, letters)))
        # a Latin word stands alone: "discover 200" is not "over 200"
        alone = r"(?:(?<![a-z])|(?![a-z]))"
        whole = rf"(?=[{begin}])(?<![a-z])(?:{alternatives}){alone}\s{{0,2}}"
    else:
        whole = rf"\s?(?:{alternatives})"
    return re.compile(whole), tuple(meaning for meaning, _ in rows)


def bounds_before(folded: str) -> dict[int, list[tuple[int, str]]]:
    """Comparison words before something: where each ends (spaces skipped) → starts and meanings, outermost first.

    Words that follow each other ("price under", "预算 不超过") are chained: the later position lists all of them.
    """
    pattern, meanings = _comparison_pattern("left")
    found: dict[int, list[tuple[int, str]]] = {}
    for match in pattern.finditer(folded):
        meaning = meanings[(match.lastindex or 1) - 1]
        found[match.end()] = [*found.get(match.start(), []), (match.start(), meaning)]
    return found


def bound_after(folded: str, position: int) -> tuple[int, str] | None:
    """The comparison word at `position`, as its end and meaning."""
    pattern, meanings = _comparison_pattern("right")
    match = pattern.match(folded, position)
    return (match.end(), meanings[(match.lastindex or 1) - 1]) if match else None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A number before a spelling that has several meanings: `folded[at:end]` is the spelling."""

    value: Decimal
    folded: str
    at: int
    end: int
    spaced: bool
    capital: bool

    def then(self, pattern: str) -> bool:
        """Whether `pattern` follows the spelling."""
        return re.compile(pattern).match(self.folded, self.end) is not None

    def near(self, pattern: str) -> bool:
        """Whether `pattern` stands anywhere in the text."""
        return re.search(pattern, self.folded) is not None


_NOT_INCHES = (
    r" (?:\d(?!\d)|one|the|an?|my|your|stock|size|total|good|black|white|red|blue|green|pink|gr[ae]y|silver|gold|"
    r"brown|purple|yellow|orange|beige|navy|usa?|uk|china|india|europe|canada|cotton|leather|wool|dollars?|usd)(?![a-z])"
)
_MEMORY_NEXT = (
    r"\s?(?:内存|运存|显存|独显|运行|存储|固态|硬盘|u盘|优盘|闪存|机械|流量"
    r"|ram|rom|memory|ssd|hdd|ddr|emmc|usb|\+\s?\d)"
)
_MEMORY = r"内存|硬盘|固态|u盘|优盘|存储|手机|平板|笔记本|ssd|hdd|ram|memory|flash|tf卡|sd卡|nvme"
_MEMORY_SIZES = {16, 32, 64, 128, 256, 512, 1024}
_SCREEN = r"显示|电视|屏|投影|摄像|相机|高清|超清|分辨率|画质|tv|monitor|uhd|hdr|video|camera|display|webcam|screen"
_GOLD = r"\s?(?:金|玫瑰|白金|黄金|彩金|镀|gold|yellow|white|rose|solid|filled)"
_LAMP = r"led|灯|光|lamp|light|bulb|colou?r|色温|kelvin"


def _g(seen: Sighting) -> str:
    sized = seen.value in _MEMORY_SIZES
    if seen.then(_MEMORY_NEXT) or (seen.capital and sized and not seen.spaced):
        return "gb"
    if (seen.capital or sized) and seen.value >= 8 and seen.near(_MEMORY):
        return "gb"
    mobile = seen.value in (2, 3, 4, 5) and (seen.capital or seen.then(r"手机|全?网|路由|通|版|\s?phone"))
    return "network" if mobile else "g"


def _k(seen: Sighting) -> str | None:
    if seen.value in (2, 4, 5, 8) and not seen.spaced:
        return "resolution k" if seen.near(_SCREEN) or seen.then(r"$| ") else None
    if seen.value in (9, 10, 14, 18, 22, 24) and seen.then(_GOLD):
        return "karat"
    return "kelvin" if 1_800 <= seen.value <= 10_000 and seen.near(_LAMP) else None


def _p(seen: Sighting) -> str | None:
    if seen.value in (360, 480, 576, 720, 1080, 1440, 2160):
        return "line"
    return "hp" if seen.value <= 10 and seen.then(r"\s?(?:空调|挂机|柜机|变频)") else None


def _t(seen: Sighting) -> str | None:
    likely = seen.value <= 32 and not seen.spaced and "." not in f"{seen.value}"
    return "tb" if likely and (seen.capital or seen.near(_MEMORY)) else None


def _a(seen: Sighting) -> str | None:
    return "a" if seen.capital or (not seen.spaced and "." in f"{seen.value}") or seen.near(r"\d\s?v") else None


def _letter(name: str) -> Callable[[Sighting], str | None]:
    """`under 100 v neck` has no volts: a letter apart from a large number, or before a dash or `neck`, is no unit."""
    return lambda seen: None if seen.spaced and (seen.value >= 100 or seen.then(r"[ -]neck|[.-]\w")) else name


AMBIGUOUS: dict[str, Callable[[Sighting], str | None]] = {
    "in": lambda seen: "inch" if not seen.spaced or (seen.value <= 150 and not seen.then(_NOT_INCHES)) else None,
    '"': lambda seen: None if seen.spaced else "inch",
    "''": lambda seen: None if seen.spaced else "inch",
    "g": _g,
    "k": _k,
    "p": _p,
    "t": _t,
    "a": _a,
    "hp": lambda seen: "hp" if not seen.spaced or seen.value <= 10 else None,
    "m": _letter("m"),
    "l": _letter("l"),
    "v": _letter("v"),
    "h": _letter("h"),
    "年": lambda seen: "year" if seen.value < 100 and not seen.then(r"\d") else None,
    "码": lambda seen: "size" if seen.value <= 220 else None,
}
"""Spelling → the name of the unit that it means in its place, or none when it is no unit there."""


@cache
def currencies() -> tuple[list[tuple[re.Pattern[str], str]], str, str]:
    """Patterns with their codes, and all spellings before and after an amount as one pattern each."""
    codes, before, after = [], [], []
    for code, prefixes, suffixes in read_table("currencies.tsv"):
        before += [rf"(?<![a-z0-9/_-]){p}" if p[0].isalpha() and p[0].isascii() else p for p in prefixes.split("|")]
        after += [
            rf"{p}(?![a-z])" if p[0].isalpha() and p[0].isascii() else rf"{p}(?!\s?\d)" if p in ("\\$", "€", "£") else p
            for p in suffixes.split("|")
        ]
        bare = re.sub(
            r"\(\?[!=][^)]*\)", "", f"{prefixes}|{suffixes}"
        )  # what follows an amount says nothing of its code
        codes.append((re.compile(bare), code))
    return codes, "|".join(before), "|".join(after)


@cache
def currency_code(spelling: str) -> str:
    """ISO code of a folded spelling, or nothing."""
    return next((code for pattern, code in currencies()[0] if pattern.fullmatch(spelling)), "")
