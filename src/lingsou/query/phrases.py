"""A dictionary of token phrases that finds the longest one at a place."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from lingsou.query.tokens import Token, key_of

T = TypeVar("T")


class PhraseTable(Generic[T]):
    """Phrase → something. Frozen, it knows which lengths follow a first token, so few keys are ever tried."""

    def __init__(self) -> None:
        self._entries: dict[str, T] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def setdefault(self, key: str, entry: T) -> T:
        """What the phrase stands for, `entry` if it is new."""
        return self._entries.setdefault(key, entry)

    def get(self, key: str) -> T | None:
        """What the phrase stands for."""
        return self._entries.get(key)

    def freeze(self) -> None:
        """Make the table ready to be searched; no phrase is added after."""
        lengths: dict[str, set[int]] = defaultdict(set)
        for key in self._entries:
            lengths[key.partition(" ")[0]].add(key.count(" ") + 1)
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def at(self, tokens: Sequence[Token], first: int, limit: int) -> Iterator[tuple[int, T]]:
        """(end, entry) of the phrases that begin at token `first` and end by `limit`, longest first."""
        for length in self._lengths.get(tokens[first].term, ()):
            last = first + length
            if last <= limit:
                entry = self._entries.get(key_of([token.term for token in tokens[first:last]]))
                if entry is not None:
                    yield last, entry


def longest_matches(
    table: PhraseTable[T], tokens: Sequence[Token], blocked: frozenset[int] = frozenset()
) -> Iterator[tuple[int, int, T]]:
    """(first, end, entry) of the longest phrases from left to right; none covers a token of `blocked`."""
    limits = [0] * len(tokens)
    limit = len(tokens)
    for place in range(len(tokens) - 1, -1, -1):
        limit = place if place in blocked else limit
        limits[place] = limit
    place = 0
    while place < len(tokens):
        found = next(table.at(tokens, place, limits[place]), None)
        if found is None:
            place += 1
        else:
            yield place, found[0], found[1]
            place = found[0]
