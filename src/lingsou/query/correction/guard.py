"""What no correction may touch, whatever its letters look like: numbers, sizes, codes, addresses, `field:`."""

import re

from lingsou.query.places import Piece

_WORD = re.compile(r"[^\s\u3400-\u4dbf\u4e00-\u9fff，。、；：！？（）“”‘’]+")
_NAME = re.compile(r"(?<![^\s,;，；-])[^\s:：,;，；]{1,40}[:：](?=\S)")


def protected(raw: str) -> list[Piece]:
    """Words with a digit, with an `@` or in the form of an address, and the names of `field:value`."""
    pieces = [
        match.span()
        for match in _WORD.finditer(raw)
        if any(map(str.isdigit, word := match.group())) or "@" in word or "://" in word or word.startswith("www.")
    ]
    return pieces + [match.span() for match in _NAME.finditer(raw)]
