"""Words that may be a few edits away from a typed one, found by what both have in common after deletions.

Symmetric deletion (SymSpell, Garbe 2012): two words within d edits of each other become equal when at most d letters
of each are left out. Here the variants of all words are one sorted array of integers instead of a dictionary of
strings: a word takes at most 29 × 12 bytes, and building is a handful of array operations.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_PREFIX = 7
"""Letters of a word that variants are made of: what differs further on is left to the distance."""
_EDITS = 2
_KEPT = [
    [place for place in range(_PREFIX) if place not in gone]
    for edits in range(_EDITS + 1)
    for gone in combinations(range(_PREFIX), edits)
]
_OF_ONE_EDIT = 1 + _PREFIX
"""So many of the first of these leave out one letter at most."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Neighbours:
    """An index over words given as letters [n, w], w at least 7."""

    def __init__(self, letters: NDArray[np.uint8]):
        keys = _variants(letters)
        words = np.broadcast_to(np.arange(len(letters), dtype=np.int32)[:, None], keys.shape)
        order = np.argsort(keys, axis=None, kind="stable")
        flat, owners = keys.ravel()[order], words.ravel()[order]
        fresh = np.ones(len(flat), np.bool_)
        # Short words make the same variant in several ways.
        fresh[1:] = (flat[1:] != flat[:-1]) | (owners[1:] != owners[:-1])
        self._keys, self._owners = flat[fresh], owners[fresh]

    def near(self, word: str, edits: int = _EDITS) -> NDArray[np.int32]:
        """Places of all words within one or two edits of one in ASCII letters, and of others."""
        beginning = word[:_PREFIX]
        variants = {
            "".join([beginning[place] for place in kept if place < len(beginning)]).encode("ascii", "replace")
            for kept in (_KEPT if edits > 1 else _KEPT[:_OF_ONE_EDIT])
        }
        packed = []
        for variant in variants:
            number = 0
            for letter in variant:
                number = number << 5 | letter & 31
            packed.append(number)
        return _looked_up(self._keys, self._owners, np.array(packed, np.int64))


class Joined:
    """An index over longer strings, [n, w] letters, for a single edit."""

    def __init__(self, letters: NDArray[np.uint8], lengths: NDArray[np.intp]):
        keys = _one_less(letters, lengths)
        words = np.broadcast_to(np.arange(len(letters), dtype=np.int32)[:, None], keys.shape)
        order = np.argsort(keys, axis=None, kind="stable")
        flat, owners = keys.ravel()[order], words.ravel()[order]
        real = flat != 0
        self._keys, self._owners = flat[real], owners[real]

    def near(self, letters: NDArray[np.uint8], lengths: NDArray[np.intp]) -> NDArray[np.int32]:
        """Places of all strings within one edit of one given as letters [1, w], and perhaps of others."""
        keys = _one_less(letters, lengths)
        return _looked_up(self._keys, self._owners, np.unique(keys[keys != 0]))


def _variants(letters: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The letters [n, ≥7] with up to two of the first seven left out, packed into integers [n, 29]."""
    small = (letters[:, :_PREFIX] & 31).astype(np.int64)
    found = np.empty((len(letters), len(_KEPT)), np.int64)
    for number, kept in enumerate(_KEPT):
        packed = np.zeros(len(letters), np.int64)
        for place in kept:
            # A missing letter moves the others up, as in a string: an end of zeros is no difference.
            packed = np.where(small[:, place] > 0, packed << 5 | small[:, place], packed)
        found[:, number] = packed
    return found


def _one_less(letters: NDArray[np.uint8], lengths: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Hashes of each string whole and without one letter, [n, w + 1]; 0 where there is no such letter."""
    width = letters.shape[1]
    powers = _FACTOR ** np.arange(width + 1, dtype=np.uint64)
    codes = letters.astype(np.uint64)
    places = np.arange(width)[None, :] < lengths[:, None]
    left = np.cumsum(np.where(places, codes * powers[:width], 0), axis=1, dtype=np.uint64)
    up = np.cumsum(np.where(places, codes * np.roll(powers, 1)[:width], 0), axis=1, dtype=np.uint64)
    # Without letter p: those before it as they stand, those behind it one place earlier.
    before = np.concatenate([np.zeros((len(letters), 1), np.uint64), left[:, :-1]], axis=1)
    without = before + (up[:, -1:] - up)
    whole = left[:, -1:]
    return np.concatenate([whole, np.where(places, without, np.uint64(0))], axis=1)


def _looked_up(keys: NDArray[np.generic], owners: NDArray[np.int32], wanted: NDArray[np.generic]) -> NDArray[np.int32]:
    first, end = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    spans = [owners[left:right] for left, right in zip(first.tolist(), end.tolist(), strict=True) if left < right]
    return np.unique(np.concatenate(spans)) if spans else np.empty(0, np.int32)
