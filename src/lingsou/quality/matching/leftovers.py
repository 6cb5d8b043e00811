"""What each of two texts says that the other does not say in any form: the words of a second listing may be fewer or
mistyped, those of another product are others.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import fsum

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.matching.records import words

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LEFTOVERS = ("left-least", "left-most", "rarest-left-least", "rarest-left-most", "words-left-least", "words-left-most")
_SHORTEST = 4
"""Letters of a word that may be mistyped, or stand inside another."""
_LONGEST = 64
"""Letters of a word whose forms are made; together they take the square of its length."""
_FORMS = 50_000


class Leftovers:
    """The words of all texts, and how rare each is."""

    def __init__(self, texts: Sequence[str]):
        self._solid = ["".join(text.split()) for text in texts]
        self._words = [frozenset(words(text)) for text in texts]
        counts = Counter(word for each in self._words for word in each)
        total = len(texts)
        self._idf = {word: float(np.log((1 + total) / (1 + count))) + 0.1 for word, count in counts.items()}

    def of(self, left: Ints, right: Ints) -> Floats:
        """`LEFTOVERS` of the pairs [n]: [n, 6]. `least` and `most` are of the two records."""
        found = np.zeros((len(left), 3, 2))
        for pair, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
            mine, yours = self._words[one] - self._words[other], self._words[other] - self._words[one]
            for side, (own, others, solid) in enumerate(
                ((mine, yours, self._solid[other]), (yours, mine, self._solid[one]))
            ):
                weights = [self._idf[word] for word in own - _said(own, others, solid)]
                found[pair, :, side] = fsum(weights), max(weights, default=0.0), len(weights)
        found.sort(axis=2)
        return found.reshape(len(left), len(LEFTOVERS))


def _said(own: frozenset[str], others: frozenset[str], solid: str) -> set[str]:
    """Those of the words that the other text has mistyped, or as a part of another. Time grows with their number."""
    asked = {word for word in own if len(word) >= _SHORTEST and not any(letter.isdigit() for letter in word)}
    said = {word for word in asked if word in solid}
    if len(said) < len(asked):
        known = [each for each in others if len(each) >= _SHORTEST - 1]
        forms = set[str]().union(*(_forms(each) for each in known if len(each) <= _LONGEST + 1))
        long = [each for each in known if len(each) >= _LONGEST]
        for word in asked - said:
            if len(word) > _LONGEST:
                mistyped = any(_alike(word, each) for each in long)
            else:
                mistyped = not forms.isdisjoint(_forms(word))
            if mistyped:
                said.add(word)
    return said


@lru_cache(_FORMS)
def _forms(word: str) -> frozenset[str]:
    """The word, and what is left of it without any one letter: words one error apart have one in common."""
    return frozenset((word, *(word[:place] + word[place + 1 :] for place in range(len(word)))))


def _alike(one: str, other: str) -> bool:
    """Whether two words have a form in common, without making any: both are read once."""
    if abs(len(one) - len(other)) > 1:
        return False
    place = _shared(one, other)
    mine, yours = one[place:], other[place:]
    # The first letter that differs is wrong in one of the two; what follows may lack one letter of the other's.
    return yours in (mine, mine[1:]) or mine == yours[1:] or _lacks_one(yours[1:], mine) or _lacks_one(mine[1:], yours)


def _lacks_one(shorter: str, longer: str) -> bool:
    place = _shared(shorter, longer)
    return shorter[place:] == longer[place + 1 :]


def _shared(one: str, other: str) -> int:
    """Letters at the beginning that two words have in common."""
    differ = (place for place, (mine, yours) in enumerate(zip(one, other, strict=False)) if mine != yours)
    return next(differ, min(len(one), len(other)))
