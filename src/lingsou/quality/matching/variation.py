"""What tells variants of one product apart: measures, numbers, sizes, colours and sexes in titles and attributes."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from lingsou.core.types import Attribute
from lingsou.quality.attributes.lexicon import meanings
from lingsou.quality.matching.records import numbers
from lingsou.text.normalise import normalise
from lingsou.text.quantities import find_quantities

_SIZES = ("small", "medium", "large", "x-large", "extra large", "xs", "s", "m", "l", "xl", "xxs", "xxl", "xxxl")
_SIZES_HAN = ("小号", "中号", "大号", "加大号", "特大号", "均码")
_SEXES = {"male": ("men", "boys"), "female": ("women", "girls")}
_LETTER_SIZE = re.compile(r"(?<![a-z0-9'’.&-])(?:[2-9]xl|[xsml](?=码))(?![a-z0-9])")
_TELLING = (
    "colour",
    "color",
    "颜色",
    "色彩",
    "size",
    "尺码",
    "尺寸",
    "规格",
    "capacity",
    "容量",
    "volume",
    "flavour",
    "口味",
)
"""What names of attributes contain that variants differ in."""
_SPACE = re.compile(r"[^\w]+|_+")


class Variation(NamedTuple):
    """What a title says of its variant. Two that each say what the other does not are two variants."""

    numbers: frozenset[tuple[str, int]]
    """Each with how often it came before."""
    sizes: frozenset[str]
    colours: frozenset[str]
    sexes: frozenset[str]
    """Whom it is for: one of two or both; empty: nobody is named, or everybody."""

    def contradicts(self, other: "Variation") -> bool:
        """Whether both say something of one kind that the other lacks; a shade does not contradict its own colour."""
        colours = _lacking(self.colours, other.colours) and _lacking(other.colours, self.colours)
        kinds = ((self.numbers, other.numbers), (self.sizes, other.sizes), (self.sexes, other.sexes))
        return colours or any(mine - yours and yours - mine for mine, yours in kinds)


def _lacking(mine: frozenset[str], yours: frozenset[str]) -> bool:
    """Whether there is a colour that is none of yours, no shade of yours and has no shade among yours."""
    if mine <= yours:
        return False
    broader = _broader()
    families = {broader[colour] for colour in yours}
    return any(not yours.intersection((colour, broader[colour])) and colour not in families for colour in mine)


def variation_of(title: str) -> Variation:
    """Numbers, sizes, colours and sexes of a normalised title."""
    sizes = {*_size_words().findall(title), *_LETTER_SIZE.findall(title)}
    colours = {_colours()[found] for found in _colour_words().findall(title)}
    met: Counter[str] = Counter()
    counted = []
    for number in numbers(title):
        counted.append((number, met[number]))
        met[number] += 1
    sexes = {sex for sex, words in _sex_words().items() if words.search(title)}
    return Variation(frozenset(counted), frozenset(sizes), frozenset(colours), frozenset(sexes))


def stem_of(title: str) -> tuple[str, tuple[str, ...]]:
    """A title without what variants differ in, and what that was.

    Numbers count only with a unit, or as a size: the 12 of a telephone is its name.
    """
    text = normalise(title)
    spans = [(each.start, each.end) for each in find_quantities(text)]
    for pattern in (_colour_words(), _size_words(), _LETTER_SIZE):
        spans += [match.span() for match in pattern.finditer(text)]
    kept, taken, at = [], [], 0
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            kept.append(text[at:start])
            taken.append(" ".join(_SPACE.sub(" ", text[start:end]).split()))
            at = end
    kept.append(text[at:])
    return " ".join(_SPACE.sub(" ", " ".join(kept)).split()), tuple(taken)


def told_apart(mine: Mapping[str, Attribute], yours: Mapping[str, Attribute]) -> bool:
    """Whether an attribute that variants differ in has two values."""
    return any(
        name in yours and _plain(mine[name]) != _plain(yours[name])
        for name in mine
        if any(part in name.casefold() for part in _TELLING)
    )


def _plain(attribute: Attribute) -> object:
    value = attribute.value
    if isinstance(value, tuple):
        return frozenset(normalise(each) for each in value)
    return normalise(value) if isinstance(value, str) else value


@cache
def _colours() -> dict[str, str]:
    """Spelling → colour. A single Chinese character says too little."""
    found: dict[str, str] = {}
    for colour in meanings("colour").values():
        for spelling in (*colour.english, *colour.chinese):
            plain = normalise(spelling)
            if plain.isascii() or len(plain) > 1:
                found.setdefault(plain, colour.name)
    return found


@cache
def _broader() -> dict[str, str]:
    """Colour → what it is a shade of, or nothing."""
    return {colour.name: colour.broader for colour in meanings("colour").values()}


@cache
def _colour_words() -> re.Pattern[str]:
    return _any(_colours())


@cache
def _size_words() -> re.Pattern[str]:
    return _any((*_SIZES, *_SIZES_HAN))


@cache
def _sex_words() -> dict[str, re.Pattern[str]]:
    known = meanings("gender")
    found = {}
    for sex, names in _SEXES.items():
        english = [spelling for name in names for spelling in known[name].english]
        chinese = [spelling for name in names for spelling in known[name].chinese if len(spelling) > 1]
        owners = [spelling.removesuffix(" s") + "'s" for spelling in english if spelling.endswith(" s")]
        found[sex] = _any((*english, *owners, *chinese))
    return found


def _any(spellings: "Mapping[str, str] | tuple[str, ...]") -> re.Pattern[str]:
    longest = sorted(spellings, key=lambda each: (-len(each), each))
    latin = "|".join(re.escape(each) for each in longest if each.isascii())
    other = "|".join(re.escape(each) for each in longest if not each.isascii())
    return re.compile(rf"(?<![a-z0-9'’.&-])(?:{latin})(?![a-z0-9'’.&-])|(?:{other})")
