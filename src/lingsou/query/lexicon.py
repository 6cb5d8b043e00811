"""The catalogue's own names, and every other way to say them, ready to be found in a query."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lingsou.core.plan import EntityKind
from lingsou.query.bilingual import Bilingual
from lingsou.query.names import bilingual_parts, brand_names, category_names, head_words
from lingsou.query.phrases import PhraseTable, longest_matches
from lingsou.query.tables import ordinary_words
from lingsou.query.tokens import NameTokeniser, Token, key_of
from lingsou.query.vocabulary import ATTRIBUTE_PREFIX, CATEGORY_SEPARATOR, Vocabulary, is_asked_for
from lingsou.text.segment import Segmenter

MAX_PHRASES = 100_000
"""Attribute values that are kept at most, those of the most products first."""

_MAX_TOKENS = 6
_MAX_HAN = 12
_MAX_BRAND_TOKENS = 10
_MAX_VALUES = 100
_NUMBER_LABEL = re.compile(r"-?\d+(?:[.,]\d+)*(?:\s*[-x*/]\s*\d+(?:\.\d+)?)*(?:\s?[^\d\s]{1,12})?")
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        """yes no true false none other others unspecified unknown n/a na various default standard original normal
        the a an of for with and or in on by to not is it new all any 是 否 有 无 其他 其它 不详 未知 的 和 等 型 款 新
        通用 默认 标准 不支持 支持""",
    )
)
"""Values that say nothing when a query holds them."""

_SOURCES: dict[str, float] = {
    "catalogue": 0.9,
    "alias": 0.8,
    "bilingual": 0.7,
    "family": 0.7,
    "ambiguous": 0.5,
    "head-word": 0.35,
}
"""Ways to find a value, with what each is worth; the best one of a match gives its confidence."""
_COMMON_SHARE = 0.002
"""An attribute value that fewer products have is believed less: a chance match, more likely."""

_DOUBTFUL = frozenset({"ambiguous", "head-word"})
"""Ways that count only where there is no better one."""

_RANK = {source: -weight for source, weight in _SOURCES.items()}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A field's values that some words name, with the number of products behind them."""

    kind: EntityKind
    field: str
    values: tuple[str, ...]
    source: str
    weight: float
    count: int

    @property
    def is_product(self) -> bool:
        """Whether it says what kind of thing is wanted."""
        return self.kind == "category" or self.field.endswith("type")


@dataclass(frozen=True, slots=True)
class Match:
    """Tokens `first` up to `last` (excluded) and all that they may mean, the likeliest first."""

    first: int
    last: int
    meanings: tuple[Meaning, ...]


