"""What each doubtful word of a query may stand for, itself included, and what speaks for each as numbers."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.query.correction.candidates import Candidates
from lingsou.query.correction.edits import KINDS, errors
from lingsou.query.correction.shop import PIECE, EnglishWords
from lingsou.query.places import Piece, overlaps
from lingsou.text.normalise import fold_with_places

FEATURES = (
    "products", "stem_products", "language", "not_in_language", "not_in_shop", "asked", "left", "right", "left_known",
    "right_known", "left_bound", "right_bound", "company", "best_company", "inner",
    "split", "join", "shift", "short_part", "join_unknown", "split_exact",
    "keep", "keep_without_log", "keep_texts", "keep_length", "keep_short", "keep_products", "keep_frequency",
    "keep_asked", "keep_company", "keep_left", "keep_right",
    *KINDS,
)  # fmt: skip
"""What speaks for an option: columns of `Doubt.features`. Those that begin with `keep` are 0 for all but the first."""

STANDINGS = ("shop", "form", "like_form", "language", "unknown")
"""What a typed word is: a word of the shop; another form of one, in the language or not; of the language; none."""

_AT = {name: number for number, name in enumerate(FEATURES)}
_FIRST_KIND = _AT[KINDS[0]]
_GAP = re.compile(r"[\s-]{1,3}")
_KEPT = (
    ("keep_products", "products"), ("keep_frequency", "language"), ("keep_asked", "asked"),
    ("keep_company", "best_company"), ("keep_left", "left"), ("keep_right", "right"),
)  # fmt: skip
_MOST_WORDS = 24
_USUAL, _OFTEN = 20, 3
"""Products with a word that make it no error beside a word that it stands beside there too; or as the whole query."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A word of the query: `raw[start:end]`, its place among the shop's words (-1: unknown), whether it may change."""

    text: str
    start: int
    end: int
    place: int
    free: bool
    follows: bool
    """Whether only a space or a hyphen lies between it and the word before."""


@dataclass(frozen=True, slots=True)
class Option:
    """Typed words `first` up to `last` (excluded) read as `words`; empty: as they stand."""

    first: int
    last: int
    words: tuple[int, ...]


@dataclass(frozen=True)
class Doubt:
    """One typed word with its options [n], the first of which keeps it, and their features [n, len(FEATURES)]."""

    token: int
    standing: int
    """Place in `STANDINGS`."""
    options: list[Option]
    features: NDArray[np.float32]


