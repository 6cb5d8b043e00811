"""Text as the tokens that catalogue names are matched by: one Chinese character or one stemmed word each."""

import re
from dataclasses import dataclass

from lingsou.text.normalise import fold_with_places, normalise
from lingsou.text.segment import Segmenter

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_HAN}]|(?:(?![{_HAN}])[^\W_])+(?:\.\d+)*")
_POSSESSIVE = re.compile(r"(?<=[a-z])['’](?:s(?![a-z0-9])|(?![a-z0-9]))")
_MAX_WORD = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the characters `text[start:end]` that it came from."""

    term: str
    start: int
    end: int
    han: bool


def tokenise(text: str, segmenter: Segmenter) -> list[Token]:
    """The tokens of `text` with their places in it; `men's` and `mens` give one and the same token."""
    folded, starts, ends = fold_with_places(text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(folded):
        left, right = match.span()
        word = match.group()
        if word == "s" and left and folded[left - 1] in "'’" and tokens and tokens[-1].end == starts[left - 1]:
            continue  # "men's": the word before says it all
        han = len(word) == 1 and word > "\u2fff" and word.isalpha()
        tokens.append(Token(_stem(word, segmenter), starts[left], ends[right - 1], han))
    return tokens


class NameTokeniser:
    """Tokens of catalogue names, without places. It runs over whole catalogues, whose words recur: stems are kept.

    For one thread, and as long as a lexicon is built.
    """

    def __init__(self, segmenter: Segmenter):
        self._segmenter = segmenter
        self._stems: dict[str, str] = {}

    def __call__(self, name: str) -> list[str]:
        """The tokens of `name`."""
        folded = normalise(name)
        if "'" in folded or "’" in folded:
            folded = _POSSESSIVE.sub("", folded)
        found: list[str] = _TOKEN.findall(folded)
        stems = self._stems
        for word in found:
            if word not in stems:
                stems[word] = _stem(word, self._segmenter)
        return [stems[word] for word in found]


def key_of(found: list[str]) -> str:
    """Tokens as a dictionary key."""
    return " ".join(found)


def _stem(word: str, segmenter: Segmenter) -> str:
    if not (word.isascii() and word.isalpha() and len(word) <= _MAX_WORD):
        return word
    return segmenter.terms_of_normalised(word)[0]


def segment_borders(text: str, segmenter: Segmenter) -> frozenset[int]:
    """Places of `text` where the segmenter lets a word begin or end."""
    return frozenset(place for span in segmenter.spans(text) for place in (span.start, span.end))
