"""Which of the shop's languages a text is in, decided by script."""

import re
from typing import Literal

from lingsou.text.normalise import HAN

Language = Literal["zh", "en", "mixed", "other"]

_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]")
_MIXED_FROM, _MIXED_TO = 0.2, 0.8


def detect(text: str) -> Language:
    """`zh`, `en` (Latin script), `mixed`, or `other` when there is neither.

    A Chinese character carries about as much as a Latin word, so Han characters are weighed against
    Latin words. Brand names are Latin in most Chinese titles: up to a fifth of them does not make a text mixed.
    """
    han = len(HAN.findall(text))
    latin = sum(1 for word in HAN.sub(" ", text).split() if _LATIN.search(word))
    if han + latin == 0:
        return "other"
    share = han / (han + latin)
    if share >= _MIXED_TO:
        return "zh"
    return "en" if share <= _MIXED_FROM else "mixed"
