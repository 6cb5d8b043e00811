"""One spelling for text that shoppers hold to be the same: width, case, accents, traditional characters."""

import re
import unicodedata
from functools import cache
from typing import Any

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SPACES = re.compile(r"\s+")
_SPELT_OUT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}


def _latin_folds() -> dict[int, str]:
    """Latin letters with marks → their plain letters, by Unicode's own decompositions."""
    folds = {ord(letter): plain for letter, plain in _SPELT_OUT.items()}
    for code in range(0x00E0, 0x0250):
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
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).lower().translate(_FOLDS)
        if has_han(text):
            text = str(_opencc().convert(text))
    else:
        text = text.lower()
    return _SPACES.sub(" ", text).strip()


def squash(identifier: str) -> str:
    """An identifier without what people leave out when they type it: `EX-VS 45/2` → `exvs452`."""
    return "".join(character for character in normalise(identifier) if character.isalnum())
