"""The package's own tables: bilingual names, ordinary words, field names, measures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lingsou.text.normalise import normalise
from lingsou.text.numbers import fold
from lingsou.text.units import Unit, unit_of_spelling

_BILINGUAL = ("colours.tsv", "materials.tsv", "audiences.tsv", "traits.tsv", "products.tsv")


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing with its names in both languages; `narrower` are the numbers of the concepts that are kinds of it."""

    number: int
    zh: tuple[str, ...]
    en: tuple[str, ...]
    narrower: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, Chinese first."""
        return self.zh + self.en


@dataclass(frozen=True, slots=True)
class Measure:
    """A rule that says which number attributes hold a measure and in which unit, when the feed does not say."""

    dimension: str
    unit: str
    field: re.Pattern[str]
    asked: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class AskedField:
    """Words that name a field before a colon. `names` are attribute names; empty for a field of its own."""

    words: tuple[str, ...]
    field: str
    names: tuple[str, ...]


def rows_of(name: str) -> Iterator[list[str]]:
    """The cells of each line of one of the package's tables, comments left out; `-` is an empty cell."""
    text = resources.files("lingsou.query").joinpath("data", name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield ["" if cell == "-" else cell for cell in line.split("\t")]


def _names(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(normalise(name) for name in cell.split("|") if name))


@cache
def concepts() -> tuple[Concept, ...]:
    """Every concept of the bilingual tables."""
    rows = [(_names(zh), _names(en), normalise(broader)) for name in _BILINGUAL for zh, en, broader in rows_of(name)]
    numbers: dict[str, int] = {}
    for number, (_, en, _) in enumerate(rows):
        numbers.setdefault(en[0], number)
    narrower: dict[int, list[int]] = {}
    for number, (_, _, broader) in enumerate(rows):
        if broader:
            narrower.setdefault(numbers[broader], []).append(number)
    return tuple(Concept(n, zh, en, tuple(narrower.get(n, ()))) for n, (zh, en, _) in enumerate(rows))


@cache
def ordinary_words() -> frozenset[str]:
    """Words that say little when they match a brand: common nouns that are brands somewhere, and all concept names."""
    listed = {name for row in rows_of("ordinary.tsv") for name in _names(row[0])}
    return frozenset(listed.union(*(concept.names for concept in concepts())))


@cache
def asked_fields() -> tuple[AskedField, ...]:
    """The field names that may stand before a colon."""
    return tuple(
        AskedField(_names(words), field, _names(names[0]) if names else ())
        for words, field, *names in rows_of("fields.tsv")
    )


@cache
def measures() -> tuple[Measure, ...]:
    """The measures, preferred ones first."""
    return tuple(
        Measure(dimension, unit, re.compile(field), re.compile(asked) if asked else None)
        for dimension, unit, field, asked in rows_of("measures.tsv")
    )


@cache
def unit_named(label: str) -> Unit | None:
    """The unit that a feed writes as `label` (`英寸`, `GB`, `℃`), if the table of units has it."""
    folded = fold(label).strip()
    table = unit_of_spelling()
    found = table.get(folded)
    if folded == "k":  # as a label it is light; as a word of a query it may be anything
        return next((unit for unit in table.values() if unit.name == "kelvin"), found)
    return found
