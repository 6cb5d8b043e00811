"""What a new shop's texts name, by the lexicon alone: no value of the catalogue's own is needed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.attributes.lexicon import kind_of, meanings, spellings
from lingsou.quality.attributes.mentions import Mention, Phrases, parted
from lingsou.quality.attributes.vocabulary import Vocabulary
from lingsou.quality.columns import Columns
from lingsou.text.normalise import has_han

_TEXT_CHARACTERS = 1_000
_ALONE, _FIRST_OF_SEVERAL, _IN_TEXT = 0.7, 0.5, 0.4
"""Rough: nothing can be counted without products that have the attribute. A title's first colour is the shop's own in
about seven of ten fashion products."""


def by_rule(columns: Columns, name: str, vocabulary: Vocabulary) -> tuple[Sequence[str | None], NDArray[np.float64]]:
    """The first value of its kind that each title names, or else the texts, in the title's language; and how sure.

    An attribute of no known kind gets no values.
    """
    values: list[str | None] = [None] * len(columns)
    confidence = np.zeros(len(columns))
    texts = (form.value for form in vocabulary.forms if isinstance(form.value, str))
    kind = kind_of(name, texts)
    if not kind:
        return values, confidence
    meant = spellings(kind)
    phrases = Phrases(meant)
    for place, title in enumerate(columns.titles):
        sure = _ALONE
        found = _outermost(phrases.find(title))
        if not found:
            sure, found = _IN_TEXT, _outermost(phrases.find(parted(columns.texts[place][:_TEXT_CHARACTERS])))
        if found:
            names = list(dict.fromkeys(meant[mention.phrase][0] for mention in found))
            first = meanings(kind)[names[0]]
            values[place] = (first.chinese if has_han(title) else first.english)[0]
            confidence[place] = sure if len(names) == 1 else min(sure, _FIRST_OF_SEVERAL)
    return values, confidence


def _outermost(mentions: list[Mention]) -> list[Mention]:
    return [mention for mention in mentions if not mention.inside]
