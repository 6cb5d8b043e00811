"""The ways in which what was typed leads to an entry, each with its score.

A match counts by its way first, then by the weight of its entry, which is below 0.5:

| what is typed | score |
|---|---|
| begins the text | 6 |
| begins a word of it | 5 |
| is several of its words, in any order, each at least begun | 4.5 |
| is its pinyin, mixed with characters or not; or characters that sound alike | 4 |
| is its initials | 3 |
| is its pinyin with sounds mixed up that dialects mix up | 2 |
| is one or two typing errors away | 1, 0 |
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingsou.retrieval.suggest.entries import Entry, Shelf
from lingsou.retrieval.suggest.keys import KeyTable
from lingsou.retrieval.suggest.romanise import fuzzy, initial, squashed
from lingsou.retrieval.suggest.typos import near
from lingsou.text.normalise import has_han

PREFIX, WORD, WORDS, LATIN, INITIALS, FUZZY, TYPO = 6.0, 5.0, 4.5, 4.0, 3.0, 2.0, 1.0
_COMPLETE = 0.4
"""For an entry of which nothing is left to type."""
_WITHIN = 0.2
"""Less for letters that begin at a later word."""
_OTHER_LETTER = 0.3
"""Less for a typing error in the first letter."""
_KEPT = 50
"""Best matches kept of each way and kind: as many as can be asked for, so that none of a lesser way comes instead."""


class Match(NamedTuple):
    """An entry with its score and what of it was typed.

    `spans` are characters of its folded text. With `spell` there is one span, whose end counts letters as `spell`
    makes them of each character's pinyin.
    """

    score: float
    entry: Entry
    spans: tuple[tuple[int, int], ...] = ()
    spell: Callable[[str], str] | None = None


def as_written(shelf: Shelf, q: str) -> Iterator[Match]:
    """Entries that hold a folded query as it stands, or all of its words."""
    table, prefix = shelf.text, _bytes(q)
    for score, entry, offset in _beginning(shelf, table, prefix, PREFIX, PREFIX - WORD):
        if len(prefix) <= table.width or entry.folded.startswith(q, offset):
            yield Match(score, entry, ((offset, offset + len(q)),))
    parts = list(dict.fromkeys(q.split()))
    if len(parts) > 1:
        yield from _by_words(shelf, parts)


def _by_words(shelf: Shelf, parts: Sequence[str]) -> Iterator[Match]:
    table = shelf.text
    having = np.ones(len(shelf.entries), np.bool_)
    for part in parts:
        first, _, end = table.range(_bytes(part))
        here = np.zeros(len(having), np.bool_)
        here[table.entries[first:end]] = True
        having &= here
    numbers = np.flatnonzero(having)
    for score, number in _best(WORDS + shelf.weights[numbers], numbers, shelf.kinds[numbers]):
        entry = shelf.entries[number]
        places = ((entry.folded.find(part), len(part)) for part in parts)
        yield Match(score, entry, tuple((place, place + length) for place, length in places if place >= 0))


def in_latin(shelf: Shelf, q: str) -> Iterator[Match]:
    """Entries by their pinyin, or by their initials where nothing was typed in Chinese."""
    spelt = squashed(q)
    if not spelt or len(spelt) > shelf.latin.width or (len(q) == 1 and has_han(q)):
        return  # one character sounds like too many others
    for score, entry, offset in _beginning(shelf, shelf.latin, _bytes(spelt), LATIN, _WITHIN):
        yield Match(score, entry, ((offset, len(spelt)),), str)
    if not has_han(q) and len(spelt) <= shelf.initials.width:
        for score, entry, offset in _beginning(shelf, shelf.initials, _bytes(spelt), INITIALS, _WITHIN):
            yield Match(score, entry, ((offset, len(spelt)),), initial)


def misspelt(shelf: Shelf, q: str) -> Iterator[Match]:
    """Entries whose pinyin is like that of the query to a careless ear, or that are a typing error or two away."""
    spelt = squashed(q)
    if not spelt or len(spelt) > shelf.latin.width:
        return
    folded = fuzzy(spelt)
    for score, entry, offset in _beginning(shelf, shelf.fuzzy, _bytes(folded), FUZZY, _WITHIN):
        yield Match(score, entry, ((offset, len(folded)),), fuzzy)
    table = shelf.latin
    places, edits = near(table, spelt, shelf.weights)
    if not len(places):
        return
    scores = TYPO + 1 - edits + shelf.weights[table.entries[places]]
    scores -= _WITHIN * (table.offsets[places] > 0) + _OTHER_LETTER * (table.letters(places)[:, 0] != ord(spelt[0]))
    for score, place in _best(scores, places, shelf.kinds[table.entries[places]]):
        yield Match(score, shelf.entries[table.entries[place]], ((int(table.offsets[place]), len(spelt)),), str)


def _beginning(
    shelf: Shelf, table: KeyTable, prefix: bytes, score: float, within: float
) -> Iterator[tuple[float, Entry, int]]:
    """(score, entry, offset) of the best keys with the prefix; `within` less where it does not begin the text."""
    first, whole, end = table.range(prefix)
    if first == end:
        return
    entries, offsets = table.entries[first:end], table.offsets[first:end]
    scores = score + shelf.weights[entries] - within * (offsets > 0)
    scores[: whole - first] += _COMPLETE * (offsets[: whole - first] == 0)
    for each, place in _best(scores, np.arange(first, end), shelf.kinds[entries]):
        yield each, shelf.entries[table.entries[place]], int(table.offsets[place])


def _best(
    scores: NDArray[np.floating], numbers: NDArray[np.intp], kinds: NDArray[np.int8]
) -> Iterator[tuple[float, int]]:
    """(score, number) of the `_KEPT` highest scores of each kind, in no order."""
    if len(scores) > _KEPT:
        each = (np.flatnonzero(kinds == kind) for kind in np.flatnonzero(np.bincount(kinds)))
        kept = np.concatenate(
            [of[np.argpartition(-scores[of], _KEPT)[:_KEPT]] if len(of) > _KEPT else of for of in each]
        )
        scores, numbers = scores[kept], numbers[kept]
    yield from zip(scores.tolist(), numbers.tolist(), strict=True)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
