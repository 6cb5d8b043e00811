"""What can be suggested, and the tables of keys that lead to it."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from lingsou.core.suggest import SuggestionKind
from lingsou.retrieval.suggest.keys import KeyTable
from lingsou.retrieval.suggest.romanise import Cut, fuzzy, initial, letters
from lingsou.text.normalise import has_han

_TEXT_BYTES, _LATIN_BYTES, _INITIALS_BYTES = 32, 24, 12
_KEYED_WORDS = 16
"""Words of one text at which a key begins: what stands further back in a long title is no beginning."""


class Entry(NamedTuple):
    """One thing that can be suggested; `folded` is `text` as `fold_with_places` gives it, `cut` its words."""

    kind: SuggestionKind
    text: str
    folded: str
    cut: Cut
    weight: float
    """From 0 to below 0.5: how much it is asked for, or how many products have it."""
    value: str = ""
    """The product's id, or what to filter by."""
    products: int | None = None
    """How many have it, where that is known."""
    asked: bool = False
    """Whether shoppers searched for it."""


class Shelf:
    """Entries with their keys: as written, in Latin letters, by initials, and by sound."""

    def __init__(self, entries: Sequence[Entry], *, in_full: bool):
        """`in_full`: with initials, equal sounds, and Latin words in the Latin table, where typing errors are found."""
        self.entries = entries
        self.weights: NDArray[np.float32] = np.fromiter((each.weight for each in entries), np.float32, len(entries))
        kinds = get_args(SuggestionKind)
        self.kinds: NDArray[np.int8] = np.fromiter((kinds.index(each.kind) for each in entries), np.int8, len(entries))
        self.text = _table(_texts(entries), _TEXT_BYTES)
        self.latin = _table(_latin(entries, lambda spelling: spelling, han_only=not in_full), _LATIN_BYTES)
        chosen = entries if in_full else ()
        self.initials = _table(_latin(chosen, initial, han_only=True), _INITIALS_BYTES)
        self.fuzzy = _table(_latin(chosen, fuzzy, han_only=True), _LATIN_BYTES)

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        tables = (self.text, self.latin, self.initials, self.fuzzy)
        return sum(table.nbytes for table in tables) + self.weights.nbytes + self.kinds.nbytes


def _starts(entry: Entry) -> list[int]:
    return list(dict.fromkeys((0, *entry.cut[: 2 * _KEYED_WORDS : 2])))


def _texts(entries: Sequence[Entry]) -> Iterator[tuple[bytes, int, int]]:
    for number, entry in enumerate(entries):
        for start in _starts(entry):
            yield entry.folded[start : start + _TEXT_BYTES].encode("utf-8", "replace"), number, start


def _latin(
    entries: Sequence[Entry], spell: Callable[[str], str], *, han_only: bool
) -> Iterator[tuple[bytes, int, int]]:
    for number, entry in enumerate(entries):
        if han_only and not has_han(entry.folded):
            continue
        spelt = [spell(each) for each in letters(entry.folded, entry.cut)]
        for start in _starts(entry):
            key = "".join(spelt[start : start + _LATIN_BYTES])
            if key:
                yield key[:_LATIN_BYTES].encode("utf-8", "replace"), number, start


def _table(rows: Iterator[tuple[bytes, int, int]], width: int) -> KeyTable:
    keys: list[bytes] = []
    entries: list[int] = []
    offsets: list[int] = []
    for key, entry, offset in rows:
        keys.append(key)
        entries.append(entry)
        offsets.append(offset)
    return KeyTable(keys, entries, offsets, width)
