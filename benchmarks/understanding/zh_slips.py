"""How Chinese words are mistyped: the tables and the draws of `zh_errors`, which says what the kinds are.

The tables: readings and phrases are pypinyin's; how common a character is comes from the training titles and
pypinyin's phrases, half each; what may be typed are the 3,755 common characters of GB 2312 (level 1); words of the
dictionary are rjieba's; confused sounds and look-alikes are written by hand. People err by sound in about 83 % and by
shape in about 48 % of wrong characters, often by both (C.-L. Liu et al., ACM TALIP 10(2), 2011).
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import product

import rjieba
from pypinyin import lazy_pinyin
from pypinyin.phrases_dict import phrases_dict

from benchmarks.understanding.zh_shapes import look_alikes
from lingsou.text.normalise import HAN

KINDS = ("homophone", "fuzzy", "shape", "omitted", "pinyin")

_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^zh", "z"), ("^z(?!h)", "zh"), ("^ch", "c"), ("^c(?!h)", "ch"), ("^sh", "s"), ("^s(?!h)", "sh"),
        ("^n", "l"), ("^l", "n"), ("^r", "l"), ("^l", "r"),
        ("ang$", "an"), ("an$", "ang"), ("eng$", "en"), ("en$", "eng"), ("ing$", "in"), ("in$", "ing"),
        ("^hua(?=$|n)", "fa"), ("^hui$", "fei"), ("^hu$", "fu"), ("^hun$", "fen"), ("^hong$", "feng"),
        ("^fa(?=$|n)", "hua"), ("^fei$", "hui"), ("^fu$", "hu"), ("^fen$", "hun"), ("^feng$", "hong"),
    )
)  # fmt: skip
"""How dialects mix up syllables. Only what gives a syllable of a common character is used."""

_RARE = 1e-6
"""How common a character is that neither the titles nor the phrases have: less than all that they have."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SLIPS_FROM = 4
"""Letters: with fewer, one slip leaves too little to know the word by."""

_SLIP_SHARE = 0.25
_WHOLE_SHARE = 0.6
_HOMOPHONE_SHARES = {"word": 0.4, "one": 0.45, "each": 0.15}


class Slips:
    """Draws errors for words, and judges them, by what stands in the training titles.

    Args:
        titles: training titles, normalised, each once.
        words: cuts a title into words: word, start and end.
        valid: further words that are right as they are.
    """

    def __init__(
        self,
        titles: Sequence[str],
        words: Callable[[str], Iterable[tuple[str, int, int]]],
        valid: Set[str] = frozenset(),
    ):
        self.counts = Counter(word for title in titles for word, _, _ in words(title))
        self._text = "\n".join(titles)
        self._valid = self.counts.keys() | valid
        self._weights = _weights(self._text)
        self._shapes = look_alikes()
        self._of_syllable: dict[str, list[str]] = defaultdict(list)
        for character in self._weights:
            if syllables := reading(character):
                self._of_syllable[syllables[0]].append(character)
        self._by_letters: dict[str, list[str]] = defaultdict(list)
        self._by_sound: dict[str, list[str]] = defaultdict(list)
        self._by_rest: dict[str, list[str]] = defaultdict(list)
        for word in self.counts:
            if syllables := reading(word):
                self._by_letters["".join(syllables)].append(word)
                self._by_sound[" ".join(map(_sound, syllables))].append(word)
                for rest in _rests(word):
                    self._by_rest[rest].append(word)
        self._draws: Mapping[str, Callable[[str, random.Random], str | None]] = {
            "homophone": self._homophone,
            "fuzzy": self._fuzzy,
            "shape": self._shape,
            "omitted": _omitted,
            "pinyin": _pinyin,
        }

    def drawn(self, kind: str, word: str, rng: random.Random) -> str | None:
        """The word with one error of the kind, or nothing if it cannot have any. It may come out as it was."""
        return self._draws[kind](word, rng)

    def telling(self, kind: str, typed: str, word: str, before: str, after: str) -> bool:
        """Whether `before + typed + after` shows to who knows the titles that it is wrong and `word` right."""
        if typed in self._valid or (before + typed + after) in self._text:
            return False
        if not before and not after and rjieba.has_word(typed):
            return False
        least = max(1, self._text.count(before + word + after))
        others = self._explaining(kind, typed, word)
        return not any(self._text.count(before + other + after) >= least for other in others)

    def _homophone(self, word: str, rng: random.Random) -> str | None:
        if not (syllables := reading(word)):
            return None
        way = rng.choices(list(_HOMOPHONE_SHARES), list(_HOMOPHONE_SHARES.values()))[0]
        place = rng.randrange(len(word) - 1)
        if way == "word" and (pairs := self._pairs(word[place : place + 2], syllables[place : place + 2])):
            return word[:place] + self._common(pairs, rng) + word[place + 2 :]
        if way == "each":
            return "".join(
                self._common(self._of_syllable[syllable], rng) if self._of_syllable[syllable] else character
                for character, syllable in zip(word, syllables, strict=True)
            )
        place = rng.randrange(len(word))
        return self._replaced(word, place, self._of_syllable[syllables[place]], rng)

    def _pairs(self, pair: str, syllables: Sequence[str]) -> list[str]:
        """The dictionary's other words of two characters that sound the same."""
        both = map("".join, product(*(self._of_syllable[syllable] for syllable in syllables)))
        return [other for other in both if other != pair and rjieba.has_word(other)]

    def _fuzzy(self, word: str, rng: random.Random) -> str | None:
        ways = [
            (place, characters)
            for place, syllable in enumerate(reading(word))
            for pattern, sound in _SOUNDS
            if pattern.search(syllable) and (characters := self._of_syllable.get(pattern.sub(sound, syllable)))
        ]
        if not ways:
            return None
        place, characters = rng.choice(ways)
        return self._replaced(word, place, characters, rng)

    def _shape(self, word: str, rng: random.Random) -> str | None:
        places = [place for place, character in enumerate(word) if character in self._shapes]
        if not places:
            return None
        place = rng.choice(places)
        return self._replaced(word, place, self._shapes[word[place]], rng)

    def _replaced(self, word: str, place: int, characters: Sequence[str], rng: random.Random) -> str | None:
        others = [character for character in characters if character != word[place]]
        return word[:place] + self._common(others, rng) + word[place + 1 :] if others else None

    def _common(self, texts: Sequence[str], rng: random.Random) -> str:
        """One of them, by how common their characters are: the product."""
        weights = [1.0] * len(texts)
        for place, text in enumerate(texts):
            for character in text:
                weights[place] *= self._weights.get(character, _RARE)
        return rng.choices(texts, weights)[0]

    def _explaining(self, kind: str, typed: str, word: str) -> list[str]:
        """The other training words that the error of this kind may have come from as well."""
        syllables = reading(word)
        if kind == "shape":
            found = [
                typed[:place] + other + typed[place + 1 :]
                for place, character in enumerate(typed)
                for other in self._shapes.get(character, "")
            ]
            found = [other for other in found if other in self.counts]
        elif kind == "omitted":
            found = self._by_rest.get(typed, [])
        elif kind == "pinyin":
            first, last = _kept(typed)
            same = self._by_letters.get("".join(syllables), [])
            found = [other for other in same if other.startswith(first) and other.endswith(last)]
        else:
            if kind == "fuzzy":
                same = self._by_sound.get(" ".join(map(_sound, syllables)), [])
            else:
                same = self._by_letters.get("".join(syllables), [])
            most = _differing(word, typed)
            found = [other for other in same if _differing(other, typed) <= most]
        return [other for other in found if other != word]


