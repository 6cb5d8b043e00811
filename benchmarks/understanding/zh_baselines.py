"""The obvious correctors of Chinese queries, which know the words of the training titles and nothing else.

Both look for what is wrong in the same way: the text is cut, and neighbouring pieces that are no training words, or
only single characters, are taken together, since a wrong word is often cut to pieces. From the longest stretch of such
pieces to the shortest, the first that can be replaced is.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from pypinyin import lazy_pinyin

from benchmarks.understanding.zh_errors import words
from lingsou.text.normalise import HAN, normalise

_LONGEST = 6
"""Pieces taken together at most."""


class DictionaryCorrector(ABC):
    """Replaces what the training titles do not have by a word that they have."""

    def __init__(self, train_titles: Iterable[str]):
        titles = dict.fromkeys(map(normalise, train_titles))
        self.counts = Counter(word for title in titles for word, _, _ in words(title) if word.isalnum())

    @abstractmethod
    def replacement(self, text: str) -> str | None:
        """The training word meant by a text that is none, if any."""

    def corrected(self, texts: Iterable[str]) -> list[str]:
        """Each text, normalised and corrected."""
        return [self._corrected(normalise(text)) for text in texts]

    def _corrected(self, text: str) -> str:
        found: list[str] = []
        doubtful: list[str] = []
        for word, _, _ in words(text):
            if word.isalnum() and (word not in self.counts or len(word) == 1):
                doubtful.append(word)
            else:
                found += [*self._mended(doubtful), word]
                doubtful = []
        return "".join([*found, *self._mended(doubtful)])

    def _mended(self, pieces: Sequence[str]) -> list[str]:
        for length in range(min(len(pieces), _LONGEST), 0, -1):
            for start in range(len(pieces) - length + 1):
                joined = "".join(pieces[start : start + length])
                if len(joined) < 2 or joined in self.counts or not (word := self.replacement(joined)):
                    continue
                return [*self._mended(pieces[:start]), word, *self._mended(pieces[start + length :])]
        return list(pieces)


class PinyinDictionary(DictionaryCorrector):
    """Unknown words become the most frequent training word of the same pinyin, tones aside, typed in letters or not."""

    def __init__(self, train_titles: Iterable[str]):
        super().__init__(train_titles)
        self._by_letters: dict[str, str] = {}
        # Equal counts: the first by code point, so that the order of titles does not matter.
        for word in sorted(self.counts, key=lambda word: (-self.counts[word], word)):
            if len(word) > 1 and HAN.match(word):
                self._by_letters.setdefault(_letters(word), word)

    def replacement(self, text: str) -> str | None:
        """See `DictionaryCorrector`."""
        return self._by_letters.get(_letters(text))


class CharacterSymSpell(DictionaryCorrector):
    """SymSpell (symspellpy) over the characters of the training words: of the nearest the most frequent.

    One edit for texts of two and three characters, two for longer ones: with two edits, any word of two characters is
    near to any other. pycorrector, the peer that one would name, cannot stand here: it imports transformers, and the
    language model of its statistical corrector (KenLM) is fetched from the network.
    """

    def __init__(self, train_titles: Iterable[str]):
        super().__init__(train_titles)
        from symspellpy.symspellpy import SymSpell
        from symspellpy.verbosity import Verbosity

        self._nearest = Verbosity.TOP
        self._words = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        for word, count in sorted(self.counts.items()):
            if len(word) > 1:
                self._words.create_dictionary_entry(word, count)

    def replacement(self, text: str) -> str | None:
        """See `DictionaryCorrector`."""
        found = self._words.lookup(text, self._nearest, max_edit_distance=1 if len(text) < 4 else 2)
        return found[0].term if found else None


@cache
def _letters(text: str) -> str:
    return "".join(lazy_pinyin(text))
