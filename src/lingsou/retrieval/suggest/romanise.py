"""Chinese as people type it in Latin letters: pinyin, initials, and the spellings that dialects mix up."""

import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from lingsou.text.normalise import HAN
from lingsou.text.segment import Segmenter

_FOLDS = re.compile(r"(?<=[zcs])h|(?<=n)g")


Cut: TypeAlias = "array[int]"
"""The words of a text, flat: start and end of the first, of the second …; four bytes each."""


def cut(text: str, segmenter: Segmenter) -> Cut:
    """The words of a folded text, in order and apart from each other: of overlapping ones the longest."""
    found = array("I")
    done = 0
    for _, start, end in sorted(segmenter.spans(text), key=lambda span: (span.start, -span.end)):
        if found and start == done + 1 and text[done] in "'’":
            found[-1] = done = end
        elif start >= done:
            found.extend((start, end))
            done = end
    return found


def words(bounds: Cut) -> list[tuple[int, int]]:
    """(start, end) of each word."""
    return list(zip(bounds[::2], bounds[1::2], strict=True))


def letters(text: str, bounds: Cut) -> list[str]:
    """One string for each character of a folded text: pinyin without tone, the character itself, or nothing.

    `绿t恤` → `lv`, `t`, `xu`. Characters with several readings get the one that they have in their word.
    """
    spelt = [character if character.isalnum() and not HAN.match(character) else "" for character in text]
    for start, end in words(bounds):
        spelt[start:end] = _of_word(text[start:end])
    return spelt


@lru_cache(maxsize=200_000)
def _of_word(word: str) -> tuple[str, ...]:
    return tuple(_pieces(word))


def _pieces(word: str) -> Iterator[str]:
    # The dictionary of readings takes a quarter of a second and 56 MB: only who suggests pays for it.
    from pypinyin import lazy_pinyin

    place = 0
    while place < len(word):
        end = place
        while end < len(word) and HAN.match(word[end]):
            end += 1
        if end == place:
            yield word[place] if word[place].isalnum() else ""
            place += 1
            continue
        syllables = lazy_pinyin(word[place:end])
        # A character without a known reading stays, and may have been joined with its neighbours.
        alone = (lazy_pinyin(character)[0] for character in word[place:end])
        yield from syllables if len(syllables) == end - place else alone
        place = end


@lru_cache(maxsize=4_096)
def squashed(text: str) -> str:
    """A folded query in Latin letters alone: `lianyi裙` → `lianyiqun`, `iphone ke` → `iphoneke`."""
    return "".join(_of_word(text))


def initial(spelling: str) -> str:
    """The letter that stands for a character: its first."""
    return spelling[:1]


def fuzzy(spelling: str) -> str:
    """Pinyin with z/zh, c/ch, s/sh, n/l, an/ang, en/eng, in/ing and ü/u made equal.

    Folding a prefix gives a prefix of the folded word, so both sides of a search may be folded apart.
    """
    return _FOLDS.sub("", spelling).replace("n", "l").replace("v", "u")
