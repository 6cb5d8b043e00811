"""The English words of a shop: how many products have each, which stand beside each other, and in which texts."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from lingsou.query.correction.corrector import ShopWords
from lingsou.query.correction.general import general_words
from lingsou.query.vocabulary import CATEGORY_SEPARATOR, is_asked_for
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter

MAX_WORDS, MAX_PAIRS = 150_000, 50_000
"""Words and pairs of words that are kept as what may have been meant, the most frequent first."""

MOST_ROWS = 128
"""Texts of a word that are looked at to see in which company it stands, evenly spread."""

PIECE = re.compile(r"[^\W_]*\d[^\W_]*|[a-z]+(?:['’][a-z]+)*")
"""A word with a digit, or a word of Latin letters, in folded text."""

_COMPOUND = re.compile(r"[a-z]+(?:-[a-z]+)+")
_COMMON = 14.5
"""Logarithm of a count (two million) that makes a word of the language common: some 27,000 are."""
_UNSAID = frozenset(
    {
        "anal", "anus", "ass", "bastard", "bitch", "boob", "cock", "cunt", "dick", "dildo", "fuck", "nigger", "penis",
        "piss", "porn", "rape", "sex", "sexi", "shit", "slut", "tit", "whore",
    }
)  # fmt: skip
"""Stems of words that a shop which does not sell by them never proposes."""
_NUMBER = 0
_PAIR_FROM = 2
_LONGEST_VALUE = 60
_SEARCHES = 10_000
_LEAST_INDEXED = 2


class EnglishWords:
    """Everything below is by a word's place; place 0 stands for any number.

    `counts` float32 [n] are products with the word, `stem_counts` with any form of it, `general` the logarithm of the
    word's count in the language (0: not in the list), `asked` how many of 10,000 searches had it. `rows` lists, word
    after word, the texts that have it. The last entry of each of these arrays is that of an unknown word, place -1.
    """

    def __init__(self, words: ShopWords, segmenter: Segmenter):
        texts = _Texts(words)
        general = self._general = general_words()
        self.brands = texts.brands
        self._segmenter = segmenter
        self.words = texts.words
        counts = texts.counts()
        stems = segmenter.stems(self.words)
        self._stem_counts: dict[str, float] = {stem: float(n) for stem, n in words.terms.items() if stem.isascii()}
        # Words of descriptions are known by their index terms alone.
        told = frozenset(stems)
        self._indexed = {stem: n for stem, n in self._stem_counts.items() if n >= _LEAST_INDEXED and stem not in told}
        for stem, count in zip(stems, counts.tolist(), strict=True):
            if stem not in words.terms:
                self._stem_counts[stem] = self._stem_counts.get(stem, 0.0) + count
        known = set(self.words)
        # A form of a word that the shop has finds the products with any other form. Common words that the shop has not
        # are worth correcting to as well: what was typed finds nothing either, and meaning is read from right words.
        others = [word for word in general if word not in known and len(word) > 2]
        forms = [
            (word, stem)
            for word, stem in zip(others, segmenter.stems(others), strict=True)
            if stem in self._stem_counts or (general[word] >= _COMMON and stem not in _UNSAID)
        ]
        self.words = [*self.words, *(word for word, _ in forms)]
        self.place = {word: place for place, word in enumerate(self.words)}
        # The last entry of each array is that of a word nobody knows, place -1.
        self.counts = np.concatenate([counts, np.zeros(len(forms) + 1, np.float32)])
        self.stem_counts = np.array(
            [*(self._stem_counts[stem] for stem in stems), *(self._stem_counts.get(stem, 0.0) for _, stem in forms), 0],
            np.float32,
        )
        self.general = np.array([general.get(word, 0.0) for word in [*self.words, ""]], np.float32)
        # Logs of all sizes are read alike.
        scale = _SEARCHES / max(sum(count for _, count in words.queries), 1)
        self._asked = {word: count * scale for word, count in texts.asked.items()}
        self.asked = np.array([self._asked.get(word, 0.0) for word in [*self.words, ""]], np.float32)
        self.has_log = bool(words.queries)
        self.pair_keys, self.pair_counts = texts.pairs()
        self.rows, self.row_starts = texts.rows(len(self.words))
        self.texts = texts.number
        sizes = np.append(np.diff(self.row_starts), 0)
        self.sample_sizes = np.minimum(sizes, MOST_ROWS)
        self.sample_starts = np.cumsum(self.sample_sizes) - self.sample_sizes
        taken = np.repeat(np.arange(len(sizes)), self.sample_sizes)
        step = np.arange(len(taken)) - self.sample_starts[taken]
        self.sample = self.rows[self.row_starts[taken] + step * sizes[taken] // np.maximum(self.sample_sizes[taken], 1)]

    def stem(self, word: str) -> str:
        """The index term of a word."""
        terms = self._segmenter.terms_of_normalised(word)
        return terms[0] if terms else word

    def stem_count(self, word: str) -> float:
        """Products with any form of a word, a known one or not."""
        place = self.place.get(word)
        return float(self.stem_counts[place]) if place is not None else self._stem_counts.get(self.stem(word), 0.0)

    def indexed(self, word: str) -> float:
        """Products with a word that no title and no value has."""
        return self._indexed.get(self.stem(word), 0.0)

    def language(self, word: str) -> float:
        """Logarithm of an unknown word's count in the language; 0: not in the list."""
        return self._general.get(word, 0.0)

    def asked_for(self, word: str) -> float:
        """How often an unknown word was searched for, in ten thousand searches."""
        return self._asked.get(word, 0.0)

    def pair_count(self, left: int, right: int) -> float:
        """How often one word stands right before another."""
        if left < 0 or right < 0:
            return 0.0
        key = left << 32 | right
        found = int(np.searchsorted(self.pair_keys, key))
        return float(self.pair_counts[found]) if found < len(self.pair_keys) and self.pair_keys[found] == key else 0.0

    def pair_counts_of(self, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.float32]:
        """How often words stand right before others [n]; 0 where either is unknown."""
        keys = left.astype(np.int64) << 32 | right
        found = np.minimum(np.searchsorted(self.pair_keys, keys), len(self.pair_keys) - 1)
        known = (left >= 0) & (right >= 0) & (self.pair_keys[found] == keys)
        counts: NDArray[np.float32] = np.where(known, self.pair_counts[found], np.float32(0))
        return counts

    def rows_of(self, place: int) -> NDArray[np.int32]:
        """The texts that have a word."""
        return self.rows[self.row_starts[place] : self.row_starts[place + 1]]

    def frequent_pairs(self) -> Iterator[tuple[int, int, float]]:
        """(First word, second, how often) of the most frequent pairs of two words."""
        first, second = self.pair_keys >> 32, self.pair_keys & 0xFFFFFFFF
        usable = np.flatnonzero((self.pair_counts >= _PAIR_FROM) & (first != _NUMBER) & (second != _NUMBER))
        usable = usable[np.argsort(-self.pair_counts[usable], kind="stable")][:MAX_PAIRS]
        yield from zip(first[usable].tolist(), second[usable].tolist(), self.pair_counts[usable].tolist(), strict=True)


