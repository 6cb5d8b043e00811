"""Sorted keys of fixed width: what begins with a prefix is one range, found by two binary searches."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LAST = b"\xff"
"""No UTF-8 text holds this byte."""


class KeyTable:
    """K keys in order, as columns: `keys` bytes [K] of one width, `entries` int32 [K], `offsets` int32 [K].

    Key i leads to entry `entries[i]`, whose text it spells from character `offsets[i]` on. Keys longer than `width`
    bytes are cut; who asks with a longer prefix has to look at the text.
    """

    def __init__(self, keys: Sequence[bytes], entries: Sequence[int], offsets: Sequence[int], width: int):
        self.width = width
        unsorted = np.array(keys, dtype=f"S{width}")
        order = np.argsort(unsorted, kind="stable")
        self.keys = unsorted[order]
        self.entries: NDArray[np.int32] = np.asarray(entries, np.int32)[order]
        self.offsets: NDArray[np.int32] = np.asarray(offsets, np.int32)[order]

    def range(self, prefix: bytes) -> tuple[int, int, int]:
        """(first, end of those that are the prefix and no more, end) of the keys that begin with the prefix."""
        dtype = self.keys.dtype
        first = np.searchsorted(self.keys, np.array(prefix, dtype), side="left")
        last = np.array([prefix, prefix.ljust(self.width, _LAST)], dtype)
        whole, end = np.searchsorted(self.keys, last, side="right").tolist()
        return int(first), whole, end

    def ranges(self, prefixes: Sequence[bytes]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """First and end of the keys that begin with each prefix."""
        dtype = self.keys.dtype
        last = [prefix.ljust(self.width, _LAST) for prefix in prefixes]
        return (
            np.searchsorted(self.keys, np.array(prefixes, dtype), side="left"),
            np.searchsorted(self.keys, np.array(last, dtype), side="right"),
        )

    def letters(self, places: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The keys at these places, as bytes [n, width], zero where a key has ended."""
        return self.keys[places].view(np.uint8).reshape(len(places), self.width)

    @property
    def nbytes(self) -> int:
        """Memory of the columns."""
        return self.keys.nbytes + self.entries.nbytes + self.offsets.nbytes
