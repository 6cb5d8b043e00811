"""How probable each reading of a piece of a Chinese query is, given what a shop's titles say."""

from collections.abc import Sequence
from functools import cache
from math import log1p

import numpy as np
import rjieba

from lingsou.query.correction.chinese_candidates import Candidate
from lingsou.query.correction.chinese_words import LONGEST, ChineseWords
from lingsou.query.correction.general import general_words
from lingsou.query.correction.grams import ORDER, Floats, codes_of, rows_of, stretches, sums
from lingsou.text.normalise import HAN

FEATURES = (
    "one", "sounds", "fuzzies", "looks", "omitted", "letters", "slips", "single",
    "context", "context_long", "context_omitted", "context_letters", "context_general",
    "word", "word_length", "no_word", "word_omitted", "word_letters", "word_general",
    "left", "right", "no_left", "no_right", "meant_general",
    "typed_word", "typed_general", "typed_inside", "typed_all", "typed_only", "typed_pair", "typed_unknown",
    "typed_letters", "typed_latin", "typed_english", "typed_beside",
    "length", "changed", "whole", "word_whole",
)  # fmt: skip
_TYPED_ALL = FEATURES.index("typed_all") - FEATURES.index("typed_word")
_AROUND = ORDER - 1
_NONE = np.empty(0, np.uint64)


class ChineseScores:
    """The evidence for candidates, as numbers."""

    def __init__(self, words: ChineseWords):
        self._words = words

    def of(self, text: str, candidates: Sequence[Candidate]) -> Floats:
        """[n, len(FEATURES)] of candidates of a folded piece of at most 56 characters."""
        found = np.zeros((len(candidates), len(FEATURES)), np.float32)
        measured = zip(
            self._context(text, candidates).tolist(),
            *(each.tolist() for each in self._best_words(text, candidates)),
            *(each.tolist() for each in self._beside(text, candidates)),
            strict=True,
        )
        odd = _Typed(self._words, text)
        typed: dict[tuple[int, int, bool], list[float]] = {}
        for row, each, (context, word, length, left, right) in zip(found, candidates, measured, strict=True):
            key = (each.start, each.end, bool(each.letters))
            if key not in typed:
                typed[key] = odd.evidence(*key)
            general = typed[key][_TYPED_ALL]
            changed = each.sounds + each.fuzzies + each.looks
            whole = each.end - each.start == len(text)
            row[:] = (
                1, each.sounds, each.fuzzies, each.looks, each.omitted, each.letters, each.slips, len(each.meant) == 1,
                context, context * (changed > 1), context * each.omitted, context * each.letters, context * general,
                word, length, word == 0, word * each.omitted, word * each.letters, word * general,
                max(left, 0.0), max(right, 0.0), left == 0, right == 0, self._is_language(text, each),
                *typed[key],
                len(text) / 10, changed, whole, word * whole,
            )  # fmt: skip
        return found

    def _context(self, text: str, candidates: Sequence[Candidate]) -> Floats:
        """How much more probable the titles make the text when read so, as a logarithm.

        Of what stands in place of letters and of what follows it, against what follows alone: letters of pinyin are
        improbable however little they mean.
        """
        lefts = [max(0, each.start - _AROUND) for each in candidates]
        reads = [
            text[left : each.start] + each.meant + text[each.end : each.end + _AROUND]
            for left, each in zip(lefts, candidates, strict=True)
        ]
        rows = rows_of([*reads, text])
        first = np.array([each.start - left for left, each in zip(lefts, candidates, strict=True)])
        last = np.fromiter(map(len, reads), np.intp, len(reads))
        probable = np.zeros((len(rows), rows.shape[1] + 1), np.float32)
        np.cumsum(self._words.grams.log_probabilities(rows), axis=1, out=probable[:, 1:])
        numbers = np.arange(len(candidates))
        before = probable[-1]
        starts = np.array([each.end if each.letters else each.start for each in candidates])
        ends = np.array([min(each.end + _AROUND, len(text)) for each in candidates])
        found: Floats = probable[numbers, last] - probable[numbers, first] - (before[ends] - before[starts])
        return found

    def _best_words(self, text: str, candidates: Sequence[Candidate]) -> tuple[Floats, Floats]:
        """Of the shop's words that would hold all that was changed: log(1 + texts) of the commonest, and its length."""
        around = LONGEST - 1
        lefts = [max(0, each.start - around) for each in candidates]
        rows = rows_of([
            text[left : each.start] + each.meant + text[each.end : each.end + around]
            for left, each in zip(lefts, candidates, strict=True)
        ])  # fmt: skip
        first = np.array([[each.start - left] for left, each in zip(lefts, candidates, strict=True)])
        last = first + np.array([[len(each.meant)] for each in candidates])
        of, width = sums(rows), rows.shape[1]
        best = np.zeros(len(candidates), np.float32)
        length = np.zeros(len(candidates), np.float32)
        wanted, holds = [], []
        for size in range(2, min(LONGEST, width) + 1):
            wanted.append(stretches(of, size))
            starts = np.arange(width + 1 - size)[None, :]
            holds.append((starts <= first) & (starts + size >= last))
        # Most stretches do not hold the change: only those that do are looked up.
        chosen = [each[hold] for each, hold in zip(wanted, holds, strict=True)]
        counts = np.log1p(self._words.word_counts(np.concatenate([*chosen, _NONE])).astype(np.float32))
        place = 0
        for size, hold in enumerate(holds, start=2):
            grid = np.zeros(hold.shape, np.float32)
            after = place + int(hold.sum())
            grid[hold] = counts[place:after]
            here, place = grid.max(axis=1), after
            better = here + 0.7 * size > best + 0.7 * length
            better &= here > 0
            best, length = np.where(better, here, best), np.where(better, np.float32(size), length)
        return best, length

    def _beside(self, text: str, candidates: Sequence[Candidate]) -> tuple[Floats, Floats]:
        """log(1 + count) of the replacement's ends with the characters beside them; -1 where there are none."""
        padded = f" {text} "
        rows = codes_of(
            "".join([padded[each.start] + each.meant[0] + each.meant[-1] + padded[each.end + 1] for each in candidates])
        ).reshape(-1, 4)
        counts = np.log1p(self._words.grams.counts(stretches(sums(rows), 2)[:, ::2]).astype(np.float32))
        return np.where(rows[:, 0] > 0, counts[:, 0], -1), np.where(rows[:, 3] > 0, counts[:, 1], -1)

    def _is_language(self, text: str, candidate: Candidate) -> bool:
        """Whether a word of the general dictionary would hold all that was changed."""
        start, meant = candidate.start, candidate.meant
        left, right = text[max(0, start - 2) : start], text[candidate.end : candidate.end + 2]
        return any(
            _is_general(left[len(left) - before :] + meant + right[:after])
            for before in range(len(left) + 1)
            for after in range(len(right) + 1)
            if len(meant) + before + after > 1
        )


