"""`field:value` in a query (`brand:HP`, `颜色：黑色`): the one form of a wish that is an order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lingsou.query.lexicon import CatalogLexicon, Meaning
from lingsou.query.places import Piece
from lingsou.query.tables import asked_fields
from lingsou.query.tokens import Token
from lingsou.query.vocabulary import ATTRIBUTE_PREFIX
from lingsou.text.normalise import has_han, normalise

_COLON = re.compile(r"\s?[:：]\s*[\"“'‘]?")
_NEXT = re.compile(r"[\"”'’]?\s?(?:[,，、|/]|或者?|\bor\b)\s?[\"“'‘]?", re.IGNORECASE)
_CLOSING = "\"”'’"
_MAX_NAME = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """`raw[start:end]` asks for (or, negated, against) values of one field."""

    start: int
    end: int
    meanings: tuple[Meaning, ...]
    places: tuple[Piece, ...]
    negated: bool

    @property
    def values(self) -> tuple[str, ...]:
        """All values, each once."""
        return tuple(dict.fromkeys(value for meaning in self.meanings for value in meaning.values))


class FieldNames:
    """The names that may stand before a colon, for the fields that a catalogue has."""

    def __init__(self, lexicon: CatalogLexicon):
        self._lexicon = lexicon
        known = lexicon.fields
        self._fields: dict[str, tuple[str, ...]] = {}
        for field in sorted(known):
            if field.startswith(ATTRIBUTE_PREFIX):
                name = normalise(field.removeprefix(ATTRIBUTE_PREFIX))
                self._fields[name] = self._fields[name.replace("_", " ")] = (field,)
        for asked in asked_fields():
            wanted = [ATTRIBUTE_PREFIX + name for name in asked.names] or [asked.field]
            fields = tuple(field for field in wanted if field in known)
            for word in asked.words:
                if fields:
                    self._fields[word] = tuple(dict.fromkeys((*fields, *self._fields.get(word, ()))))

    def find(self, raw: str, tokens: Sequence[Token]) -> tuple[list[Asked], list[Piece]]:
        """What is asked for, and the pieces of names whose value this catalogue does not have."""
        asked: list[Asked] = []
        unknown: list[Piece] = []
        for colon in _COLON.finditer(raw):
            found = self._name_before(raw, colon.start())
            if found is None or (asked and found[0] < asked[-1].end):
                continue
            start, fields = found
            values = self._values_at(raw, tokens, colon.end(), fields)
            negated = raw[start - 1 : start] in ("-", "!") and not raw[max(0, start - 2) : start - 1].strip()
            start -= negated
            if values is None:
                unknown.append((start, colon.end()))
                continue
            end = values[1][-1][1]
            end += raw[end : end + 1] in tuple(_CLOSING) and raw[colon.end() - 1] in "\"“'‘"
            asked.append(Asked(start, end, tuple(values[0]), tuple(values[1]), negated))
        return asked, unknown

    def _name_before(self, raw: str, colon: int) -> tuple[int, tuple[str, ...]] | None:
        for start in range(max(0, colon - _MAX_NAME), colon):
            name = normalise(raw[start:colon])
            fields = self._fields.get(name)
            if fields and not raw[start].isspace():
                before = raw[start - 1 : start]
                if has_han(name[0]) or not (before.isalnum() and not has_han(before)):
                    return start, fields
        return None

    def _values_at(
        self, raw: str, tokens: Sequence[Token], place: int, fields: tuple[str, ...]
    ) -> tuple[list[Meaning], list[Piece]] | None:
        """The values listed from a place on, all of the first field that has one there."""
        meanings: list[Meaning] = []
        places: list[Piece] = []
        while True:
            first = next((number for number, token in enumerate(tokens) if token.start >= place), None)
            if first is None or raw[place : tokens[first].start].strip():
                break
            named = [found for field in fields if (found := self._lexicon.named(tokens, first, field))]
            if not named:
                break
            last, meaning = max(named, key=lambda pair: (pair[0], pair[1].count))
            fields = (meaning.field,)
            meanings.append(meaning)
            places.append((tokens[first].start, tokens[last - 1].end))
            following = _NEXT.match(raw, places[-1][1])
            if following is None:
                break
            place = following.end()
        return (meanings, places) if meanings else None
