"""Phrases that a shop's titles have in common: what a shopper may search for before anybody has."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingsou.retrieval.suggest.romanise import Cut, words
from lingsou.text.normalise import has_han

_LONGEST = 4
_MOST = 40_000
_TITLES_A_COPY = 20_000
"""One more title must have a phrase for so many titles of the shop."""
_LEAST_SHARE = 0.03
"""Of the titles with its rarer word that have the phrase: below, its words only happened to meet."""
_CLOSED_SHARE = 0.8
"""Where so many of a phrase's titles go on with the same word, only the longer phrase is kept."""
_STOP = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "into", "is", "it", "of", "on", "or", "per"),
        *("that", "the", "this", "to", "up", "use", "with", "without", "your"),
        *("款", "的", "和", "与", "及", "或", "等", "个", "只", "装", "件", "条", "双", "码"),
        *("系列", "适用", "同款", "男款", "女款"),
    )
)
_JOINED = re.compile(r"[-'’.&/]?| ")


@dataclass(frozen=True)
class CutTitle:
    """A title folded and cut, with the product's own brand words and a code of its category."""

    text: str
    cut: Cut
    brand: frozenset[str]
    category: int


@dataclass(frozen=True)
class Phrase:
    """A phrase: one place where it stands, how many titles have it, and how sure it is of its category.

    `purity` is Σ p² over the categories of those titles: 1 when all lie in one, near 0 for words that go with anything.
    """

    title: int
    start: int
    end: int
    count: int
    purity: float


def phrases(titles: Sequence[CutTitle]) -> list[Phrase]:
    """The phrases of one to four words in the titles, most frequent first. Cost: a few sorts of all words."""
    stream = _Stream.of(titles)
    least = 2 + len(titles) // _TITLES_A_COPY
    found: list[Phrase] = []
    codes = stream.tokens.astype(np.int64)
    counts = shorter = None
    for size in range(1, _LONGEST + 1):
        if size > 1:
            pairs = codes[:-1] * np.int64(2**31) + stream.tokens[size - 1 :]
            whole = stream.continues(size)
            _, codes = np.unique(np.where(whole, pairs, -1), return_inverse=True)
        else:
            whole = np.ones(len(codes), np.bool_)
        counts = np.bincount(codes[whole], minlength=int(codes.max(initial=0)) + 1)
        candidates = whole & stream.may_be(size) & (counts[codes] >= least)
        if shorter is not None:
            rarer = np.minimum(shorter[:-1], shorter[1:])
            candidates &= counts[codes] >= _LEAST_SHARE * rarer
        found += stream.collect(codes, candidates, size)
        shorter = np.where(whole, counts[codes], 0)
    return sorted(_closed(found, titles), key=lambda phrase: -phrase.count)[:_MOST]


@dataclass(frozen=True)
class _Stream:
    """All words of all titles in one row of N: word codes, title and place of each, whether it joins the one before."""

    tokens: NDArray[np.int64]
    owners: NDArray[np.int32]
    places: NDArray[np.int32]
    joined: NDArray[np.bool_]
    content: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    barred: NDArray[np.bool_]
    titles: Sequence[CutTitle]

    @classmethod
    def of(cls, titles: Sequence[CutTitle]) -> "_Stream":
        codes: dict[str, int] = {}
        tokens: list[int] = []
        owners: list[int] = []
        places: list[int] = []
        joined: list[bool] = []
        barred: list[bool] = []
        for number, title in enumerate(titles):
            bounds = words(title.cut)
            names = [title.text[start:end] for start, end in bounds]
            tokens += [codes.setdefault(name, len(codes)) for name in names]
            owners += [number] * len(names)
            places += range(len(names))
            joined += _joints(title.text, bounds)
            barred += [name in title.brand for name in names]
        known = list(codes)
        content = np.fromiter((_is_content(name) for name in known), np.bool_, len(known))
        alone = np.fromiter((_stands_alone(name) for name in known), np.bool_, len(known))
        row = np.asarray(tokens, np.int64)
        return cls(
            tokens=row,
            owners=np.asarray(owners, np.int32),
            places=np.asarray(places, np.int32),
            joined=np.asarray(joined, np.bool_),
            content=content[row] if len(row) else np.empty(0, np.bool_),
            alone=alone[row] if len(row) else np.empty(0, np.bool_),
            barred=np.asarray(barred, np.bool_),
            titles=titles,
        )

    def continues(self, size: int) -> NDArray[np.bool_]:
        """Whether the `size` words from each place on are one run."""
        count = max(len(self.tokens) - size + 1, 0)
        runs = np.ones(count, np.bool_)
        for step in range(1, size):
            runs &= self.joined[step : step + count]
        return runs

    def may_be(self, size: int) -> NDArray[np.bool_]:
        """Whether the `size` words from each place on may be a phrase: no brand, no filler at its ends."""
        count = max(len(self.tokens) - size + 1, 0)
        may = self.content[:count] & self.content[size - 1 :]
        if size == 1:
            may &= self.alone
        for step in range(size):
            may &= ~self.barred[step : step + count]
        return may

    def collect(self, codes: NDArray[np.int64], candidates: NDArray[np.bool_], size: int) -> Iterator[Phrase]:
        """One phrase for each code among the candidates."""
        rows = np.flatnonzero(candidates)
        if not len(rows):
            return
        distinct, first, kinds = np.unique(codes[rows], return_index=True, return_inverse=True)
        counts = np.bincount(kinds)
        categories = np.asarray([title.category for title in self.titles], np.int64)[self.owners[rows]]
        span = int(categories.max()) + 1
        pairs, together = np.unique(kinds * span + categories, return_counts=True)
        purity = np.bincount(pairs // span, (together / counts[pairs // span]) ** 2, minlength=len(distinct))
        for row, count, pure in zip(rows[first].tolist(), counts.tolist(), purity.tolist(), strict=True):
            title, place = int(self.owners[row]), int(self.places[row])
            cut = self.titles[title].cut
            yield Phrase(title, cut[2 * place], cut[2 * (place + size) - 1], count, pure)


def _joints(text: str, bounds: Sequence[tuple[int, int]]) -> Iterator[bool]:
    """For each word whether it goes on with the one before: Chinese without a space, Latin with one or a hyphen."""
    if bounds:
        yield False
    for (_, end), (start, _) in pairwise(bounds):
        gap = text[end:start]
        spaced = " " in gap and (has_han(text[end - 1]) or has_han(text[start]))
        yield _JOINED.fullmatch(gap) is not None and not spaced


def _is_content(word: str) -> bool:
    return word not in _STOP and not any(character.isdigit() for character in word)


def _stands_alone(word: str) -> bool:
    return len(word) >= (2 if has_han(word) else 3)


def _closed(found: Iterable[Phrase], titles: Sequence[CutTitle]) -> Iterator[Phrase]:
    """Without those that hardly stand anywhere but before one certain word: `sleeping` of `sleeping bag`.

    What stands after one certain word is kept: the last word of a phrase says what the thing is, in both languages.
    """
    texts = {titles[phrase.title].text[phrase.start : phrase.end]: phrase for phrase in found}
    dropped: set[str] = set()
    for phrase in texts.values():
        title = titles[phrase.title]
        cut = [word for word in words(title.cut) if phrase.start <= word[0] and word[1] <= phrase.end]
        begun = title.text[cut[0][0] : cut[-2][1]] if len(cut) > 1 else ""
        if begun in texts and phrase.count >= _CLOSED_SHARE * texts[begun].count:
            dropped.add(begun)
    return (phrase for text, phrase in texts.items() if text not in dropped)