class CatalogLexicon:
    """Finds what words name in a catalogue. Immutable after construction, so threads may share it.

    Args:
        vocabulary: the values of the catalogue.
        segmenter: the shop's; its stems are those of the lexicon.
    """

    def __init__(self, vocabulary: Vocabulary, segmenter: Segmenter):
        self.vocabulary = vocabulary
        self.segmenter = segmenter
        self.bilingual = Bilingual(segmenter)
        self._table: PhraseTable[list[tuple[str, str, str]]] = PhraseTable()
        self._counts = {field: values for field, values in vocabulary.fields.items() if _is_named(field)}
        terms = NameTokeniser(segmenter)
        for field, value in _chosen(self._counts, set(vocabulary.numbers)):
            self._add(field, value, terms)
        self._table.freeze()
        self._products = max((sum(values.values()) for values in self._counts.values()), default=0)
        self._ordinary = frozenset(key_of(terms(word)) for word in ordinary_words())

    def __len__(self) -> int:
        """How many different phrases it knows."""
        return len(self._table)

    @property
    def fields(self) -> frozenset[str]:
        """The fields whose values it knows."""
        return frozenset(self._counts)

    def find(self, tokens: Sequence[Token], blocked: frozenset[int] = frozenset()) -> list[Match]:
        """The longest names from left to right, none of them over a token of `blocked`."""
        return [
            Match(first, last, self._meanings(entries))
            for first, last, entries in longest_matches(self._table, tokens, blocked)
        ]

    def named(self, tokens: Sequence[Token], first: int, field: str) -> tuple[int, Meaning] | None:
        """The longest value of one field that begins at token `first`: where it ends, and what it means."""
        for last, entries in self._table.at(tokens, first, len(tokens)):
            of_field = [entry for entry in entries if entry[0] == field and entry[2] not in _DOUBTFUL]
            if of_field:
                return last, self._meanings(of_field)[0]
        return None

    def is_ordinary(self, tokens: Sequence[Token], first: int, last: int) -> bool:
        """Whether these tokens are an ordinary word too, in any catalogue."""
        return key_of([token.term for token in tokens[first:last]]) in self._ordinary

    def _add(self, field: str, value: str, terms: NameTokeniser) -> None:
        name = value.rpartition(CATEGORY_SEPARATOR)[2] if field == "category" else value
        found = terms(name)
        if not found or not _is_short(found, _MAX_BRAND_TOKENS if field == "brand" else _MAX_TOKENS):
            return
        keys = {key_of(found): "catalogue"}
        for alias in _aliases(field, name):
            keys.setdefault(key_of(terms(alias)), "alias")
        joined = _joined(name, found)
        if joined:
            keys.setdefault(joined, "alias")
        if field != "brand":
            known = [key for key in keys if self.bilingual.knows(key)]
            for key in known:
                for other, source in self.bilingual.other_names(key):
                    keys.setdefault(other, source)
        if field == "category":
            for word in head_words(name):
                head = key_of(terms(word))
                keys.setdefault(head, "head-word")
                for other, _ in self.bilingual.other_names(head):
                    keys.setdefault(other, "head-word")
        for key, source in keys.items():
            if _says_something(key):
                self._table.setdefault(key, []).append((field, value, source))

    def _meanings(self, entries: Iterable[tuple[str, str, str]]) -> tuple[Meaning, ...]:
        fields: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for field, value, source in entries:
            fields[field].append((source, value))
        found = []
        for field, named in fields.items():
            best = min((source for source, _ in named), key=_RANK.__getitem__)
            named = [pair for pair in named if pair[0] == best or pair[0] not in _DOUBTFUL]
            counts = self._counts[field]
            named.sort(key=lambda pair: (_RANK[pair[0]], -counts[pair[1]], pair[1]))
            values = tuple(value for _, value in named[:_MAX_VALUES])
            count = sum(counts[value] for value in values)
            weight = _SOURCES[best]
            if _kind(field) == "attribute":
                weight *= min(1.0, (count / (_COMMON_SHARE * self._products)) ** 0.25)
            found.append(Meaning(_kind(field), field, values, best, weight, count))
        return tuple(sorted(found, key=lambda meaning: (-meaning.weight * meaning.count**0.5, meaning.field)))


def _is_named(field: str) -> bool:
    return field in ("brand", "category") or (field.startswith(ATTRIBUTE_PREFIX) and is_asked_for(field))


def _kind(field: str) -> EntityKind:
    return "brand" if field == "brand" else "category" if field == "category" else "attribute"


def _says_something(key: str) -> bool:
    """Not a filler, a lone Latin letter, or nothing but digits."""
    return key not in _EMPTY and any(char.isalpha() for char in key) and not (key.isascii() and len(key) == 1)


def _is_short(found: list[str], most: int) -> bool:
    latin = sum(1 for term in found if term.isascii())
    return latin <= most and len(found) - latin <= _MAX_HAN


def _aliases(field: str, name: str) -> Iterator[str]:
    if name.isascii() and field not in ("brand", "category"):
        return
    if field == "brand":
        yield from brand_names(name)
    elif field == "category":
        yield from category_names(name)
    else:
        yield from bilingual_parts(name)


def _joined(name: str, found: list[str]) -> str:
    """`Wi-Fi` is also written `wifi`: the parts of a hyphened name as one word."""
    if "-" not in name:
        return ""
    joined = "".join(found)
    return joined if 1 < len(found) <= 3 and " " not in name and joined.isascii() else ""


def _chosen(counts: Mapping[str, Mapping[str, int]], numbers: set[str]) -> list[tuple[str, str]]:
    """(field, value) pairs worth knowing: all brands and categories, the attribute values that products share."""
    attributes: list[tuple[int, str, str]] = []
    chosen: list[tuple[str, str]] = []
    for field, values in counts.items():
        if field in ("brand", "category"):
            chosen += [(field, value) for value in values]
            continue
        total = sum(values.values())
        if len(values) >= 200 and len(values) > 0.7 * total:
            continue  # nearly a value for each product: serial numbers, free text
        least = 1 if len(values) <= 2_000 else 2 if len(values) <= 20_000 else 3
        for value, count in values.items():
            if count < least or len(value) > 80 or _NUMBER_LABEL.fullmatch(value):
                continue
            if field in numbers and value[:1].isdigit():
                continue
            attributes.append((count, field, value))
    if len(attributes) > MAX_PHRASES:
        attributes.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
        del attributes[MAX_PHRASES:]
    return chosen + [(field, value) for _, field, value in attributes]
