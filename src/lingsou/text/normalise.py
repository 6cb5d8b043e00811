"""One spelling for text that shoppers hold to be the same: width, case, accents, traditional characters."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SPACES = re.compile(r"\s+")
_MARKS_ON_LATIN = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_SPELT_OUT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ς": "σ"}


def _latin_folds() -> dict[int, str]:
    """Latin letters with marks → their plain letters, by Unicode's own decompositions."""
    folds = {ord(letter): plain for letter, plain in _SPELT_OUT.items()}
    for code in chain(range(0x00E0, 0x0250), range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFKD", chr(code))[0].lower()
        if base != chr(code) and base.isascii() and base.isalpha():
            folds.setdefault(code, base)
    return folds


_FOLDS = _latin_folds()


@cache
def _opencc() -> Any:
    # Loaded on first use: the dictionaries take 30 ms that `import lingsou` must not pay.
    import opencc

    return opencc.OpenCC("t2s")


def has_han(text: str) -> bool:
    """Whether the text holds a Chinese character."""
    return HAN.search(text) is not None


def normalise(text: str) -> str:
    """NFKC, lower case, Latin accents removed, traditional Chinese to simplified, white space folded."""
    text = text.lower() if text.isascii() else _simplified(_plain(text))
    return _SPACES.sub(" ", text).strip()


@lru_cache(maxsize=2_048)
def fold_with_places(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """`normalise(text)` with its white space as it was; each character of it came from `text[starts[i]:ends[i]]`."""
    if text.isascii():
        return text.lower(), range(len(text)), range(1, len(text) + 1)
    if unicodedata.is_normalized("NFKC", text):
        # Lower case and spelling out only lengthen, what follows only shortens: where no step changes the length,
        # every character stays in its place.
        spelt = text.lower().translate(_FOLDS)
        plain = _MARKS_ON_LATIN.sub("", spelt)
        folded = _simplified(plain)
        if len(folded) == len(plain) == len(spelt) == len(text):
            return folded, range(len(text)), range(1, len(text) + 1)
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    bounds = [place for place, character in enumerate(text) if not place or not _joins(character)]
    for start, end in zip(bounds, [*bounds[1:], len(text)], strict=True):
        plain = _plain_cluster(text[start:end])
        pieces.append(plain)
        starts += [start] * len(plain)
        ends += [end] * len(plain)
    plain = "".join(pieces)
    folded = _simplified(plain)
    # No phrase of the dictionary changes the length so far; by single characters none can.
    return folded if len(folded) == len(plain) else "".join(map(_simplified, plain)), starts, ends


def _plain(text: str) -> str:
    return _MARKS_ON_LATIN.sub("", unicodedata.normalize("NFKC", text).lower().translate(_FOLDS))


_plain_cluster = lru_cache(maxsize=16_384)(_plain)


@lru_cache(maxsize=16_384)
def _joins(character: str) -> bool:
    """Whether NFKC may compose or reorder the character with the one before: marks, and Hangul vowels and finals."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def _simplified(text: str) -> str:
    return str(_opencc().convert(text)) if has_han(text) else text


def squash(identifier: str) -> str:
    """An identifier without what people leave out when they type it: `EX-VS 45/2` → `exvs452`."""
    return "".join(character for character in normalise(identifier) if character.isalnum())
