"""Classes of texts by their runs of characters and words: a linear model that needs no encoder, and goes beside one.

An encoder knows what words mean; this knows by heart which of them a class has, and nothing of those it never met
(docs/benchmarks.md compares both, and their sum).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.models.logistic import Floats, softmax
from lingsou.text.normalise import normalise

LONGEST = 4
MOST_CHARACTERS = 512
"""Of a text; what follows is not read."""
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+")
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.power(np.uint64(_BASE), np.arange(MOST_CHARACTERS + 2, dtype=np.uint64))
_INVERSES = np.power(np.uint64(pow(_BASE, -1, 2**64)), np.arange(MOST_CHARACTERS + 2, dtype=np.uint64))
_WORDS = np.uint64(1)

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class CharacterClasses:
    """A trained linear classifier over tf-idf of n-grams."""

    keys: Keys
    """[n], of the n-grams that count, rising."""
    rarity: NDArray[np.floating]
    """[n], the inverse document frequency of each."""
    weight: NDArray[np.floating]
    """[n, k]."""
    bias: NDArray[np.floating]
    """[k]."""

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "CharacterClasses":
        """From what `arrays` gave.

        Raises:
            InputError: an array is missing.
        """
        try:
            keys = np.asarray(arrays["keys"], np.uint64)
            return cls(keys, *(np.asarray(arrays[name], np.float32) for name in ("rarity", "weight", "bias")))
        except KeyError as error:
            raise InputError(f"A classifier of characters has no {error}.", cure="Train the model anew.") from error

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What keeps it: weights in half precision."""
        return {
            "keys": self.keys,
            "rarity": self.rarity.astype(np.float32),
            "weight": self.weight.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }

    def times(self, factor: float) -> "CharacterClasses":
        """The same with all logits multiplied."""
        return CharacterClasses(self.keys, self.rarity, self.weight * factor, self.bias * factor)

    def logits(self, text: str) -> Floats:
        """`[k]`; the bias alone where nothing of the text is known. Cost: about 0.1 ms for 50 characters."""
        places, values = self.places(text)
        return np.asarray(values @ self.weight[places] + self.bias, np.float64)

    def all_logits(self, texts: Sequence[str]) -> Floats:
        """`[n, k]`."""
        found = np.zeros((len(texts), len(self.bias)))
        for row, text in enumerate(texts):
            found[row] = self.logits(text)
        return found

    def places(self, text: str) -> tuple[NDArray[np.int64], Floats]:
        """Where the n-grams of a text are among `keys`, and their tf-idf; those of characters have the length 1, and
        those of words.
        """
        keys, counts = grams_of(text)
        if not len(self.keys):
            return np.zeros(0, np.int64), np.zeros(0)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        places = places[known]
        values = (1.0 + np.log(counts[known])) * self.rarity[places]
        words = (keys[known] & _WORDS).astype(np.intp)
        lengths = np.sqrt(np.bincount(words, weights=values * values, minlength=2))
        return places, values / lengths[words]


def grams_of(text: str) -> tuple[Keys, NDArray[np.int64]]:
    """Keys of what a text has of n-grams, rising, and how often each: 1 to 4 characters, Latin words, pairs of them.

    A key depends on the characters alone, so it is the same in every process: Σ (c(t) + 1) · base⁻ᵗ, modulo 2⁶⁴, which
    the difference of two sums gives for any part of a text (Karp & Rabin 1987, read backwards). Twice that, plus 1
    where it is of words.
    """
    text = f" {normalise(text[:MOST_CHARACTERS])[:MOST_CHARACTERS]} "
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64) + np.uint64(1)
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * _INVERSES[: len(codes)], out=sums[1:])
    words = [found.span() for found in _WORD.finditer(text)]
    pairs = [(first[0], second[1]) for first, second in pairwise(words)]
    marked = np.array([*words, *pairs], np.int64).reshape(-1, 2)
    starts = [np.arange(len(codes) - n + 1) for n in range(1, LONGEST + 1)]
    ends = [own + n for n, own in enumerate(starts, start=1)]
    first, last = np.concatenate([*starts, marked[:, 0]]), np.concatenate([*ends, marked[:, 1]])
    found = (sums[last] - sums[first]) * _POWERS[first] << _WORDS
    found[len(found) - len(marked) :] |= _WORDS
    keys, counts = np.unique(found, return_counts=True)
    return keys, counts


def likeliest_share(
    logits: Floats, beside: Floats, expected: NDArray[np.int64], shares: Sequence[float]
) -> tuple[float, float]:
    """Share of the first of two classifiers, and the temperature of their sum, that make what was expected likeliest.

    Probabilities are softmax((share · `logits` + (1 − share) · `beside`) / temperature).

    Args:
        logits: [n, k], made honest by a temperature of their own, as are those `beside`.
        beside: [n, k].
        expected: [n], of rows that neither has learned from.
        shares: to choose from.
    """
    best = (np.inf, 1.0, 1.0)
    rows = np.arange(len(expected))
    for share in shares:
        summed = share * logits + (1.0 - share) * beside
        for temperature in np.geomspace(0.25, 4.0, 33).tolist():
            loss = float(-np.log(softmax(summed / temperature)[rows, expected].clip(1e-300)).mean())
            best = min(best, (loss, share, temperature))
    return best[1], best[2]
