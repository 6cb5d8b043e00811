"""Pieces of the raw query: which of them are taken, and what text is left without some of them."""

import re
from collections.abc import Iterable

_EDGE_WORDS = (
    r"and|or|but|with|a|an|the|in|for|of|at|from|to|priced?|that|is|are|costs?|"
    r"的|且|但|但是|而且|并且|和|或|与|在|价格|价位|要|也"
)
_LEADING = re.compile(
    r"^(?:(?:and|or|but|的|且|但是|但|而且|并且|和|或|与)(?![a-z0-9'-])|[\s,，、。;；:：!！?？|&+-])+", re.IGNORECASE
)
_TRAILING = re.compile(
    rf"(?:(?<![a-z0-9'-])(?:{_EDGE_WORDS})(?![a-z0-9])|[\s,，、。;；:：!！?？|&+-])+$", re.IGNORECASE
)
_LONE = re.compile(r"(?<=\s)[,，、。;；](?=\s)")
_SPACES = re.compile(r"\s+")

Piece = tuple[int, int]
"""`raw[start:end]`."""


def trimmed(raw: str, start: int, end: int) -> Piece:
    """The piece without white space at its ends."""
    while end > start and raw[end - 1].isspace():
        end -= 1
    while start < end and raw[start].isspace():
        start += 1
    return start, end


def overlaps(pieces: Iterable[Piece], start: int, end: int) -> bool:
    """Whether any of the pieces shares a character with `raw[start:end]`."""
    return any(left < end and start < right for left, right in pieces)


def without(raw: str, pieces: Iterable[Piece]) -> str:
    """The text that is left when the pieces are cut out, without conjunctions and particles that lost their partner."""
    kept: list[str] = []
    place = 0
    for start, end in sorted(pieces):
        if start > place:
            kept.append(raw[place:start])
        place = max(place, end)
    if not kept and not place:
        return _SPACES.sub(" ", raw).strip()
    kept.append(raw[place:])
    tidy = [_without_edges(piece, last=number == len(kept) - 1) for number, piece in enumerate(kept)]
    return _SPACES.sub(" ", _LONE.sub(" ", " ".join(piece for piece in tidy if piece))).strip()


def _without_edges(piece: str, *, last: bool) -> str:
    """A piece beside a cut. What stands at the very end of the query was not left alone by the cut: it stays."""
    piece = _LEADING.sub("", piece)
    return piece.strip() if last else _TRAILING.sub("", piece).strip()
