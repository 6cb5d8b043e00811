"""Titles, short descriptions and descriptions, put together from patterns and a product's terms."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from lingsou.demo.vocabulary import read_data, table

_SLOT = re.compile(r"\{(?:([a-z]+) )?(\w+)(?:\.(zh|en))?(\?)?\}")
_WORD = re.compile(r"[A-Za-z0-9'.+]+")
_CJK = re.compile(r"[\u4e00-\u9fff]+")
_LOWER = {"and", "for", "with", "in", "of", "the", "to", "a", "an", "on", "or", "from", "at", "by", "up", "de"}
_UNITS = {"ml", "g", "kg", "cm", "mm", "m", "km/h", "mm/s", "mAh", "h", "min", "lb", "bar", "pcs"}
_AS_IS = {"brand", "spec", "size", "model"}
_CONTINUING = ("for ", "with ", "in ")
_DROPPABLE = {"style", "fit", "feature", "feature2", "material", "scene", "season", "audience", "whose", "who"}

Words = Mapping[str, str]
"""A product's words in one language: slot → text, empty or missing when the product has none."""


class Piece(NamedTuple):
    """A slot in a pattern: the word before it, its language (-1: that of the pattern), and whether it is optional."""

    prefix: str
    slot: str
    language: int
    optional: bool


class Sentence(NamedTuple):
    """A description sentence in both languages and the slots it needs."""

    texts: tuple[str, str]
    slots: frozenset[str]


@cache
def patterns(family: str, language: str) -> tuple[tuple[tuple[Piece, ...], ...], ...]:
    """The title patterns of a family for `zh`, `en` or `mixed`; each a tuple of parts of pieces."""
    found = []
    for line in read_data("titles.txt").splitlines():
        if line.startswith(f"{family} {language} "):
            parts = re.split(r", " if language == "en" else r" (?![^{]*\})", line.split(" ", 2)[2])
            found.append(tuple(tuple(_piece(match) for match in _SLOT.finditer(part)) for part in parts))
    return tuple(found)


def _piece(match: re.Match[str]) -> Piece:
    prefix, slot, language, optional = match.groups()
    return Piece(prefix or "", slot, {"zh": 0, "en": 1}.get(language, -1), bool(optional))


@lru_cache(maxsize=50_000)
def title_case(text: str) -> str:
    """English title case that leaves units, small words and anything with a capital or digit as it is."""
    return " ".join([_capital(word) for word in text.split()])


def _capital(word: str) -> str:
    if word in _UNITS or word in _LOWER or any(c.isupper() or c.isdigit() for c in word):
        return word
    return "-".join(part if part in _LOWER else part[:1].upper() + part[1:] for part in word.split("-"))


@lru_cache(maxsize=50_000)
def marks(text: str) -> frozenset[str]:
    """What two phrases must not share in one title: English content words, Chinese character pairs."""
    words = (word.lower().removesuffix("'s").rstrip("s") for word in _WORD.findall(text.replace("-", " ")))
    pairs = (run[at : at + 2] for run in _CJK.findall(text) for at in range(max(1, len(run) - 1)))
    return frozenset([*(word for word in words if word not in _LOWER), *pairs])


def title(
    pattern: tuple[tuple[Piece, ...], ...], words: tuple[Words, Words], *, side: int, flags: int, forced: str
) -> str:
    """Fill one pattern with Chinese and English words; `side` says which it mainly speaks.

    Bits of `flags` decide on optional slots; the one in `forced` is never left out.
    """
    used = set(marks(words[side]["noun"]))
    used |= marks(words[1]["noun"]) | marks(words[side]["spec"])
    seen: set[str] = set()
    parts = []
    for part in pattern:
        pieces = []
        latin = side
        for prefix, slot, language, optional in part:
            if optional:
                flags, chosen = flags >> 1, flags & 1
                if not chosen and slot != forced:
                    continue
            speaks = side if language < 0 else language
            latin |= language == 1
            text = words[speaks].get(slot, "")
            if not text or text in seen:
                continue
            if slot in _DROPPABLE:
                own = marks(text)
                if not used.isdisjoint(own):
                    continue
                used |= own
            seen.add(text)
            if speaks and slot not in _AS_IS:
                text = title_case(text)
            pieces.append(f"{prefix} {text}" if prefix else text)
        if pieces:
            parts.append((" " if latin else "").join(pieces))
    if not side:
        return " ".join(parts)
    # a phrase such as "for Men" continues the words before it
    tail = [f" {text}" if text.startswith(_CONTINUING) else f", {text}" for text in parts[1:]]
    return parts[0] + "".join(tail)


@cache
def sentences(family: str, part: str) -> tuple[Sentence, ...]:
    """The sentences of one part (`short open facts detail close`) that a family may use."""
    return tuple(
        Sentence((row["zh"], row["en"]), frozenset(match[2] for match in _SLOT.finditer(row["zh"] + row["en"])))
        for row in table("sentences.tsv")
        if row["part"] == part and row["family"] in ("*", family)
    )


def say(sentence: Sentence, words: Words, side: int) -> str:
    """Fill one sentence, in Chinese (0) or English (1)."""
    text = sentence.texts[side].format_map(words)
    if not side:
        return text
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]
