"""How often each stretch of characters stands in a shop's titles, and how probable that makes a text.

Counts are one sorted array of hashes. The hash of `text[i:j]` is the difference of two sums of codes times powers of an
odd number, brought back to place 0 by the inverse power (everything modulo 2^64, where odd numbers have an inverse):
all stretches of all rows of a matrix are hashed by one subtraction and one product.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]
Floats = NDArray[np.float32]

ORDER = 5
"""Characters of the longest stretch that is counted."""
MOST_CHARACTERS = 8_000_000
"""Of titles read; of longer catalogues, titles evenly spread."""
MOST_GRAMS = 6_000_000
"""Stretches kept. Where there are more, the rarest of the longest are left out: 16 bytes each."""

_FACTOR, _INVERSE = 0x9E3779B97F4A7C15, pow(0x9E3779B97F4A7C15, -1, 1 << 64)
_WIDTH = 64


def codes_of(text: str) -> Codes:
    """The code points of a text; white space is 0, which is part of no stretch."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    return np.where(codes == 32, np.uint32(0), codes)


def _powers(base: int, length: int) -> Hashes:
    found = np.full(length, base, np.uint64)
    found[0] = 1
    return np.multiply.accumulate(found)


_POWERS, _INVERSES = _powers(_FACTOR, _WIDTH), _powers(_INVERSE, _WIDTH)


