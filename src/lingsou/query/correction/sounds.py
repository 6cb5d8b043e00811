"""A key for how an English word sounds: words that are spelt by ear have the key of the word that was meant.

Coarser than Metaphone (Philips 1990) on purpose: vowels but the first are left out, `f` and `v`, `s` and `z` are one.
The model weighs the agreement of two keys against everything else.
"""

import re
from functools import lru_cache

_BEGINNING = re.compile(r"[kgp]n|wr|ps|wh|x")
_BEGINNINGS = {"kn": "n", "gn": "n", "pn": "n", "wr": "r", "ps": "s", "wh": "w", "x": "s"}
_BODY = re.compile(
    r"sch|tch|ch|sh|th|ph|ck|cq|mb$|gh(?=t|$)|dg(?=[eiy])|sc(?=[eiy])|cc(?=[eiy])|c(?=[eiy])|g(?=[eiy])|[st]i(?=[oa])|"
    r"c|q|x|z|v|(?<!^)h|w(?![aeiouy])"
)
_SOUNDS = {
    "sch": "sk", "tch": "C", "ch": "C", "sh": "S", "th": "T", "ph": "f", "ck": "k", "cq": "k", "mb": "m", "gh": "",
    "dg": "j", "sc": "s", "cc": "ks", "g": "j", "si": "S", "ti": "S", "q": "k", "x": "ks", "z": "s", "v": "f", "h": "",
    "w": "",
}  # fmt: skip
_VOWELS = re.compile(r"(?<!^)[aeiouy]+")
_FIRST_VOWELS = re.compile(r"^[aeiouy]+")
_REPEATS = re.compile(r"(.)\1+")


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """The key of a word in lower-case letters."""
    beginning = _BEGINNING.match(word)
    if beginning:
        word = _BEGINNINGS[beginning.group()] + word[beginning.end() :]
    word = _VOWELS.sub("", _BODY.sub(_body, word))
    return _REPEATS.sub(r"\1", _FIRST_VOWELS.sub("A", word))


def _body(match: re.Match[str]) -> str:
    found = match.group()
    if found == "c":
        return "s" if match.string[match.end() : match.end() + 1] in ("e", "i", "y") else "k"
    return _SOUNDS[found]
