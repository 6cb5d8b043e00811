"""What a piece of a Chinese query may have been meant to be."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.query.correction.chinese_words import LONGEST, ChineseWords
from lingsou.query.correction.grams import codes_of, hash_of, stretches, sums
from lingsou.query.correction.syllables import fuzzy, of_word, readings, spellings, syllables_in, typed
from lingsou.text.normalise import HAN

_LATIN = re.compile(r"(?<![a-z0-9'])[a-z]{2,30}(?![a-z0-9'])")
_FROM_EACH = 12
"""Characters tried in one place after the counts of pairs had their say."""
_FROM_INDEX = 16
_WAYS = 6
_BESIDE = 3
"""Characters beside typed letters that may belong to the same word."""
_SPLITS = 3
_FROM_HALF = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text[start:end]` read as `meant`; the numbers say by how many errors of each kind."""

    start: int
    end: int
    meant: str
    sounds: int = 0
    fuzzies: int = 0
    looks: int = 0
    omitted: int = 0
    letters: int = 0
    slips: int = 0

    @property
    def source(self) -> str:
        """The kind of error, for explanations."""
        if self.letters:
            return "pinyin"
        if self.omitted:
            return "omission"
        return "shape" if self.looks else "sound"


class ChineseCandidates:
    """Lists candidates over the words of one shop."""

    def __init__(self, words: ChineseWords):
        self._words = words

    def of(
        self, text: str, doubtful: Sequence[bool], free: Sequence[bool], latin: Iterable[tuple[int, int]]
    ) -> list[Candidate]:
        """Candidates of a folded piece of a query that touch a doubtful character or one of the Latin words.

        `doubtful` and `free` say of each character whether something is odd about it, and whether it may change.
        """
        found: dict[str, Candidate] = {}
        spans = [
            (start, end)
            for start in range(len(text))
            for end in range(start + 1, min(start + LONGEST, len(text)) + 1)
            if all(free[start:end]) and any(doubtful[start:end])
        ]
        for candidate in (
            *self._one_character(text, [start for start, end in spans if end == start + 1]),
            *self._sounding_words(text, [(start, end) for start, end in spans if end > start + 1]),
            *self._longer_words(text, [(start, end) for start, end in spans if 2 <= end - start < LONGEST]),
            *self._typed(text, latin, free),
        ):
            # Several ways to one text are one candidate, the simplest.
            found.setdefault(text[: candidate.start] + candidate.meant + text[candidate.end :], candidate)
        found.pop(text, None)
        return list(found.values())

    def _one_character(self, text: str, places: Sequence[int]) -> list[Candidate]:
        where: list[int] = []
        instead: list[str] = []
        for place in places:
            here = text[place]
            alike = dict.fromkeys(self._words.sounding(here) + self._words.looking(here))
            alike.pop(here, None)
            instead += alike
            where += [place] * len(alike)
        kept = self._beside_known(text, where, where, instead)
        return [self._changed(text, where[n], where[n] + 1, instead[n]) for n in kept]

    def _beside_known(
        self, text: str, befores: Sequence[int], lasts: Sequence[int], instead: Sequence[str]
    ) -> list[int]:
        """Which characters form a pair that titles have with a neighbour, put in place of `text[before : last + 1]`."""
        if not instead:
            return []
        padded = np.concatenate([codes_of(text), np.zeros(2, np.uint32)])
        before, last = np.array(befores), np.array(lasts)
        # Place -1 is a 0 too: no neighbour.
        rows = np.stack([padded[before - 1], codes_of("".join(instead)), padded[last + 1]], axis=1)
        counts = self._words.grams.counts(stretches(sums(rows), 2))
        counts[rows[:, :2] == 0] = 0
        counts[rows[:, 1:] == 0] = 0
        best = counts.max(axis=1)
        kept: list[int] = []
        for place in dict.fromkeys(befores):
            here = np.flatnonzero((before == place) & (best > 0))
            kept += here[np.argsort(-best[here], kind="stable")][:_FROM_EACH].tolist()
        return kept

    def _sounding_words(self, text: str, spans: Sequence[tuple[int, int]]) -> list[Candidate]:
        ways = [(span, way) for span in spans for way in spellings(text[slice(*span)], _WAYS)]
        return [
            self._changed(text, *span, self._words.words[place])
            for (span, _), places in zip(ways, self._words.sounding_like([way for _, way in ways]), strict=True)
            for place in places[:_FROM_INDEX].tolist()
        ]

    def _longer_words(self, text: str, spans: Sequence[tuple[int, int]]) -> list[Candidate]:
        return [
            Candidate(*span, self._words.words[place], omitted=1)
            for span, places in zip(
                spans, self._words.with_one_more([text[slice(*span)] for span in spans]), strict=True
            )
            for place in places[:_FROM_INDEX].tolist()
        ]

    def _changed(self, text: str, start: int, end: int, meant: str) -> Candidate:
        sounds = fuzzies = looks = 0
        for one, other in zip(text[start:end], meant, strict=True):
            if one == other:
                continue
            how = _likeness(one, other)
            sounds, fuzzies, looks = sounds + (how == 0), fuzzies + (how == 1), looks + (how == 2)
        return Candidate(start, end, meant, sounds, fuzzies, looks)

    def _typed(self, text: str, latin: Iterable[tuple[int, int]], free: Sequence[bool]) -> list[Candidate]:
        found: list[Candidate] = []
        for start, end in latin:
            letters, spans = text[start:end], _with_neighbours(text, start, end, free)
            spelt = [
                typed(of_word(text[first:start])) + letters.replace("v", "u") + typed(of_word(text[end:last]))
                for first, last in spans
            ]
            for slips, lists in ((0, self._words.spelt(spelt)), (1, self._words.nearly_spelt(spelt))):
                for (first, last), places in zip(spans, lists, strict=True):
                    before, behind = text[first:start], text[end:last]
                    words = [self._words.words[place] for place in places.tolist()]
                    fitting = [word for word in words if word.startswith(before) and word.endswith(behind)]
                    fitting = [word for word in fitting if len(word) > len(before + behind)]
                    found += [Candidate(first, last, word, letters=1, slips=slips) for word in fitting[:_FROM_INDEX]]
            single = self._words.reading_as(letters)
            kept = self._beside_known(text, [start] * len(single), [end - 1] * len(single), single)
            found += [Candidate(start, end, single[n], letters=1) for n in kept]
            found += self._two_parts(letters, start, end)
        return found

    def _two_parts(self, letters: str, start: int, end: int) -> list[Candidate]:
        """Letters of two words, or of a word and a character that stand together in titles."""
        cuts = [
            place for place in range(1, len(letters)) if syllables_in(letters[:place]) and syllables_in(letters[place:])
        ]
        if not cuts:
            return []
        halves = [half for place in cuts for half in (letters[:place], letters[place:])]
        words = [
            [self._words.words[number] for number in places[:_FROM_HALF].tolist()]
            for places in self._words.spelt(halves)
        ]
        singles = [self._words.reading_as(half) for half in halves]
        whole: list[str] = []
        mixed: list[tuple[str, str]] = []
        for one, other in zip(range(0, len(halves), 2), range(1, len(halves), 2), strict=True):
            whole += [left + right for left in words[one][:_SPLITS] for right in words[other][:_SPLITS]]
            mixed += [(left, right) for left in words[one] for right in singles[other]]
            mixed += [(left, right) for left in singles[one] for right in words[other]]
        if mixed:
            counts = self._words.grams.counts(hash_of([left[-1] + right[0] for left, right in mixed]))
            best = [number for number in np.argsort(-counts, kind="stable")[:_FROM_EACH].tolist() if counts[number]]
            whole += ["".join(mixed[number]) for number in best]
        return [Candidate(start, end, meant, letters=1) for meant in whole]


def _with_neighbours(text: str, start: int, end: int, free: Sequence[bool]) -> list[tuple[int, int]]:
    """The span of typed letters, alone and with Chinese characters of either side that may be of the same word."""
    left, right = start, end
    while left and start - left < _BESIDE and free[left - 1] and HAN.match(text[left - 1]):
        left -= 1
    while right < len(text) and right - end < _BESIDE and free[right] and HAN.match(text[right]):
        right += 1
    return [
        (first, last)
        for first in range(start, left - 1, -1)
        for last in range(end, right + 1)
        if start - first + last - end <= _BESIDE
    ]


def _likeness(one: str, other: str) -> int:
    """0: the same sound, 1: nearly the same, 2: neither, so they look alike."""
    first, second = readings(one), readings(other)
    if any(each in second for each in first):
        return 0
    return 1 if {fuzzy(each) for each in first} & {fuzzy(each) for each in second} else 2


def latin_words(text: str) -> list[tuple[int, int]]:
    """Where words of Latin letters stand, without digits beside them."""
    return [match.span() for match in _LATIN.finditer(text)]