def _mixed(codes: Codes) -> Hashes:
    # Neighbouring code points must not have neighbouring hashes, else sums collide (splitmix64, Steele et al. 2014).
    # None is 0, or a stretch would have the hash of another with blanks around it.
    found = (codes.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(31)
    found *= np.uint64(0x94D049BB133111EB)
    return found ^ found >> np.uint64(29)


def sums(rows: Codes) -> Hashes:
    """For `stretches`: [n, w] codes → [n, w + 1], w at most 63."""
    found = np.zeros((rows.shape[0], rows.shape[1] + 1), np.uint64)
    np.cumsum(_mixed(rows) * _POWERS[: rows.shape[1]], axis=1, out=found[:, 1:])
    return found


def stretches(of: Hashes, length: int) -> Hashes:
    """Hashes of all stretches of a length: `sums` [n, w + 1] → [n, w + 1 - length]."""
    count = of.shape[1] - length
    found: Hashes = (of[:, length:] - of[:, :count]) * _INVERSES[:count]
    return found


def hash_of(texts: Sequence[str]) -> Hashes:
    """The hash of each text, [n]; texts of at most 63 characters."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    ends = np.cumsum(lengths)
    codes = codes_of("".join(texts))
    columns = np.arange(len(codes)) - np.repeat(ends - lengths, lengths)
    summed: Hashes = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(_mixed(codes) * _POWERS[columns], out=summed[1:])
    found: Hashes = summed[ends] - summed[ends - lengths]
    return found


def rows_of(texts: Sequence[str]) -> Codes:
    """The codes of several texts, [n, w], each filled up with 0 to the length of the longest."""
    width = max(map(len, texts), default=0)
    return codes_of("".join([text.ljust(width) for text in texts])).reshape(len(texts), width)


class Table:
    """Hashes with a number each, sorted: looked up by thousands at once."""

    def __init__(self, keys: Hashes, values: NDArray[np.int32]):
        """`keys` [n] ascending, without repeats; `values` [n]."""
        # A last entry that nothing equals (0 is the hash of the empty text): no lookup has to be clipped.
        self._keys = np.append(keys, np.uint64(0xFFFFFFFFFFFFFFFF))
        self.values: NDArray[np.int32] = np.append(values, np.int32(0))

    @property
    def size(self) -> int:
        """Entries."""
        return len(self._keys) - 1

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return int(self._keys.nbytes + self.values.nbytes)

    def places(self, wanted: Hashes) -> NDArray[np.intp]:
        """Where each is; the place behind the last, whose values are 0, for those that are not there."""
        found = self._keys.searchsorted(wanted)
        return np.where(self._keys[found] == wanted, found, self.size)


class TitleGrams:
    """Counts of all stretches of up to `ORDER` characters, and an interpolated model of the next character.

    Witten-Bell smoothing (Witten and Bell 1991): a stretch that was followed by many different characters trusts the
    shorter stretch more.
    """

    def __init__(self, titles: Sequence[str]):
        """`titles` are normalised, each once."""
        codes = codes_of(" " + " ".join(_spread(titles)))
        apart = np.zeros(len(codes) + 1, np.int64)
        np.cumsum(codes == 0, out=apart[1:])
        prefix = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(_mixed(codes) * _powers(_FACTOR, len(codes)), out=prefix[1:])
        inverses = _powers(_INVERSE, len(codes) + 1)
        keys: list[Hashes] = []
        counts: list[NDArray[np.int32]] = []
        prefixes: list[Hashes] = []
        self.characters = int((codes != 0).sum())
        room, least = MOST_GRAMS, 1
        for length in range(1, min(ORDER, len(codes)) + 1):
            whole = apart[length:] == apart[:-length]
            starts = np.flatnonzero(whole)
            hashed = (prefix[starts + length] - prefix[starts]) * inverses[starts]
            order = np.argsort(hashed)
            hashed, starts = hashed[order], starts[order]
            first = np.flatnonzero(np.append(True, hashed[1:] != hashed[:-1])[: len(hashed)])
            count = np.diff(np.append(first, len(hashed))).astype(np.int32)
            begun = (prefix[starts[first] + length - 1] - prefix[starts[first]]) * inverses[starts[first]]
            prefixes.append(begun)
            while (kept := int((count >= least).sum())) > room:
                least += 1
            room -= kept
            keys.append(hashed[first][count >= least])
            counts.append(count[count >= least])
        every = np.concatenate(keys) if keys else np.empty(0, np.uint64)
        order = np.argsort(every)
        table = Table(every[order], np.concatenate(counts)[order] if counts else np.empty(0, np.int32))
        followers = np.zeros(table.size + 1, np.int32)
        for begun in prefixes[1:]:
            # In order, neighbouring lookups read neighbouring memory: several times faster.
            beginning, kinds = np.unique(begun, return_counts=True)
            followers[table.places(beginning)] += kinds.astype(np.int32)
        # The end of a title is something that follows, too.
        followers = np.maximum(followers, 1)
        self._table = table
        self._counts = table.values
        self._followers = followers
        self._distinct = len(keys[0]) if keys else 0

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return self._table.nbytes + int(self._followers.nbytes)

    def counts(self, hashed: Hashes) -> NDArray[np.int32]:
        """How often each stretch occurs."""
        return self._counts[self._table.places(hashed)]

    def count(self, text: str) -> int:
        """How often a text of at most `ORDER` characters occurs."""
        return int(self.counts(hash_of([text]))[0])

    def log_probabilities(self, rows: Codes) -> Floats:
        """Natural logarithm of the probability of each character behind those before it in its row: [n, w] → [n, w].

        At a 0 it is 0. What nobody has seen is as probable as something seen half a time.
        """
        of, width = sums(rows), rows.shape[1]
        order = min(ORDER, width)
        flat = np.concatenate([stretches(of, length).ravel() for length in range(1, order + 1)])
        places = self._table.places(flat)
        count = self._counts[places].astype(np.float32)
        more = self._followers[places].astype(np.float32)
        total = np.float32(self.characters + 0.5 * self._distinct + 1)
        size = rows.shape[0]
        split = np.cumsum([size * (width + 1 - length) for length in range(1, order + 1)])[:-1]
        by_length = [part.reshape(size, -1) for part in np.split(count, split)]
        after = [part.reshape(size, -1) for part in np.split(more, split)]
        found = (by_length[0] + np.float32(0.5)) / total
        for length in range(1, order):
            history, distinct = by_length[length - 1][:, :-1], after[length - 1][:, :-1]
            here = found[:, length:]
            better = (by_length[length] + distinct * here) / np.maximum(history + distinct, 1)
            found[:, length:] = np.where(history > 0, better, here)
        return np.log(np.where(rows == 0, np.float32(1), found))


def _spread(titles: Sequence[str]) -> Sequence[str]:
    share = min(1.0, MOST_CHARACTERS / max(sum(map(len, titles)), 1))
    return titles if share == 1.0 else [titles[int(n / share)] for n in range(int(len(titles) * share))]
