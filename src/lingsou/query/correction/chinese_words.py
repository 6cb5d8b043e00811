"""The Chinese words of a shop, found by how they sound, by what is left when a character goes, and by typed pinyin."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from lingsou.query.correction.corrector import ShopWords
from lingsou.query.correction.grams import Hashes, Table, TitleGrams, codes_of, hash_of, sums
from lingsou.query.correction.lookalikes import lookalikes
from lingsou.query.correction.syllables import fuzzy, is_han, readings, sounds, spellings, typed
from lingsou.text.normalise import HAN, has_han, normalise
from lingsou.text.segment import Segmenter

MOST_WORDS = 150_000
LONGEST = 6
"""Characters of the longest word that is looked for."""
_WAYS = 4
"""Readings that a word is found by."""


class ChineseWords:
    """What a shop's titles and values say in Chinese; what was typed into its search box is no evidence of spelling.

    `words` are those of two to six characters as the segmenter cuts them, the commonest first, with those of the index.
    `grams` counts stretches of the titles and values.
    """

    def __init__(self, words: ShopWords, segmenter: Segmenter):
        values = (value for of_field in words.values.values() for value in of_field)
        texts = list(dict.fromkeys(map(normalise, chain(words.titles, values))))
        chinese = [text for text in texts if has_han(text)]
        self.grams = TitleGrams(chinese)
        counted: Counter[str] = Counter()
        # A shop without Chinese words needs no others either, and nothing of theirs is built.
        for text in texts if chinese else ():
            counted.update(set(segmenter.terms_of_normalised(text)))
        for term, count in words.terms.items() if chinese else ():
            counted[term] = max(counted[term], count)
        every = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
        keys, places = np.unique(hash_of([word for word, _ in every]), return_index=True)
        self._table = Table(keys, np.fromiter((count for _, count in every), np.int32)[places])
        self._word_counts = self._table.values
        self._characters = _Characters(sorted(set(HAN.findall("".join(chinese)))))
        self._learn([word for word, _ in every if 1 < len(word) <= LONGEST and is_han(word)])

    def _learn(self, words: list[str]) -> None:
        self.words = words
        spelt = [(place, way) for place, word in enumerate(self.words) for way in spellings(word, _WAYS)]
        owners = np.fromiter((place for place, _ in spelt), np.int32, len(spelt))
        letters = [typed(way) for _, way in spelt]
        keys, variants = _without_one([text if 3 < len(text) < 40 else "" for text in letters])
        self._by_sound = Owners(_sound_keys([way for _, way in spelt]), owners)
        self._by_letters = Owners(hash_of(letters), owners)
        self._by_less_letters = Owners(keys, owners[variants])
        self._less = Owners(*_without_one([word if len(word) > 2 else "" for word in self.words]))

    @property
    def nbytes(self) -> int:
        """Memory taken by arrays and strings, about."""
        owners = (self._by_sound, self._less, self._by_letters, self._by_less_letters)
        return self.grams.nbytes + self._table.nbytes + sum(each.nbytes for each in owners) + 90 * len(self.words)

    def counts_of(self, words: Sequence[str]) -> list[int]:
        """In how many texts each is a word, as the segmenter cuts them."""
        return self.word_counts(hash_of(words)).tolist() if words else []

    def word_counts(self, hashed: Hashes) -> NDArray[np.int32]:
        """`counts_of` for hashes."""
        return self._word_counts[self._table.places(hashed)]

    def sounding_like(self, spelt: Sequence[tuple[str, ...]]) -> list[NDArray[np.int32]]:
        """For each row of syllables, the places of words that sound like it to many speakers."""
        return self._by_sound.each(_sound_keys(spelt))

    def with_one_more(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text, the places of words that are it and one character."""
        return self._less.each(hash_of(texts))

    def spelt(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text in Latin letters, the places of words that are typed so."""
        return self._by_letters.each(hash_of(texts))

    def nearly_spelt(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text, the places of words whose pinyin is a letter, or two that changed places, away from it."""
        keys, owners = _without_one([text if len(text) > 3 else "" for text in texts])
        wholes = self._by_less_letters.each(hash_of(texts))
        found: list[list[NDArray[np.int32]]] = [[whole] for whole in wholes]
        for index in (self._by_less_letters, self._by_letters):
            for owner, places in zip(owners.tolist(), index.each(keys), strict=True):
                if len(places):
                    found[owner].append(places)
        return [np.unique(np.concatenate(each)) if len(each) > 1 else each[0] for each in found]

    def sounding(self, character: str) -> str:
        """Characters of the shop that sound like one, to many speakers."""
        return self._characters.by_sound(character)

    def reading_as(self, syllable: str) -> str:
        """Characters of the shop that a typed syllable stands for."""
        return self._characters.of_syllable(syllable)

    def looking(self, character: str) -> str:
        """Characters of the shop that look like one."""
        return self._characters.by_look(character)


_NOBODY = np.empty(0, np.int32)


class Owners:
    """Hash → places of the things that have it, as three sorted arrays."""

    def __init__(self, keys: Hashes, owners: NDArray[np.int32]):
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return int(self._keys.nbytes + self._owners.nbytes)

    def each(self, wanted: Hashes) -> list[NDArray[np.int32]]:
        """The owners of each hash."""
        first, end = self._keys.searchsorted(wanted, "left"), self._keys.searchsorted(wanted, "right")
        found = [_NOBODY] * len(wanted)
        for number in np.flatnonzero(first < end).tolist():
            found[number] = self._owners[first[number] : end[number]]
        return found


class _Characters:
    """Which characters of a shop sound or look alike."""

    def __init__(self, characters: Sequence[str]):
        sounds: dict[str, dict[str, None]] = {}
        exact: dict[str, dict[str, None]] = {}
        for character in characters:
            for reading in readings(character):
                sounds.setdefault(fuzzy(reading), {})[character] = None
                exact.setdefault(typed((reading,)), {})[character] = None
        self._sounds = {sound: "".join(alike) for sound, alike in sounds.items()}
        self._exact = {sound: "".join(alike) for sound, alike in exact.items()}
        known = set(characters)
        self._looks = {
            character: "".join(each for each in alike if each in known) for character, alike in lookalikes().items()
        }

    def by_sound(self, character: str) -> str:
        return "".join(self._sounds.get(fuzzy(reading), "") for reading in readings(character))

    def of_syllable(self, syllable: str) -> str:
        return self._exact.get(syllable, "")

    def by_look(self, character: str) -> str:
        return self._looks.get(character, "")


def _sound_keys(spelt: Sequence[Sequence[str]]) -> Hashes:
    of = sounds() if spelt else {}
    return hash_of(["".join([of[syllable] for syllable in syllables]) for syllables in spelt])


def _without_one(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.int32]]:
    """Hashes of the texts with each of their characters left out, and of which text each is."""
    keys: list[Hashes] = []
    owners: list[NDArray[np.int32]] = []
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    back = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
    for length in np.unique(lengths[lengths > 1]).tolist():
        of = np.flatnonzero(lengths == length).astype(np.int32)
        prefix = sums(codes_of("".join([texts[place] for place in of.tolist()])).reshape(-1, length))
        without = prefix[:, :-1] + (prefix[:, -1:] - prefix[:, 1:]) * back
        fresh = np.ones(without.shape, np.bool_)
        # Either of two equal neighbours left out gives the same.
        fresh[:, 1:] = without[:, 1:] != without[:, :-1]
        keys.append(without[fresh])
        owners.append(np.broadcast_to(of[:, None], without.shape)[fresh])
    if not keys:
        return np.empty(0, np.uint64), np.empty(0, np.int32)
    return np.concatenate(keys), np.concatenate(owners)