class Options:
    """Lists options over the words of one shop."""

    def __init__(self, words: EnglishWords):
        self._words = words
        self._candidates = Candidates(words)
        self._mass = np.log1p(words.texts / (words.counts + 1)).astype(np.float32)

    def read(self, raw: str, closed: Sequence[Piece]) -> list[Typed]:
        """The Latin words and numbers of a query, the first `_MOST_WORDS` of them."""
        folded, starts, ends = fold_with_places(raw)
        found: list[Typed] = []
        before = -1
        for match in PIECE.finditer(folded):
            text, (left, right) = match.group(), match.span()
            number = any(map(str.isdigit, text))
            start, end = starts[left], ends[right - 1]
            place = 0 if number else self._words.place.get(text, -1)
            free = not number and not overlaps(closed, start, end)
            follows = before >= 0 and _GAP.fullmatch(folded, before, left) is not None
            found.append(Typed(text, start, end, place, free, follows))
            before = right
            if len(found) == _MOST_WORDS:
                break
        return found

    def doubts(self, typed: Sequence[Typed], among: Container[int] | None = None) -> Iterator[Doubt]:
        """The words that may stand for something else; only those that begin at places `among`, if given."""
        for number, word in enumerate(typed):
            if among is not None and word.start not in among:
                continue
            if word.free and (options := self._options(typed, number)):
                options = [Option(number, number + 1, ()), *options]
                yield Doubt(number, self._standing(word), options, self._features(typed, number, options))

    def with_option(self, typed: Sequence[Typed], option: Option) -> list[Typed]:
        """The words when one option is taken, whose words then stay."""
        first, last = typed[option.first], typed[option.last - 1]
        words = [
            Typed(self._words.words[place], first.start, last.end, place, False, bool(number) or first.follows)
            for number, place in enumerate(option.words)
        ]
        return [*typed[: option.first], *words, *typed[option.last :]]

    def _options(self, typed: Sequence[Typed], number: int) -> list[Option]:
        word = typed[number]
        if word.text in self._words.brands:
            return []
        options: list[Option] = []
        places = self._words.place
        for first in (number - 1, number):
            if first < 0 or first + 2 > len(typed) or not typed[first + 1].follows:
                continue
            left, right = typed[first : first + 2]
            if not (left.free and right.free):
                continue
            joined = left.text + right.text
            known = places.get(joined)
            if known is not None:
                options.append(Option(first, first + 2, (known,)))
            if left.place < 0 or right.place < 0:
                options += [
                    Option(first, first + 2, meant.words)
                    for meant in self._candidates.of_joined(joined)
                    if meant.words not in ((left.place, right.place), (known,))
                ]
        if word.place < 0 or not self._is_usual(typed, number):
            options += [Option(number, number + 1, meant.words) for meant in self._candidates.of(word.text)]
        return options

    def _is_usual(self, typed: Sequence[Typed], number: int) -> bool:
        """Whether the shop has the word beside one that it stands beside here, or often where it stands alone."""
        words, word = self._words, typed[number]
        left = typed[number - 1].place if word.follows else -1
        right = typed[number + 1].place if number + 1 < len(typed) and typed[number + 1].follows else -1
        count = float(words.counts[word.place])
        if count >= _USUAL and (words.pair_count(left, word.place) or words.pair_count(word.place, right)):
            return True
        return len(typed) == 1 and count >= _OFTEN

    def _standing(self, word: Typed) -> int:
        if self._words.counts[word.place] > 0 or (word.place < 0 and self._words.indexed(word.text)):
            return 0
        language = self._words.language(word.text) > 0
        if self._words.stem_count(word.text) > 0:
            return 1 if language else 2
        return 3 if language else 4

    def _features(self, typed: Sequence[Typed], number: int, options: Sequence[Option]) -> NDArray[np.float32]:
        words, word = self._words, typed[number]
        found = np.zeros((len(options), len(FEATURES)), np.float32)
        # An unknown word has place -1: the last of each array, which holds nothing.
        first = np.array([option.words[0] if option.words else word.place for option in options])
        last = np.array([option.words[-1] if option.words else word.place for option in options])
        spans = {(option.first, option.last) for option in options}
        left = {span: typed[span[0] - 1].place if typed[span[0]].follows else -1 for span in spans}
        right = {
            span: typed[span[1]].place if span[1] < len(typed) and typed[span[1]].follows else -1 for span in spans
        }
        lefts = np.array([left[option.first, option.last] for option in options])
        rights = np.array([right[option.first, option.last] for option in options])

        def put(name: str, values: NDArray[Any]) -> None:
            found[:, _AT[name]] = values

        put("asked", np.log1p(np.minimum(words.asked[first], words.asked[last])))
        counts = np.minimum(words.counts[first], words.counts[last])
        stems = np.minimum(words.stem_counts[first], words.stem_counts[last])
        language = np.minimum(words.general[first], words.general[last])
        if word.place < 0:
            counts[0] = words.indexed(word.text)
            stems[0], language[0] = words.stem_count(word.text), words.language(word.text)
            found[0, _AT["asked"]] = np.log1p(words.asked_for(word.text))
        put("products", np.log1p(counts))
        put("stem_products", np.log1p(stems))
        put("language", language / 10)
        put("not_in_language", language == 0)
        put("not_in_shop", counts == 0)
        put("left_bound", lefts >= 0)
        put("right_bound", rights >= 0)
        for name, beside, own, count in (
            ("left", lefts, first, words.pair_counts_of(lefts, first)),
            ("right", rights, last, words.pair_counts_of(last, rights)),
        ):
            put(name, np.log1p(count))
            expected = (words.counts[beside] + 1) * (words.counts[own] + 1)
            put(name + "_known", np.log1p(count * words.texts / expected))
        put("inner", np.where(first == last, 0, np.log1p(words.pair_counts_of(first, last))))
        for span in spans:
            here = np.array([(option.first, option.last) == span for option in options])
            mass = self._company(typed, *span)
            if len(mass):
                found[here, _AT["company"]], found[here, _AT["best_company"]] = self._in_company(first[here], mass)
        for row, option in zip(found[1:], options[1:], strict=True):
            self._of_change(row, [typed[n] for n in range(option.first, option.last)], option)
        self._of_keeping(found[0], word)
        return found

    def _in_company(
        self, places: NDArray[np.intp], mass: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The mean and the greatest mass of the texts of each word."""
        starts, sizes = self._words.sample_starts[places], self._words.sample_sizes[places]
        ends = np.cumsum(sizes)
        rows = self._words.sample[np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1])]
        mean, best = np.zeros(len(places), np.float32), np.zeros(len(places), np.float32)
        some = sizes > 0
        if len(rows):
            shares = mass[rows]
            borders = (ends - sizes)[some]
            mean[some] = np.add.reduceat(shares, borders) / (sizes[some] + 1)
            best[some] = np.maximum.reduceat(shares, borders)
        return mean, best

    def _of_change(self, row: NDArray[np.float32], typed: Sequence[Typed], option: Option) -> None:
        words = [self._words.words[place] for place in option.words]
        row[_FIRST_KIND:] = errors("".join([word.text for word in typed]), "".join(words))
        if len(typed) == len(words) == 1:
            return
        if len(typed) < len(words):
            row[_AT["split"]] = 1
            row[_AT["split_exact"]] = row[_AT["distance"]] == 0
        elif len(typed) > len(words):
            row[_AT["join"]] = 1
        else:
            row[_AT["shift"]] = 1
        if len(words) > 1:
            row[_AT["short_part"]] = min(map(len, words)) < 3
        if len(typed) > 1:
            row[_AT["join_unknown"]] = sum(word.place < 0 for word in typed)

    def _of_keeping(self, row: NDArray[np.float32], typed: Typed) -> None:
        row[_AT["keep"]] = 1
        row[_AT["keep_without_log"]] = not self._words.has_log
        row[_AT["keep_texts"]] = np.log10(self._words.texts + 1) / 5
        row[_AT["keep_length"]] = len(typed.text) / 10
        row[_AT["keep_short"]] = len(typed.text) < 4
        for name, copied in _KEPT:
            row[_AT[name]] = row[_AT[copied]]

    def _company(self, typed: Sequence[Typed], first: int, last: int) -> NDArray[np.float32]:
        """For each text, what share of the information in the query's other words it has; empty: there are none."""
        words = self._words
        others = {word.place for n, word in enumerate(typed) if not first <= n < last and word.place > 0}
        if not others:
            return np.empty(0, np.float32)
        mass, total = np.zeros(words.texts, np.float32), 0.0
        for place in others:
            mass[words.rows_of(place)] += self._mass[place]
            total += float(self._mass[place])
        return mass / np.float32(total)
