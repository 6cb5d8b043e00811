"""Check `words`: words that are unsafe, banned or discriminating."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, NamedTuple

from ahocorasick_rs import AhoCorasick

from lingsou.core.errors import ConfigurationError
from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, SEVERITIES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import all_text, excerpt, texts
from lingsou.quality.tally import Problem, Tally
from lingsou.text.normalise import has_han
from lingsou.text.segment import dictionary_words

OFF = "off"
_SEVERITIES: Mapping[str, Severity] = {each: each for each in SEVERITIES}
_PROBLEMS = {
    "discriminating": ("a word that discriminates", "Remove it; say what the product is without speaking of groups."),
    "unsafe": (
        "a word for goods that may not be sold",
        "See whether the product may be sold; if so, say it otherwise.",
    ),
    "sexual": ("a pornographic word", "Remove the word or the product."),
    "fraud": ("a word for forged goods or fraud", "See whether the product is genuine; remove the word if it is."),
    "claim": ("a claim that the law forbids or asks proof for", "Remove the claim, or give proof where it is allowed."),
}
_NAMES = frozenset({"id", "sku", "mpn", "group_id"})
"""Codes, in which letters mean nothing."""
_TOKEN = re.compile(r"[^\W_\u3400-\u9fff]+")
_AROUND = 12


class Word(NamedTuple):
    """An entry of a list."""

    severity: Severity
    kind: str
    text: str
    """In small letters; a phrase has single spaces."""


class WordsCheck:
    """Looks for the words of the starter list and of the shop's own, in every text of a product.

    English matches whole words: `Scunthorpe` and `fire retardant` pass. Chinese is cut into words around a hit, and
    counts only where it begins and ends with one: `出口交货` and the colour `黄色` pass.
    """

    id: ClassVar[str] = "words"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = "Such words offend shoppers, and bring the shop before courts or out of market places."

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None, own: Path | None = None):
        """Args: `own`, the shop's list, in the form of `quality/data/words.txt`.

        Raises:
            ConfigurationError: the list cannot be read.
        """
        self._tally = Tally(self.id, examples, sink)
        words = {word.text: word for word in read_words()}
        if own is not None:
            for word, text in _own(own):
                words.pop(text, None)
                if word is not None:
                    words[text] = word
        self._chinese = {text: word for text, word in words.items() if has_han(text)}
        self._phrases: dict[str, list[tuple[list[str], Word]]] = {}
        for text, word in words.items():
            if text not in self._chinese:
                tokens = _TOKEN.findall(text)
                self._phrases.setdefault(tokens[0], []).append((tokens, word))
        longest_first = sorted(self._chinese, key=lambda text: (-len(text), text))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        anchors: dict[str, list[list[str]]] = {text: [] for text in self._chinese}
        for phrases in self._phrases.values():
            for tokens, _ in phrases:
                anchors.setdefault(max(tokens, key=len), []).append(tokens)
        self._anchors = list(anchors.values())
        """The phrases that each word of the screen stands for: a text without their longest word holds none of them.
        A Chinese word stands for itself."""
        self._screen = AhoCorasick(anchors)

    def observe(self, row: int, product: Product) -> None:
        """Look at all text at once, and at single fields only after a hit."""
        everything = all_text(product)
        if self._may_hold(everything):
            for field, text in texts(product):
                if field not in _NAMES and self._may_hold(text):
                    self._inspect(row, product.id, field, text)

    def finish(self) -> list[Finding]:
        """The first findings of each kind."""
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _may_hold(self, text: str) -> bool:
        text = text.lower()
        for number, start, end in self._screen.find_matches_as_indexes(text, overlapping=True):
            phrases = self._anchors[number]
            if not phrases:
                return True
            whole = not (_TOKEN.match(text, end) or _TOKEN.match(text, start - 1, start))
            if whole and any(all(token in text for token in tokens) for tokens in phrases):
                return True
        return False

    def _inspect(self, row: int, product_id: str, field: str, text: str) -> None:
        """One finding of each kind in a field, the first."""
        told = set()
        for word, start, end in (*self._english(text.lower()), *self._han(text)):
            if word.kind not in told:
                told.add(word.kind)
                problem, repair = _PROBLEMS.get(word.kind, (f"a word of the list: {word.kind}", "Remove the word."))
                evidence = f"“{excerpt(word.text, 0, 0)}” in: {excerpt(text, start, end)}"
                found = Problem(word.severity, problem, repair, 0.8 if word.severity == "error" else 0.6)
                self._tally.add(found, field, evidence, row=row, product_id=product_id)

    def _english(self, text: str) -> list[tuple[Word, int, int]]:
        found = []
        tokens = list(_TOKEN.finditer(text))
        for place, token in enumerate(tokens):
            for wanted, word in self._phrases.get(token[0], ()):
                here = tokens[place : place + len(wanted)]
                if [each[0] for each in here] == wanted:
                    found.append((word, here[0].start(), here[-1].end()))
        return found

    def _han(self, text: str) -> list[tuple[Word, int, int]]:
        found = []
        for hit in self._pattern.finditer(text.lower()):
            first = max(0, hit.start() - _AROUND)
            around = text[first : hit.end() + _AROUND]
            borders = {first + place for start, end in dictionary_words(around) for place in (start, end)}
            if {hit.start(), hit.end()} <= borders:
                found.append((self._chinese[hit[0]], *hit.span()))
        return found


def read_words() -> list[Word]:
    """The starter list."""
    lines = (files("lingsou.quality") / "data" / "words.txt").read_text(encoding="utf-8").splitlines()
    return [word for word, _ in _parsed(lines, "words.txt") if word is not None]


def _own(path: Path) -> list[tuple[Word | None, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The list of words {path} cannot be read: {error}.", cure="Give a UTF-8 file."
        ) from error
    return list(_parsed(lines, path.name))


def _parsed(lines: Iterable[str], name: str) -> Iterable[tuple[Word | None, str]]:
    """Each entry, and its text; no entry where the severity is `off`.

    Raises:
        ConfigurationError: a line is not severity, kind and word.
    """
    for number, line in enumerate(lines, start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        parts = [part.strip() for part in line.split("\t")]
        severity = _SEVERITIES.get(parts[0].lower())
        if len(parts) != 3 or not all(parts) or (severity is None and parts[0].lower() != OFF):
            raise ConfigurationError(
                f"{name}, line {number} is not severity, kind and word, parted by tabs.",
                cure="Write for example: warning, tab, fraud, tab, replica watch.",
            )
        text = " ".join(parts[2].lower().split())
        if not has_han(text):
            text = " ".join(_TOKEN.findall(text))
        if not text:
            raise ConfigurationError(f"{name}, line {number} has no letter.", cure="Remove the line.")
        yield (Word(severity, parts[1], text) if severity else None), text
