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
                weights = [self._idf[word] for word in own if not _said(word, others, solid)]
                found[pair, :, side] = fsum(weights), max(weights, default=0.0), len(weights)
        found.sort(axis=2)
        return found.reshape(len(left), len(LEFTOVERS))


def _said(word: str, others: frozenset[str], solid: str) -> bool:
    """Whether the other text has the word mistyped, or as a part of another."""
    if len(word) < _SHORTEST or any(letter.isdigit() for letter in word):
        return False
    return word in solid or any(len(each) >= _SHORTEST - 1 and _forms(word) & _forms(each) for each in others)


@lru_cache(_FORMS)
def _forms(word: str) -> frozenset[str]:
    """The word, and what is left of it without any one letter: words one error apart have one in common."""
    return frozenset((word, *(word[:place] + word[place + 1 :] for place in range(len(word)))))
