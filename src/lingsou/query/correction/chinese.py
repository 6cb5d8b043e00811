"""Correction of Chinese queries: sounds, look-alikes, characters left out, and pinyin that was never converted.

A noisy channel over what a shop's own texts say (Kernighan, Church and Gale 1990): candidates of the doubtful pieces,
the probability of each in its context by character n-grams and words, and that of the error by its kind. The evidence
is weighed by a conditional logit over all candidates of a piece and its staying as it is (McFadden 1974), so that what
comes out is a probability.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingsou.core.plan import Correction
from lingsou.query.correction.chinese_candidates import Candidate, ChineseCandidates, latin_words
from lingsou.query.correction.chinese_scores import FEATURES, ChineseScores
from lingsou.query.correction.chinese_words import ChineseWords
from lingsou.query.correction.corrector import ShopWords
from lingsou.query.correction.syllables import like_pinyin, syllables_in
from lingsou.query.places import Piece, overlaps
from lingsou.text.normalise import HAN, fold_with_places
from lingsou.text.segment import Segmenter

APPLIED, SUGGESTED = 0.5, 0.2
"""From which probability on a correction is made unasked, and from which it is worth a question."""

_PIECE = re.compile(r"[^,，.。;；:：!！?？、|/()\[\]【】《》“”\n]{1,48}")
_MOST_PIECES = 12
_WEIGHTS = Path(__file__).parents[1] / "data" / "chinese_weights.tsv"


class ChineseCorrector:
    """Corrects Chinese words and pinyin of a query towards what a shop's texts have."""

    def __init__(self, words: ShopWords, segmenter: Segmenter):
        self._segmenter = segmenter
        self._words = ChineseWords(words, segmenter)
        self._candidates = ChineseCandidates(self._words)
        self._scores = ChineseScores(self._words)

    @property
    def nbytes(self) -> int:
        """Memory taken, about."""
        return self._words.nbytes

    def correct(self, raw: str, closed: Sequence[Piece]) -> Sequence[Correction]:
        """See `Corrector`."""
        if not self._words.words:
            return []
        folded, starts, ends = fold_with_places(raw)
        found: list[Correction] = []
        for match in list(_PIECE.finditer(folded))[:_MOST_PIECES]:
            offset, text = match.start(), match.group()
            free = [
                not overlaps(closed, starts[place], ends[place]) for place in range(offset, offset + len(text))
            ] if closed else [True] * len(text)  # fmt: skip
            for candidate, confidence in self._best(text, free):
                start, end = starts[offset + candidate.start], ends[offset + candidate.end - 1]
                found.append(
                    Correction(
                        start=start,
                        end=end,
                        surface=raw[start:end],
                        replacement=candidate.meant,
                        source=candidate.source,
                        confidence=confidence,
                        applied=confidence >= APPLIED,
                    )
                )
        return found

    def doubts(self, text: str, free: Sequence[bool]) -> tuple[list[bool], list[Piece]]:
        """Of a folded piece: which characters stand in no word of the shop, and which Latin words may be pinyin."""
        latin = [(start, end) for start, end in latin_words(text) if all(free[start:end])]
        if not HAN.search(text):
            # Most Latin queries are no pinyin: this is all that they cost.
            latin = [(start, end) for start, end in latin if like_pinyin(text[start:end])]
            if not latin:
                return [], []
        spans = [span for span in self._segmenter.spans(text) if span.end > span.start + 1]
        counts = self._words.counts_of([span.term for span in spans])
        doubtful = [HAN.match(character) is not None for character in text]
        known = set()
        for (_, start, end), count in zip(spans, counts, strict=True):
            if count:
                known.add((start, end))
                doubtful[start:end] = [False] * (end - start)
        pinyin = [
            (start, end)
            for start, end in latin
            if (start, end) not in known or (_beside_han(text, start, end) and syllables_in(text[start:end]))
        ]
        return doubtful, pinyin

    def candidates(self, text: str, free: Sequence[bool]) -> list[Candidate]:
        """What a folded piece may have been meant to be, none where nothing is doubtful."""
        doubtful, latin = self.doubts(text, free)
        if not latin and not any(doubtful):
            return []
        free = [each and HAN.match(character) is not None for each, character in zip(free, text, strict=True)]
        return self._candidates.of(text, doubtful, free, latin)

    def evidence(self, text: str, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
        """The features of each candidate, [n, len(FEATURES)]: what the weights are fitted to."""
        return self._scores.of(text, candidates)

    def _best(self, text: str, free: Sequence[bool]) -> Iterator[tuple[Candidate, float]]:
        candidates = self.candidates(text, free)
        if not candidates:
            return
        scores = np.minimum(self._scores.of(text, candidates) @ weights(), 50).tolist()
        for group in _groups(candidates):
            odds = np.exp([scores[number] for number in group])
            best = int(odds.argmax())
            confidence = float(odds[best] / (1 + odds.sum()))
            if confidence >= SUGGESTED:
                yield candidates[group[best]], confidence


@cache
def weights() -> NDArray[np.float32]:
    """[len(FEATURES)]: fitted by `benchmarks/understanding/zh_weights.py` and kept in a table."""
    lines = _WEIGHTS.read_text(encoding="utf-8").splitlines()
    of = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
    return np.array([float(of[name]) for name in FEATURES], np.float32)


def _groups(candidates: Sequence[Candidate]) -> Iterator[list[int]]:
    """Numbers of the candidates that compete: those whose places overlap or touch, directly or through others."""
    group: list[int] = []
    reached = 0
    for number in sorted(range(len(candidates)), key=lambda number: candidates[number].start):
        if group and candidates[number].start > reached:
            yield group
            group = []
        group.append(number)
        reached = max(reached, candidates[number].end)
    yield group


def _beside_han(text: str, start: int, end: int) -> bool:
    return any(map(HAN.match, text[max(0, start - 1) : start] + text[end : end + 1]))
