"""Other names of a catalogue's values: parts of bilingual names, category words, translations."""

import re
from collections.abc import Iterator

from lingsou.text.normalise import has_han

_SEPARATOR = re.compile(r"\s*[/|()（）\[\]【】,，]\s*|\s+(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\s+")
_COMPANY = re.compile(
    r"[\s,]+(?:inc|incorporated|corp|corporation|co|company|ltd|limited|llc|gmbh|ag|plc|s\.a|b\.v)\.?$", re.IGNORECASE
)
_PIECES = re.compile(r"\s*(?:&|,|/|、|，|；|;|\band\b|与|和|及)\s*")
_LATIN = re.compile(r"[A-Za-z]")


def brand_names(value: str) -> Iterator[str]:
    """`岚朵 Landuo` → both; `HP Inc.` → `HP`; `Haier/海尔` → both."""
    yield from bilingual_parts(value)
    short = _COMPANY.sub("", value)
    if short != value:
        yield short


def bilingual_parts(value: str) -> Iterator[str]:
    """The Chinese and the Latin part of a value that gives its name in both, side by side."""
    if not (has_han(value) and _LATIN.search(value)):
        return
    parts = [part for part in _SEPARATOR.split(value) if part]
    scripts = {has_han(part) for part in parts}
    if len(parts) == 2 and scripts == {True, False}:
        yield from parts
    elif len(parts) > 2 and scripts == {True, False}:
        latin = " ".join(part for part in parts if not has_han(part))
        yield latin
        yield from (part for part in parts if has_han(part))


def category_names(leaf: str) -> Iterator[str]:
    """`Chargers & Power Banks` → `Chargers`, `Power Banks`; `充电器、移动电源` → both."""
    pieces = [piece for piece in _PIECES.split(leaf) if piece]
    if len(pieces) > 1:
        yield from pieces
        if not has_han(leaf):  # "Hand & Power Tools" names hand tools too
            last = pieces[-1].split()
            yield from (f"{piece} {last[-1]}" for piece in pieces[:-1] if len(last) > 1)
    yield from bilingual_parts(leaf)


def head_words(leaf: str) -> Iterator[str]:
    """The word that says what a many-word English category is: `Running Shoes` → `Shoes`. A hint, no more."""
    for piece in _PIECES.split(leaf):
        words = piece.split()
        if len(words) > 1 and not has_han(piece) and len(words[-1]) > 2:
            yield words[-1]
