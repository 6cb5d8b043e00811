"""From text to index terms, the same for products and queries."""

import hashlib
import re
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from typing import Any, NamedTuple

import rjieba
import Stemmer

from lingsou.text.normalise import fold_with_places, has_han, normalise

ANALYSIS_VERSION = 2
"""Raise when a change here makes terms differ from those in existing indexes; they are then rebuilt."""

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_OTHER_PIECE = rf"[^\W_{_HAN}]+(?:\.\d+)*"
_PIECE = re.compile(rf"([{_HAN}]+)|{_OTHER_PIECE}")
_OTHER = re.compile(_OTHER_PIECE)
_WORD = re.compile(r"[^\W_]+(?:\.\d+)*")
_COMPOUND = re.compile(r"[a-z0-9]+(?:[-/][a-z0-9]+)+")
_MAX_TERM = 64
_MOST_STEMS = 200_000
_SHOP_WORD_FREQUENCY = 2_000_000
"""High enough that the shop's own word always beats a split of it in rjieba's dictionary."""


class Span(NamedTuple):
    """A term and the characters `text[start:end]` that it came from."""

    term: str
    start: int
    end: int


class Segmenter:
    """Cuts text into terms: Chinese by rjieba in search mode with the shop's words, English stemmed (Snowball).

    Compounds of Latin letters and digits are kept whole beside their parts (`dv7-1211ea` → `dv7`, `1211ea`,
    `dv71211ea`), so `wifi` finds `Wi-Fi`. Safe to share between threads.
    """

    def __init__(self, words: Iterable[str] = ()):
        self._words = sorted({normalise(word) for word in words} - {""})
        # Without words of the shop's own, the dictionary that the library has read already: 0.15 s and 24 MB less.
        self._jieba: Any = rjieba.Jieba() if self._words else rjieba
        for word in self._words:
            self._jieba.add_word(word, _SHOP_WORD_FREQUENCY, None)
        self._stems = _Stems()

    @property
    def fingerprint(self) -> str:
        """Changes when the same text may give other terms."""
        words = "\n".join(self._words)
        return hashlib.sha256(f"{ANALYSIS_VERSION}\n{words}".encode()).hexdigest()[:16]

    def terms(self, text: str) -> list[str]:
        """The terms of `text` in reading order, repeats kept."""
        return self.terms_of_normalised(normalise(text))

    def terms_of_normalised(self, text: str) -> list[str]:
        """As `terms`, for text that went through `normalise` already."""
        if has_han(text):
            pieces: list[str] = []
            for match in _PIECE.finditer(text):
                if match.group(1):
                    pieces += self._jieba.cut_for_search(match.group())
                else:
                    pieces.append(match.group())
        else:
            pieces = _WORD.findall(text)
        terms = [self._stems[piece] for piece in pieces if len(piece) <= _MAX_TERM]
        if "-" in text or "/" in text:
            terms += [joined for whole in _COMPOUND.findall(text) if len(joined := _join(whole)) <= _MAX_TERM]
        return terms

    def stems(self, words: Sequence[str]) -> list[str]:
        """The term of each of many normalised words, in one go; those that are none of English stay as they are."""
        english = [word for word in words if word.isascii() and word.isalpha()]
        stems = dict(zip(english, Stemmer.Stemmer("english").stemWords(english), strict=True))
        return [stems.get(word, word) for word in words]

    def spans(self, text: str) -> list[Span]:
        """The terms of `text` with their places in it, for highlighting; overlapping ones included."""
        folded, starts, ends = fold_with_places(text)
        cuts: list[tuple[str, int, int]] = []
        for match in _PIECE.finditer(folded):
            if match.group(1):
                first = match.start()
                for word, left, right in self._jieba.tokenize(match.group(), "search"):
                    cuts.append((word, first + left, first + right))
            else:
                cuts.append((self._stems[match.group()], *match.span()))
        cuts = [cut for cut in cuts if cut[2] - cut[1] <= _MAX_TERM]
        compounds = ((_join(match.group()), *match.span()) for match in _COMPOUND.finditer(folded))
        cuts += [cut for cut in compounds if len(cut[0]) <= _MAX_TERM]
        return [Span(term, starts[left], ends[right - 1]) for term, left, right in cuts]

    def places(self, text: str, terms: Set[str]) -> list[tuple[int, int]]:
        """Where `text` shows any of the terms, for highlighting: `text[start:end]` each, in no order.

        Chinese terms are marked wherever they stand, inside longer words too, so nothing has to be cut here.
        """
        folded, starts, ends = fold_with_places(text)
        chinese, others = _by_script(frozenset(terms))
        found: list[tuple[int, int]] = []
        for term in chinese:
            place = folded.find(term)
            while place >= 0:
                found.append((place, place + len(term)))
                place = folded.find(term, place + 1)
        if others:
            stems = self._stems
            found += [match.span() for match in _OTHER.finditer(folded) if stems[match.group()] in others]
        if others and ("-" in folded or "/" in folded):
            found += [match.span() for match in _COMPOUND.finditer(folded) if _join(match.group()) in others]
        return [(starts[left], ends[right - 1]) for left, right in found]


def dictionary_words(text: str) -> list[tuple[int, int]]:
    """`text` cut into words of rjieba's own dictionary, whatever words a shop has: `text[start:end]`, all of it."""
    return [(start, end) for _, start, end in rjieba.tokenize(text, "default")]


class _Stems(dict[str, str]):
    """Word → its English stem, or itself where it is none of English; a word that is missing is stemmed and kept."""

    def __missing__(self, word: str) -> str:
        if len(self) > _MOST_STEMS:
            self.clear()
        # A Stemmer is not safe to share between threads; making one costs little beside a cache miss.
        english = word.isascii() and word.isalpha()
        stem = self[word] = str(Stemmer.Stemmer("english").stemWord(word)) if english else word
        return stem


@lru_cache(maxsize=64)
def _by_script(terms: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Terms with Chinese characters, and those without: a page marks the same ones in all of its texts."""
    chinese = frozenset(term for term in terms if has_han(term))
    return chinese, terms - chinese


def _join(compound: str) -> str:
    return compound.replace("-", "").replace("/", "")
