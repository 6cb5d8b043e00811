"""English (and other Latin) words: a learned choice between what was typed and what may have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from lingsou.core.plan import Correction
from lingsou.query.correction.edits import alignment, near_keys
from lingsou.query.correction.options import FEATURES, Doubt, Option, Options, Typed
from lingsou.query.correction.shop import EnglishWords
from lingsou.query.correction.sounds import sound
from lingsou.query.places import Piece

SUGGESTED = (0.5, 0.5, 0.25, 0.5, 0.25)
"""Least probability of a "did you mean", by what the typed word is (`STANDINGS`): a valid word takes more."""
APPLIED = (0.85, 0.85, 0.5, 0.85, 0.5)
"""Least probability of a silent correction, in a large shop."""
_LARGE, _SMALL, _CAUTION = 20_000, 2_000, 0.8
"""From so many texts on a shop is large. In one of so few, or fewer, many a right word is unknown: there no correction
is silent below this probability, and between the two the threshold falls with the logarithm of the number."""
_MOST_ROUNDS = 4
_SURE = 0.95
"""Probability of being right as typed from which on a word is not weighed again beside corrected ones."""


@dataclass(frozen=True)
class Weights:
    """A conditional logit model (McFadden 1974): weights [len(FEATURES), len(STANDINGS)] of an option's log odds."""

    values: NDArray[np.float32]

    def probabilities(self, doubt: Doubt) -> NDArray[np.float32]:
        """The probability of each option [n]."""
        odds = doubt.features @ self.values[:, doubt.standing]
        odds = np.exp(odds - odds.max())
        found: NDArray[np.float32] = odds / odds.sum()
        return found


@cache
def default_weights() -> Weights:
    """The weights that come with the package; `benchmarks/correction_fit.py` made them."""
    text = resources.files("lingsou.query").joinpath("data", "english_correction.tsv").read_text(encoding="utf-8")
    rows = dict(line.split("\t", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return Weights(np.array([[float(cell) for cell in rows[name].split("\t")] for name in FEATURES], np.float32))


class EnglishCorrector:
    """Corrects words of Latin letters by the words of one shop.

    Every doubtful word has options: itself, words and pairs of words that are spelt or sound like it, it and its
    neighbour as one word. The surest correction is made, then all others are weighed anew beside it.
    """

    def __init__(self, words: EnglishWords, weights: Weights | None = None):
        self._words = words
        self._options = Options(words)
        self._weights = weights or default_weights()
        share = np.log(_LARGE / max(words.texts, 1)) / np.log(_LARGE / _SMALL)
        caution = float(np.clip(share, 0, 1))
        self._applied = tuple(least + max(_CAUTION - least, 0) * caution for least in APPLIED)

    def correct(self, raw: str, closed: Sequence[Piece] = ()) -> tuple[Correction, ...]:
        """As `Corrector.correct`."""
        typed = self._options.read(raw, closed)
        found: list[Correction] = []
        open_: set[int] | None = None
        for _ in range(_MOST_ROUNDS):
            best: tuple[float, Option, int] | None = None
            doubtful: set[int] = set()
            for doubt in self._options.doubts(typed, open_):
                probabilities = self._weights.probabilities(doubt)
                if probabilities[0] < _SURE:
                    doubtful.add(typed[doubt.token].start)
                place = 1 + int(probabilities[1:].argmax())
                probability = float(probabilities[place])
                if probability >= SUGGESTED[doubt.standing] and (best is None or probability > best[0]):
                    best = probability, doubt.options[place], doubt.standing
            if best is None:
                break
            found.append(self._correction(raw, typed, *best))
            typed, open_ = self._options.with_option(typed, best[1]), doubtful
        return tuple(sorted(found, key=lambda each: each.start))

    def _correction(
        self, raw: str, typed: Sequence[Typed], probability: float, option: Option, standing: int
    ) -> Correction:
        start, end = typed[option.first].start, typed[option.last - 1].end
        surface = raw[start:end]
        words = [self._words.words[place] for place in option.words]
        return Correction(
            start=start,
            end=end,
            surface=surface,
            replacement=_in_case(surface, " ".join(words)),
            source=_source([word.text for word in typed[option.first : option.last]], words),
            confidence=min(round(probability, 4), 1.0),
            applied=probability >= self._applied[standing],
        )


def _in_case(surface: str, words: str) -> str:
    """The words in capitals where the surface is."""
    if surface.isupper() and len(surface) > 1:
        return words.upper()
    return words[:1].upper() + words[1:] if surface[:1].isupper() else words


def _source(typed: Sequence[str], words: Sequence[str]) -> str:
    if len(typed) != len(words):
        return "split" if len(typed) < len(words) else "join"
    one, other = "".join(typed), "".join(words)
    made = alignment(one, other)
    if not made:
        return "split"  # the space stood in the wrong place
    if len(made) == 1 and made[0][0] == "letter" and near_keys(one[made[0][1]], other[made[0][2]]):
        return "keyboard"
    by_ear = len(made) > 1 or made[0][0] == "letter"
    return "sound" if by_ear and sound(one) == sound(other) else "spelling"