class _Texts:
    """Titles, values and queries as word numbers, one after the other."""

    def __init__(self, source: ShopWords):
        places = {"#": _NUMBER}
        numbers: list[int] = []
        ends: list[int] = []
        weights: list[float] = []
        values = _values(source.values)
        for text, weight in chain(((title, 1.0) for title in source.titles), values):
            folded = normalise(text)
            pieces = PIECE.findall(folded)
            if "-" in folded:
                # The index has compounds as one word too, and shoppers write them so: `Rust-Oleum`, `rustoleum`.
                for compound in _COMPOUND.findall(folded):
                    pieces += ("0", compound.replace("-", ""))
            numbers += [_NUMBER if _has_digit(p) else places.setdefault(p, len(places)) for p in pieces]
            ends.append(len(numbers))
            weights.append(weight)
        self.words = list(places)
        self.titles = len(source.titles)
        self._learned = self.titles + len(values)
        self.asked: dict[str, float] = {}
        for query, count in source.queries:
            pieces = PIECE.findall(normalise(query))
            for piece in pieces:
                self.asked[piece] = self.asked.get(piece, 0.0) + count
            # A misspelling that was searched often is one still: queries teach order and company, never spelling.
            found = [_NUMBER if _has_digit(piece) else places.get(piece, -1) for piece in pieces]
            if found and min(found) >= 0:
                numbers += found
                ends.append(len(numbers))
                weights.append(float(count))
        self.brands = frozenset(
            piece for brand in source.values.get("brand", {}) for piece in PIECE.findall(normalise(brand))
        )
        self.number = len(ends)
        self._numbers = np.array(numbers, np.int64)
        sizes = np.diff(np.array([0, *ends]))
        self._texts = np.repeat(np.arange(len(ends)), sizes)
        self._weights = np.array(weights, np.float32)
        self._trim()

    def _trim(self) -> None:
        if len(self.words) <= MAX_WORDS:
            return
        counts = np.bincount(self._numbers, minlength=len(self.words))
        counts[_NUMBER] = counts.max() + 1
        kept = np.sort(np.argsort(-counts, kind="stable")[:MAX_WORDS])
        renamed = np.zeros(len(self.words), np.int64)
        renamed[kept] = np.arange(len(kept))
        self._numbers = renamed[self._numbers]
        self.words = [self.words[place] for place in kept.tolist()]

    def _held(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Word and text of each word that a text has, by word, then text."""
        held = self._numbers << 32 | self._texts
        held.sort()
        held = held[np.append(True, held[1:] != held[:-1])] if len(held) else held
        return held >> 32, held & 0xFFFFFFFF

    def counts(self) -> NDArray[np.float32]:
        """Products with each word: by their titles, or by their values, whichever are more."""
        words, texts = self._held()
        in_titles = texts < self.titles
        of_titles = np.bincount(words[in_titles], minlength=len(self.words))
        in_values = ~in_titles & (texts < self._learned)
        of_values = np.bincount(words[in_values], self._weights[texts[in_values]], minlength=len(self.words))
        found: NDArray[np.float32] = np.maximum(of_titles, of_values).astype(np.float32)
        return found

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Keys (first word << 32 | second), ascending, and how often they stand side by side."""
        same = self._texts[1:] == self._texts[:-1]
        keys = (self._numbers[:-1] << 32 | self._numbers[1:])[same]
        if not len(keys):
            return np.array([-1]), np.zeros(1, np.float32)  # looking up needs something to look at
        found, places = np.unique(keys, return_inverse=True)
        counts = np.bincount(places, self._weights[self._texts[1:][same]], minlength=len(found))
        return found, counts.astype(np.float32)

    def rows(self, words: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The texts of each word, and where each word's begin [words + 1]."""
        held, texts = self._held()
        return texts.astype(np.int32), np.searchsorted(held, np.arange(words + 1))


def _has_digit(piece: str) -> bool:
    return not piece.isalpha() and any(map(str.isdigit, piece))


def _values(fields: Mapping[str, Mapping[str, int]]) -> list[tuple[str, float]]:
    """Values in words, of fields that shoppers ask for, with the number of products."""
    return [
        (value.rpartition(CATEGORY_SEPARATOR)[2] if field == "category" else value, float(count))
        for field, values in fields.items()
        if is_asked_for(field)
        for value, count in values.items()
        if len(value) <= _LONGEST_VALUE and not value[:1].isdigit()
    ]
