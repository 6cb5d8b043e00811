"""Model numbers: words of letters and digits that a shopper copied and nothing may correct."""

import re
from collections.abc import Sequence

from lingsou.core.plan import Entity
from lingsou.query.places import Piece, overlaps
from lingsou.text.numbers import fold

_WORD = re.compile(r"(?<![a-z0-9])[a-z0-9]+(?:[-/.][a-z0-9]+)*(?![a-z0-9])")
_COMMON = re.compile(
    r"\d{1,2}d|[2-6]g|wi-?fi\d?|mp[34]|usb\d?(?:\.\d)?|usb-?c|[abc]\d|\d{3,4}p|[48]k|h\.?26[45]|cat-?\d[a-z]?|ddr\d[a-z]?|"
    r"type-?c|rj-?\d+|[2-9]xl|\d+(?:st|nd|rd|th)|\d+s|\d+in\d|\d+-in-\d+|v\d|x\d|\d+x\d*|i[3579]|u2|pm2\.5|web2|html5|b2b|"
    r"\d+-[a-z]+|[a-z]+-\d|\d+/\d+|[a-z]\d?[a-z]?"
)


def model_numbers(raw: str, taken: Sequence[Piece]) -> list[Entity]:
    """Entities of kind `model` for words that mix letters and digits and lie outside `taken`."""
    found = []
    for match in _WORD.finditer(fold(raw)):
        word = match.group()
        digits = sum(char.isdigit() for char in word)
        letters = sum(char.isalpha() for char in word)
        if not digits or not letters or len(word) < 3 or len(word) > 40 or _COMMON.fullmatch(word):
            continue
        if overlaps(taken, *match.span()):
            continue
        sure = 0.9 if digits >= 3 and len(word) >= 5 else 0.75 if digits >= 2 and len(word) >= 4 else 0.55
        found.append(
            Entity(
                start=match.start(),
                end=match.end(),
                surface=raw[match.start() : match.end()],
                kind="model",
                field="mpn",
                values=(),
                negated=False,
                source="form",
                confidence=sure,
            )
        )
    return found
