"""Keys whose beginning is a typing error or two away from what was typed."""

import string
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lingsou.retrieval.suggest.keys import KeyTable

_STEM = 4
_FIRST = 6
_MOST_COMPARED = 3_000


def allowed_edits(length: int) -> int:
    """None in up to 3 letters, one in 4 to 7, two beyond."""
    return 0 if length < 4 else 1 if length < 8 else 2


def near(table: KeyTable, typed: str, weights: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.int8]]:
    """Places of keys, and how many edits their best prefix is away, at most `allowed_edits` of the length.

    Every key within one edit is found. Within two, those are missed whose two edits both lie in the first four
    letters: people rarely err twice so early, and it keeps the keys that are compared few. Where they are many all
    the same, the heaviest are compared (`weights` by entry).
    """
    most = allowed_edits(len(typed))
    if not most or not typed.isascii() or len(typed) + most > table.width:
        return np.empty(0, np.intp), np.empty(0, np.int8)
    first, end = table.ranges(_one_edit(typed[:_STEM]))
    spans = [np.arange(left, right) for left, right in zip(first.tolist(), end.tolist(), strict=True) if left < right]
    places = np.unique(np.concatenate(spans)) if spans else np.empty(0, np.intp)
    if len(places) > _MOST_COMPARED:
        heaviest = np.argpartition(-weights[table.entries[places]], _MOST_COMPARED)[:_MOST_COMPARED]
        places = places[heaviest]
    edits = np.empty(0, np.int8)
    for length in sorted({min(_FIRST, len(typed)), len(typed)}):
        # The first letters alone are as far away at most, and rule most keys out on narrow arrays.
        edits = prefix_distance(typed[:length].encode(), table.letters(places)[:, : length + most])
        places, edits = places[edits <= most], edits[edits <= most]
    return places, edits


@lru_cache(maxsize=2_048)
def _one_edit(stem: str) -> list[bytes]:
    """The stem and everything that one deletion, transposition, substitution or insertion makes of it."""
    alphabet = string.ascii_lowercase if stem.isalpha() else string.ascii_lowercase + string.digits
    made = {stem}
    for place in range(len(stem)):
        left, right = stem[:place], stem[place:]
        made.add(left + right[1:])
        made.add(left + right[1:2] + right[:1] + right[2:])
        for letter in alphabet:
            made.add(left + letter + right[1:])
            made.add(left + letter + right)
    return [each.encode() for each in sorted(made - {""})]


def prefix_distance(typed: bytes, keys: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Edits between `typed` and the nearest prefix of each key [n, w], w at most 100.

    Optimal string alignment (Damerau-Levenshtein without repeated edits: neighbours that changed places count once),
    all keys at once.
    """
    columns = np.ascontiguousarray(keys.T)  # [w, n]: long rows, which arrays like
    steps = np.arange(len(columns) + 1, dtype=np.int8)[:, None]
    before = above = np.broadcast_to(steps, (len(steps), len(keys)))
    for row, letter in enumerate(typed, 1):
        current = above + np.int8(1)
        np.minimum(current[1:], above[:-1] + (columns != letter), out=current[1:])
        if row > 1:
            swapped = (columns[1:] == typed[row - 2]) & (columns[:-1] == letter)
            np.minimum(current[2:], np.where(swapped, before[:-2] + np.int8(1), current[2:]), out=current[2:])
        # A letter of the key that was left out: min over j' ≤ j of D[j'] + (j − j').
        current = np.minimum.accumulate(current - steps, axis=0) + steps
        before, above = above, current
    nearest: NDArray[np.int8] = above.min(axis=0)
    return nearest
