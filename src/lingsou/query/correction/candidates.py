"""What may have been meant by some letters: words and pairs of words of the shop that are spelt or sound like them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lingsou.query.correction.distance import distances, letters_of
from lingsou.query.correction.neighbours import Joined, Neighbours
from lingsou.query.correction.shop import EnglishWords
from lingsou.query.correction.sounds import sound

WIDTH = 24
_MOST = 16
_LEAST_PRODUCTS = 2
_EDIT, _FREQUENT = 2.0, 0.5
"""What an edit costs and what a logarithm of products is worth, when the likeliest candidates are picked."""


@dataclass(frozen=True, slots=True)
class Meant:
    """One or two words, by their places, and how many edits they are away without the space between them."""

    words: tuple[int, ...]
    distance: int


class Candidates:
    """Finds candidates over the words of one shop."""

    def __init__(self, words: EnglishWords):
        self._words = words
        self._letters = letters_of(words.words, WIDTH)
        self._lengths = np.array([min(len(word), WIDTH) for word in words.words], np.intp)
        self._letters[0], self._lengths[0] = 0, 0
        # A word of one title that is none of the language is likelier a misspelling itself than what was meant.
        brands = np.array([word in words.brands for word in words.words])
        self._is_target = (words.general[:-1] > 0) | (words.counts[:-1] >= _LEAST_PRODUCTS) | brands
        self._is_target[0] = False
        self._near = Neighbours(self._letters)
        pairs = list(words.frequent_pairs())
        joined = [words.words[left] + words.words[right] for left, right, _ in pairs]
        self._pairs = np.array([(left, right) for left, right, _ in pairs], np.int64).reshape(-1, 2)
        self._pair_letters = letters_of(joined, WIDTH)
        self._pair_lengths = np.array([min(len(word), WIDTH) for word in joined], np.intp)
        self._near_pairs = Joined(self._pair_letters, self._pair_lengths)
        self._pair_worth = np.log1p(np.array([count for _, _, count in pairs], np.float32))
        self._worth = np.log1p(words.stem_counts[:-1]) * np.where(words.counts[:-1] > 0, 1.0, 0.7)
        sounds = np.array([sound(word).encode() for word in words.words], "S10")
        self._by_sound = np.argsort(sounds, kind="stable").astype(np.int32)
        self._sounds = sounds[self._by_sound]
        self.of = lru_cache(maxsize=20_000)(self._of)
        self.of_joined = lru_cache(maxsize=20_000)(self._of_joined)

    def _of(self, letters: str) -> tuple[Meant, ...]:
        """The likeliest meanings of letters that were typed as a word, or as two with the space left out."""
        if len(letters) < 3 or len(letters) > WIDTH - 2:
            return ()
        return (*self._single(letters), *self._double(letters))

    def _of_joined(self, letters: str) -> tuple[Meant, ...]:
        """The likeliest meanings of two words written as one: with a space elsewhere, or none and at most one edit."""
        if len(letters) < 4 or len(letters) > WIDTH - 2:
            return ()
        places = self._near.near(letters, edits=1)
        return (*self._within(letters, places, 1), *self._double(letters))

    def _single(self, letters: str) -> list[Meant]:
        places = self._near.near(letters)
        key = sound(letters).encode()[:10]
        left, right = np.searchsorted(self._sounds, key, "left"), np.searchsorted(self._sounds, key, "right")
        places = np.union1d(places, self._by_sound[left:right])
        most = 1 if len(letters) < 4 else 2 if len(letters) < 7 else 3
        return self._within(letters, places, most)

    def _within(self, letters: str, places: NDArray[np.int32], most: int) -> list[Meant]:
        apart = np.abs(self._lengths[places] - len(letters))
        places = places[(apart <= most) & (self._lengths[places] > 1) & self._is_target[places]]
        if not len(places):
            return []
        width = int(self._lengths[places].max())
        edits = distances(letters, self._letters[places][:, :width], self._lengths[places])
        close = (edits <= most) & (edits > 0) & (2 * edits < len(letters) + 1)
        places, edits = places[close], edits[close]
        order = np.argsort(_EDIT * edits - _FREQUENT * self._worth[places], kind="stable")[:_MOST]
        return [
            Meant((place,), edit) for place, edit in zip(places[order].tolist(), edits[order].tolist(), strict=True)
        ]

    def _double(self, letters: str) -> list[Meant]:
        found: dict[tuple[int, int], int] = {}
        if len(letters) > 5:
            typed = letters_of([letters], WIDTH)
            places = self._near_pairs.near(typed, np.array([len(letters)]))
            if len(places):
                edits = distances(letters, self._pair_letters[places], self._pair_lengths[places])
                places, edits = places[edits <= 1], edits[edits <= 1]
                order = np.argsort(_EDIT * edits - _FREQUENT * self._pair_worth[places], kind="stable")[: _MOST // 2]
                for place, edit in zip(places[order].tolist(), edits[order].tolist(), strict=True):
                    left, right = self._pairs[place].tolist()
                    found[left, right] = edit
        known = self._words.place
        for cut in range(1, len(letters)):
            left, right = known.get(letters[:cut]), known.get(letters[cut:])
            if left is not None and right is not None and min(cut, len(letters) - cut) > 1:
                found[left, right] = 0
        return [Meant(words, edit) for words, edit in found.items()]
