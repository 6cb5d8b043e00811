"""What values of usual attributes are called in both languages; the table itself is `values.tsv`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lingsou.quality.attributes.mentions import Phrase, phrase
from lingsou.text.normalise import normalise

_NAMES: Mapping[str, tuple[str, ...]] = {
    "colour": ("colour", "color", "颜色", "色彩"),
    "material": ("material", "fabric", "材质", "面料", "材料"),
    "gender": ("gender", "sex", "性别", "适用人群"),
    "pattern": ("pattern", "图案", "花纹"),
}
"""Kind of closed values → what names of such attributes contain."""
_LEAST_KNOWN = 0.3
"""So much of an attribute's values must be of a kind that is told by name alone."""
_MOSTLY = 0.6
"""And of one that its name does not tell."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One value, whatever it is called."""

    name: str
    broader: str
    """The value that it is a shade of, or empty."""
    english: tuple[str, ...]
    chinese: tuple[str, ...]


@cache
def meanings(kind: str) -> Mapping[str, Meaning]:
    """The values of a kind, by name."""
    found = {}
    for line in files("lingsou.quality.attributes").joinpath("values.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            of, name, broader, english, chinese = line.split("\t")
            if of == kind:
                found[name] = Meaning(name, broader.strip("-"), tuple(english.split("|")), tuple(chinese.split("|")))
    return found


@cache
def spellings(kind: str) -> Mapping[Phrase, tuple[str, ...]]:
    """Spelling → the values that it may mean."""
    found: dict[Phrase, list[str]] = {}
    for meaning in meanings(kind).values():
        for spelling in (*meaning.english, *meaning.chinese):
            found.setdefault(phrase(spelling), []).append(meaning.name)
    return {spelling: tuple(dict.fromkeys(names)) for spelling, names in found.items()}


def meaning_of(kind: str, text: str) -> str:
    """The value that a spelling means first of all, or nothing."""
    return next(iter(spellings(kind).get(phrase(text), ())), "")


def kind_of(name: str, values: Iterable[str]) -> str:
    """The kind of an attribute by its name and by what its values (repeats count) are mostly, or nothing."""
    counts = Counter(values)
    folded = normalise(name)
    named = [kind for kind, words in _NAMES.items() if any(word in folded for word in words)]
    if not counts:
        return named[0] if named else ""
    for kind in [*named, *(kind for kind in _NAMES if kind not in named)]:
        known = sum(count for value, count in counts.items() if phrase(value) in spellings(kind)) / counts.total()
        if known >= (_LEAST_KNOWN if kind in named else _MOSTLY):
            return kind
    return ""
