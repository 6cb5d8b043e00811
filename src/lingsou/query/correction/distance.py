"""How many edits lie between a typed word and many others at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def letters_of(words: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Words of ASCII letters as rows [n, width], cut off or filled up with zeros."""
    packed = np.array([word[:width].encode("ascii", "replace") for word in words], dtype=f"S{width}")
    return packed.view(np.uint8).reshape(len(words), width)


def distances(typed: str, letters: NDArray[np.uint8], lengths: NDArray[np.intp]) -> NDArray[np.int8]:
    """Optimal string alignment distance of `typed` to each row of `letters` [n, w], of which `lengths` [n] count.

    Damerau-Levenshtein without repeated edits: a swap of two neighbours counts once. Cost: O(len(typed) · w · n), all
    rows at once.
    """
    columns = np.ascontiguousarray(letters.T)
    steps = np.arange(len(columns) + 1, dtype=np.int8)[:, None]
    before = above = np.broadcast_to(steps, (len(steps), len(letters)))
    word = typed.encode("ascii", "replace")
    for row, letter in enumerate(word, 1):
        current = above + np.int8(1)
        np.minimum(current[1:], above[:-1] + (columns != letter), out=current[1:])
        if row > 1:
            swapped = (columns[1:] == word[row - 2]) & (columns[:-1] == letter)
            np.minimum(current[2:], np.where(swapped, before[:-2] + np.int8(1), current[2:]), out=current[2:])
        # A letter that was left out: min over j' ≤ j of D[j'] + (j − j').
        current = np.minimum.accumulate(current - steps, axis=0) + steps
        before, above = above, current
    found: NDArray[np.int8] = np.take_along_axis(above, lengths[None, :], axis=0)[0]
    return found
