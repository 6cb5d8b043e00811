"""What kinds of errors turn one word into another: counts of them, by the cheapest alignment."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lingsou.query.correction.sounds import sound

KINDS = (
    "doubled", "swapped", "vowel", "near_key", "like_sound", "other_letter", "missing_vowel", "missing_consonant",
    "missing_silent", "extra_vowel", "extra_consonant", "extra_near_key", "end_s", "first_letter", "distance",
    "second_edit", "third_edit", "share", "same_sound", "same_letters",
)  # fmt: skip
"""One column each of what `errors` returns; all are 0 for a word that stays as it is."""

_PLACE = {kind: number for number, kind in enumerate(KINDS)}
_VOWELS = frozenset("aeiouy")
_SILENT = frozenset("hegkuw")
_KEYS = {
    letter: (row, column + row / 2)
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, letter in enumerate(keys)
}
_ALIKE = frozenset(
    frozenset(pair)
    for pair in ("ck", "cs", "kq", "cq", "gj", "fv", "dt", "mn", "sz", "bp", "kx", "cx", "sx", "fp", "vw")
)
_SAME_SOUND = (("ph", "f"), ("qu", "kw"), ("x", "ks"), ("x", "cks"), ("sch", "sk"))
"""Letters that stand for one sound: writing the others for them is one error, however many edits it takes."""
_Edit = tuple[str, int, int]


@lru_cache(maxsize=65_536)
def errors(typed: str, meant: str) -> NDArray[np.float32]:
    """Counts of each of `KINDS` [len(KINDS)] that explain `typed` where `meant` was meant; not to be written to."""
    found = np.zeros(len(KINDS), np.float32)
    made, spelt, by_ear = alignment(typed, meant), meant, 0
    if len(made) > 1:
        for other in _spelt_by_ear(typed, meant):
            heard = alignment(typed, other)
            if len(heard) + 1 < len(made) + by_ear:
                made, spelt, by_ear = heard, other, 1
    found[_PLACE["like_sound"]] = by_ear
    for kind, i, j in made:
        found[_PLACE[_kind(kind, typed, spelt, i, j)]] += 1
        if min(i, j) == 0 and kind != "swapped":
            found[_PLACE["first_letter"]] += 1
    count = len(made) + by_ear
    found[_PLACE["distance"]] = count
    found[_PLACE["second_edit"]] = count > 1
    found[_PLACE["third_edit"]] = max(count - 2, 0)
    found[_PLACE["share"]] = count / max(len(typed), len(meant), 1)
    if count:
        found[_PLACE["same_sound"]] = sound(typed) == sound(meant)
        found[_PLACE["same_letters"]] = sorted(typed) == sorted(meant)
    found.flags.writeable = False
    return found


def _spelt_by_ear(typed: str, meant: str) -> Iterator[str]:
    """What was meant, with one sound spelt as it was typed."""
    for pair in _SAME_SOUND:
        for one, other in (pair, pair[::-1]):
            if one in meant and other in typed and one not in typed:
                yield meant.replace(one, other, 1)


def near_keys(one: str, other: str) -> bool:
    """Whether two letters are neighbours on a QWERTY keyboard."""
    if one not in _KEYS or other not in _KEYS:
        return False
    (row, column), (other_row, other_column) = _KEYS[one], _KEYS[other]
    return one != other and abs(row - other_row) <= 1 and abs(column - other_column) <= 1


def alignment(typed: str, meant: str) -> list[_Edit]:
    """The edits of a cheapest alignment: (`missing`, `extra`, `letter` or `swapped`, place typed, place meant)."""
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    end = 0
    while end < min(len(typed), len(meant)) - start and typed[-1 - end] == meant[-1 - end]:
        end += 1
    a, b = typed[start : len(typed) - end], meant[start : len(meant) - end]
    costs = [[max(i, j) if not (i and j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = min(costs[i - 1][j] + 1, costs[i][j - 1] + 1, costs[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                cost = min(cost, costs[i - 2][j - 2] + 1)
            costs[i][j] = cost
    i, j = len(a), len(b)
    made: list[_Edit] = []
    while i or j:
        cost = costs[i][j]
        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1] and cost == costs[i - 2][j - 2] + 1:
            i, j = i - 2, j - 2
            made.append(("swapped", start + i, start + j))
        elif i and j and cost == costs[i - 1][j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            if a[i] != b[j]:
                made.append(("letter", start + i, start + j))
        elif i and cost == costs[i - 1][j] + 1:
            i -= 1
            made.append(("extra", start + i, start + j))
        else:
            j -= 1
            made.append(("missing", start + i, start + j))
    return made


def _kind(kind: str, typed: str, meant: str, i: int, j: int) -> str:
    if kind == "swapped":
        return kind
    if kind == "letter":
        one, other = typed[i], meant[j]
        if one in _VOWELS and other in _VOWELS:
            return "vowel"
        if frozenset((one, other)) in _ALIKE:
            return "like_sound"
        return "near_key" if near_keys(one, other) else "other_letter"
    word, place = (typed, i) if kind == "extra" else (meant, j)
    letter = word[place]
    beside = word[max(place - 1, 0) : place] + word[place + 1 : place + 2]
    if letter in beside:
        return "doubled"
    if letter == "s" and place == len(word) - 1:
        return "end_s"
    if kind == "missing":
        if letter in _VOWELS:
            return "missing_vowel"
        return "missing_silent" if letter in _SILENT else "missing_consonant"
    if any(near_keys(letter, other) for other in beside):
        return "extra_near_key"
    return "extra_vowel" if letter in _VOWELS else "extra_consonant"
