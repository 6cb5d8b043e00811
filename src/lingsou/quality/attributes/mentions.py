"""Where texts name values: phrases of words and Chinese characters, found by their tokens."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lingsou.text.normalise import HAN, normalise
from lingsou.text.segment import dictionary_words

Phrase = tuple[str, ...]
"""Tokens: Latin words and numbers without plural s, single Chinese characters."""

_JOINED_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff]+(?:\.\d+)?")
_LISTING = re.compile(r"[&+/,、]")
_LISTING_WORDS = {"and", "with", "和", "配", "拼"}
_SHORTEST_PLURAL = 4


class Mention(NamedTuple):
    """A phrase in a text: its place among the tokens, `[start, end)`, and what stands around it."""

    phrase: Phrase
    start: int
    end: int
    lists_before: bool
    """It follows `and`, `&`, a comma or the like."""
    lists_after: bool
    inside: bool
    """It is part of a longer phrase that was found too."""


def parted(text: str) -> str:
    """Sentences that run into each other (`seamless cupsRegular straps`) apart; names such as `BuckleUp` too."""
    return _JOINED_WORDS.sub(" ", text)


def phrase(text: str) -> Phrase:
    """The tokens of a text."""
    return tuple(_token(found.group()) for found in _TOKEN.finditer(normalise(text)))


class Phrases:
    """Finds any of many phrases. Cost of a text: its tokens, times the lengths of phrases that begin alike."""

    def __init__(self, known: Iterable[Phrase]):
        self._known = {each for each in known if each}
        lengths: dict[str, set[int]] = {}
        for each in self._known:
            lengths.setdefault(each[0], set()).add(len(each))
        self._lengths: Mapping[str, list[int]] = {first: sorted(all_, reverse=True) for first, all_ in lengths.items()}

    def find(self, text: str) -> list[Mention]:
        """The phrases that `text` names, those inside longer ones too, in reading order.

        A phrase of one Chinese character counts only where it is a word of its own.
        """
        folded = normalise(text)
        spans = [found.span() for found in _TOKEN.finditer(folded)]
        tokens = [_token(folded[start:end]) for start, end in spans]
        alone: set[tuple[int, int]] | None = None
        found: list[Mention] = []
        until = 0
        for place, token in enumerate(tokens):
            for length in self._lengths.get(token, ()):
                end = place + length
                named = tuple(tokens[place:end])
                if named not in self._known or len(named) < length:
                    continue
                if length == 1 and HAN.fullmatch(token):
                    alone = set(dictionary_words(folded)) if alone is None else alone
                    if spans[place] not in alone:
                        continue
                before = folded[spans[place - 1][1] if place else 0 : spans[place][0]]
                after = folded[spans[end - 1][1] : spans[end][0] if end < len(spans) else None]
                found.append(
                    Mention(
                        named,
                        place,
                        end,
                        bool(_LISTING.search(before)) or (place > 0 and tokens[place - 1] in _LISTING_WORDS),
                        bool(_LISTING.search(after)) or (end < len(tokens) and tokens[end] in _LISTING_WORDS),
                        end <= until,
                    )
                )
                until = max(until, end)
        return found


def _token(word: str) -> str:
    plural = len(word) >= _SHORTEST_PLURAL and word[-1] == "s" and word[-2] != "s" and word.isascii()
    return word[:-1] if plural else word
