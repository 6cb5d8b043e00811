"""The syllables of Chinese characters, which of them sound alike to many speakers, and pinyin as it is typed."""

import re
from collections import Counter
from functools import cache, lru_cache
from itertools import islice, product

from lingsou.text.normalise import HAN

_INITIALS = ("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("r", "l")
_FINALS = ("iang", "ian"), ("uang", "uan"), ("ang", "an"), ("eng", "en"), ("ing", "in")
_LIP_SOUNDS = {
    "hua": "fa", "huan": "fan", "huang": "fan", "hui": "fei", "hun": "fen", "hong": "fen", "heng": "fen", "huo": "fo",
    "hu": "fu", "hou": "fou",
}  # fmt: skip
_OTHERS = {"lv": "lu", "nv": "lu", "wang": "fan", "lve": "lue", "nve": "lue"}
_SPELT = re.compile(r"[a-z]*[aeiouv][a-z]*")
_MOST_LETTERS = 40
_MOST_READINGS = 2
_RARE = 0.1


@lru_cache(maxsize=50_000)
def readings(character: str) -> tuple[str, ...]:
    """Pinyin of a character without tones (`v` for ü), the usual reading first; at most two, () for none.

    Usual is what most phrases of the dictionary have; a reading of less than a tenth of them is none that one types.
    """
    in_phrases = _readings_in_phrases().get(character)
    if in_phrases:
        least = sum(in_phrases.values()) * _RARE
        return tuple(each for each, count in in_phrases.most_common(_MOST_READINGS) if count >= least)
    found = _dictionaries()[0].get(ord(character), "")
    return tuple(dict.fromkeys(_plain(reading) for reading in found.split(",")))[:_MOST_READINGS] if found else ()


@lru_cache(maxsize=100_000)
def of_word(word: str) -> tuple[str, ...]:
    """Pinyin of a Chinese word, each character as it is read there; () when one has no reading."""
    spelt = _dictionaries()[1].get(word)
    if spelt is not None:
        return tuple(_plain(each[0]) for each in spelt)
    found = [readings(character) for character in word]
    return tuple(each[0] for each in found) if all(found) else ()


def spellings(text: str, most: int) -> list[tuple[str, ...]]:
    """Ways to read Chinese characters, at most so many, the usual one first; [] when one has no reading.

    A phrase of the dictionary is read in one way.
    """
    if text in _dictionaries()[1]:
        return [of_word(text)]
    return list(islice(product(*map(readings, text)), most))


@lru_cache(maxsize=2_000)
def fuzzy(syllable: str) -> str:
    """One spelling for syllables that many speakers do not tell apart.

    z/zh, c/ch, s/sh, n/l, r/l, f/h before u, and -an/-ang, -en/-eng, -in/-ing: the southern accents that every
    Chinese input method can be set to forgive.
    """
    syllable = _LIP_SOUNDS.get(syllable, syllable)
    syllable = _OTHERS.get(syllable, syllable)
    for long, short in _INITIALS:
        if syllable.startswith(long):
            syllable = short + syllable[len(long) :]
            break
    for long, short in _FINALS:
        if syllable.endswith(long):
            return syllable[: -len(long)] + short
    return syllable


def typed(syllables: tuple[str, ...]) -> str:
    """Syllables as one types them, ü as `u`: many know no key for it."""
    return "".join(syllables).replace("v", "u")


@cache
def inventory() -> frozenset[str]:
    """All syllables of the language as they are typed, ü as `u` too."""
    found = _all_syllables()
    # Not `n`, `ng` or `hm`, which nobody types for a word.
    kept = {each for each in found if _SPELT.fullmatch(each) and (len(each) > 1 or each in "aeo")}
    return frozenset(kept | {each.replace("v", "u") for each in kept})


@cache
def sounds() -> dict[str, str]:
    """Syllable → a character of a private plane of Unicode for all that sound like it: words of sounds are strings."""
    syllables = sorted(_all_syllables())
    numbers = {sound: chr(0xF0000 + number) for number, sound in enumerate(sorted({fuzzy(each) for each in syllables}))}
    return {each: numbers[fuzzy(each)] for each in syllables}


@lru_cache(maxsize=50_000)
def syllables_in(letters: str) -> int:
    """The fewest syllables that the letters can be read as, whole; 0: they cannot."""
    if len(letters) > _MOST_LETTERS:
        return 0
    known = inventory()
    best = [0] + [_MOST_LETTERS] * len(letters)
    for end in range(1, len(letters) + 1):
        best[end] = min(
            (best[start] + 1 for start in range(max(0, end - 6), end) if letters[start:end] in known),
            default=_MOST_LETTERS,
        )
    return best[-1] if 0 < best[-1] < _MOST_LETTERS else 0


@lru_cache(maxsize=4_096)
def like_pinyin(letters: str) -> bool:
    """Whether letters can be read as syllables, whole or with one of them left out."""
    return len(letters) <= _MOST_LETTERS and (
        syllables_in(letters) > 0
        or any(syllables_in(letters[:place] + letters[place + 1 :]) for place in range(len(letters)))
    )


def is_han(text: str) -> bool:
    """Whether a text is Chinese characters and nothing else."""
    return bool(text) and all(map(HAN.match, text))


_TONES = str.maketrans(
    "āáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ", "aaaaeeeeiiiioooouuuuvvvvvnnnm"
)  # fmt: skip


@cache
def _readings_in_phrases() -> dict[str, Counter[str]]:
    """Character → how many phrases have each of its readings."""
    found: dict[str, Counter[str]] = {}
    for phrase, spelt in _dictionaries()[1].items():
        for character, reading in zip(phrase, spelt, strict=False):
            found.setdefault(character, Counter())[_plain(reading[0])] += 1
    return found


@cache
def _all_syllables() -> frozenset[str]:
    single, phrases = _dictionaries()
    found = {_plain(reading) for several in single.values() for reading in several.split(",")}
    return frozenset(found | {_plain(each[0]) for spelt in phrases.values() for each in spelt})


@lru_cache(maxsize=4_096)
def _plain(reading: str) -> str:
    return reading.translate(_TONES).replace("ê", "e")


@cache
def _dictionaries() -> tuple[dict[int, str], dict[str, list[list[str]]]]:
    # The dictionaries take a quarter of a second and 56 MB: only a shop with Chinese titles pays for them.
    from pypinyin.phrases_dict import phrases_dict
    from pypinyin.pinyin_dict import pinyin_dict

    return pinyin_dict, phrases_dict