@cache
def reading(word: str) -> tuple[str, ...]:
    """The syllables of a Chinese word without tones, ü as v; nothing if it has other characters or unknown ones."""
    if not all(map(HAN.match, word)):
        return ()
    syllables = tuple(lazy_pinyin(word))
    return syllables if len(syllables) == len(word) and all(s.isascii() and s.isalpha() for s in syllables) else ()


def _weights(text: str) -> dict[str, float]:
    """The common characters → how common: the mean of their shares in the titles and in pypinyin's phrases."""
    shop, general = Counter(HAN.findall(text)), _phrase_characters()
    of_shop, of_general = max(1, shop.total()), general.total()
    return {
        character: _RARE + (shop[character] / of_shop + general[character] / of_general) / 2 for character in _level_1()
    }


@cache
def _phrase_characters() -> Counter[str]:
    return Counter("".join(phrases_dict))


def _level_1() -> list[str]:
    """The common characters: GB 2312, rows 16 to 55, of which the last has five places empty."""
    codes = (bytes((row, place)) for row in range(0xB0, 0xD8) for place in range(0xA1, 0xFF))
    return [code.decode("gb2312") for code in codes if code < b"\xd7\xfa"]


def _sound(syllable: str) -> str:
    """The syllable with what dialects mix up made equal."""
    syllable = re.sub("^hua(?=$|n)", "fa", syllable)
    syllable = {"hui": "fei", "hu": "fu", "hun": "fen", "hong": "feng"}.get(syllable, syllable)
    return re.sub("^[nr]", "l", re.sub("(?<=^[zcs])h", "", re.sub("(?<=n)g$", "", syllable)))


def _rests(word: str) -> list[str]:
    """A word of three or more characters without one of them."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))] if len(word) > 2 else []


def _omitted(word: str, rng: random.Random) -> str | None:
    rests = _rests(word)
    return rng.choice(rests) if rests else None


def _pinyin(word: str, rng: random.Random) -> str | None:
    """The word as its letters, or only a part of it, sometimes with a slip."""
    if not (syllables := reading(word)):
        return None
    first, last = 0, len(word)
    if rng.random() >= _WHOLE_SHARE:
        length = rng.randrange(1, len(word))
        first = rng.randrange(len(word) - length + 1)
        last = first + length
    letters = "".join(syllables[first:last])
    if len(letters) >= _SLIPS_FROM and rng.random() < _SLIP_SHARE:
        letters = _slipped(letters, rng)
    return word[:first] + letters + word[last:]


def _slipped(letters: str, rng: random.Random) -> str:
    """One key beside the right one, left out, pressed twice, or before its time."""
    place = rng.randrange(len(letters) - 1)
    before, letter, following, after = letters[:place], letters[place], letters[place + 1], letters[place + 2 :]
    way = rng.choices(("beside", "out", "twice", "swapped"), (0.4, 0.2, 0.2, 0.2))[0]
    if way == "beside":
        return before + rng.choice(_beside(letter)) + following + after
    if way == "swapped":
        return before + following + letter + after
    return before + letter * (2 if way == "twice" else 0) + following + after


def _beside(letter: str) -> str:
    """The keys around a letter's; each row of the keyboard is set off to the right by half a key."""
    row, column = next((row, keys.index(letter)) for row, keys in enumerate(_ROWS) if letter in keys)
    around = [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1)]
    around += [(row + 1, column - 1), (row + 1, column)]
    return "".join(_ROWS[r][c] for r, c in around if 0 <= r < len(_ROWS) and 0 <= c < len(_ROWS[r]))


def _kept(typed: str) -> tuple[str, str]:
    """The characters before and after the letters."""
    letters = re.search("[a-z]+", typed)
    return (typed[: letters.start()], typed[letters.end() :]) if letters else ("", "")


def _differing(one: str, other: str) -> int:
    """At how many places two words of one length differ; more than any two can, if their lengths do."""
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else 99