class _Typed:
    """What speaks for a text as it was typed, place by place."""

    def __init__(self, words: ChineseWords, text: str):
        self._text, self._grams = text, words.grams
        self._spans = [
            (first, last)
            for first in range(len(text))
            for last in range(first + 2, min(first + LONGEST, len(text)) + 1)
        ]
        counts = words.counts_of([text[first:last] for first, last in self._spans])
        self._known = np.log1p(counts).tolist()
        self._general = [_is_general(text[first:last]) for first, last in self._spans]
        of = sums(codes_of(text)[None])
        self._singles = words.grams.counts(stretches(of, 1))[0].tolist()
        pairs = words.grams.counts(stretches(of, 2)) if len(text) > 1 else np.zeros((1, 0))
        self._pairs = np.log1p(pairs)[0].tolist()

    def evidence(self, start: int, end: int, letters: bool) -> list[float]:
        """The features that are called `typed_…`, of `text[start:end]`."""
        if letters:
            return self._of_letters(start, end)
        near = [number for number, (first, last) in enumerate(self._spans) if first < end and last > start]
        known = max((self._known[number] for number in near), default=0.0)
        general = [self._spans[number] for number in near if self._general[number]]
        holding = max((last - first for first, last in general if first <= start and last >= end), default=0)
        covered = {place for first, last in general for place in range(max(first, start), min(last, end))}
        all_covered = len(covered) == end - start
        pairs = self._pairs[max(0, start - 1) : end]
        return [
            known, max((last - first for first, last in general), default=0), holding, all_covered,
            all_covered and not known, sum(pairs) / max(len(pairs), 1), self._singles[start:end].count(0), 0, 0, 0, 0,
        ]  # fmt: skip

    def _of_letters(self, start: int, end: int) -> list[float]:
        text = self._text
        latin = "".join([letter for letter in text[start:end] if letter.isascii()])
        known = log1p(self._grams.count(latin)) if len(latin) <= ORDER else 0.0
        beside = text[max(0, start - 1) : start] + text[end : end + 1]
        return [
            0, 0, 0, 0, 0, 0, 0, len(latin) / 5, known, min(general_words().get(latin, 0.0) / 10, 2.0),
            len(latin) < end - start or any(map(HAN.match, beside)),
        ]  # fmt: skip


@cache
def _is_general(word: str) -> bool:
    return bool(rjieba.has_word(word))
