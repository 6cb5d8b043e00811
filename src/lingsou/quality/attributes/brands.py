"""The brands of a catalogue: which spellings are one, and which brand a title names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lingsou.quality.attributes.mentions import Phrase, Phrases, phrase
from lingsou.quality.columns import Columns
from lingsou.text.normalise import HAN, normalise, squash

LEAST_PRODUCTS = 2
"""A brand of fewer products is not known yet: the one product may have it by mistake."""
_COMPANY = re.compile(
    r"[\s,.]+(?:inc|ltd|llc|corp|corporation|co|company|gmbh|limited|plc|ag|s\.a|pvt)\.?$|(?:有限责任公司|股份有限公司|有限公司|公司|集团)$"
)
_MARKS = re.compile(r"[®™©]|\((?:r|tm|c)\)", re.IGNORECASE)
_LATIN_PART = re.compile(r"[a-z0-9][a-z0-9 .&'+-]*")
_HAN_PART = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_SHORTEST_TYPO = 6
_SHORTEST_PART = 4
"""Shorter brands, such as `W` or `ID`, are part of many words."""
_TYPO_TIMES = 20
"""A spelling one letter away from one that is so many times as common is a slip."""
_FOR_OTHERS = re.compile(
    r"(?:\b(?:for|fits|compatible(?: with)?|replacement for|works with|by)\s*$)|(?:适用于?|兼容|适配|代替|替换|配)\s*$"
)
_FOR_OTHERS_CHARACTERS = 24


@dataclass(frozen=True)
class Named:
    """A brand that a title names, and how far one may rely on it."""

    brand: str
    """As most products write it."""
    leads: bool
    """The title begins with it."""
    reliability: float
    """Of the other products whose titles name it in such a place, how many have it as their brand."""
    products: int
    """So many others name it there."""


def one_brand(counts: Mapping[str, int]) -> dict[str, tuple[str, float]]:
    """Spelling → the usual spelling of the same brand, and the confidence that it is the same; usual ones left out.

    Case, spaces, signs, `®` and forms of company do not tell brands apart; nor does a Chinese name beside a Latin one
    (`HUAWEI/华为`) where either alone is a brand too; nor one letter, in a name of at least six letters that is twenty
    times as rare.

    Args:
        counts: products of each spelling.
    """
    groups: dict[str, list[str]] = {}
    for brand in counts:
        groups.setdefault(_solid(brand), []).append(brand)
    usual = {key: max(group, key=lambda brand: counts[brand]) for key, group in groups.items()}
    totals = {key: sum(counts[brand] for brand in group) for key, group in groups.items()}
    found = {
        brand: (usual[key], 0.95) for key, group in groups.items() for brand in group if key and brand != usual[key]
    }
    for key, other, sure in [*_bilingual(groups), *_slips(totals)]:
        for brand in groups[key]:
            found[brand] = usual[other], sure
    return found


class Brands:
    """The known brands of a catalogue, and what titles that name them have as their brand."""

    def __init__(self, columns: Columns):
        counts = Counter(brand for brand in columns.brands if brand.strip())
        self._usual = one_brand(counts)
        totals: Counter[str] = Counter()
        for brand, count in counts.items():
            totals[self.usual(brand)] += count
        self._of_phrase: dict[Phrase, str] = {}
        for brand in sorted(totals, key=lambda brand: (-totals[brand], brand)):
            if totals[brand] >= LEAST_PRODUCTS:
                self._of_phrase.setdefault(phrase(brand), brand)
        for brand, (usual, _) in self._usual.items():
            if totals[usual] >= LEAST_PRODUCTS:
                self._of_phrase.setdefault(phrase(brand), usual)
        self._phrases = Phrases(self._of_phrase)
        self._in_titles = [self._find(title) for title in columns.titles]
        self._seen: Counter[tuple[str, bool]] = Counter()
        self._right: Counter[tuple[str, bool]] = Counter()
        self._given = [self.usual(brand) for brand in columns.brands]
        for given, named in zip(self._given, self._in_titles, strict=True):
            if given:
                self._seen.update(named)
                self._right.update(each for each in named if each[0] == given)

    @property
    def spellings(self) -> Mapping[str, tuple[str, float]]:
        """As of `one_brand`."""
        return self._usual

    def usual(self, brand: str) -> str:
        """The usual spelling."""
        found = self._usual.get(brand)
        return found[0] if found else brand

    def named(self, place: int) -> list[Named]:
        """The known brands that a product's title names, the first first; the product itself is no witness."""
        given = self._given[place]
        found = []
        for each in self._in_titles[place]:
            seen, right = self._seen[each] - bool(given), self._right[each] - (each[0] == given)
            # One witness too few: a brand that nobody else has confirmed is no better than a coin.
            found.append(Named(each[0], each[1], (right + 0.5) / (seen + 1.0), seen))
        return found

    def names(self, text: str, brand: str) -> bool:
        """Whether a text names a brand, known or not, in whatever spelling."""
        key = _solid(brand)
        if len(key) >= _SHORTEST_PART:
            return key in squash(text)
        return bool(Phrases([phrase(brand)]).find(text))

    def _find(self, title: str) -> tuple[tuple[str, bool], ...]:
        """Brands in a title, and whether each leads it, without parts of longer ones and what the product is for."""
        found: dict[str, bool] = {}
        for mention in self._phrases.find(title):
            if mention.inside:
                continue
            brand = self._of_phrase[mention.phrase]
            leads = mention.start == 0
            if not leads and _is_for(title, mention.phrase):
                continue
            found.setdefault(brand, leads)
        return tuple(found.items())


def _solid(brand: str) -> str:
    folded = normalise(_MARKS.sub("", brand))
    while (shorter := _COMPANY.sub("", folded)) and shorter != folded:
        folded = shorter
    return squash(folded)


def _bilingual(groups: Mapping[str, Sequence[str]]) -> list[tuple[str, str, float]]:
    found = []
    for key in groups:
        if not HAN.search(key) or key.isascii():
            continue
        parts = [squash(part) for part in (*_LATIN_PART.findall(key), *_HAN_PART.findall(key))]
        known = [part for part in parts if len(parts) == 2 and part in groups and part != key]
        if known:
            found.append((key, known[0], 0.9))
    return found


def _slips(totals: Mapping[str, int]) -> list[tuple[str, str, float]]:
    """Rare spellings one letter away from a common one, by the letters left when one is dropped."""
    found = []
    near: dict[str, list[str]] = {}
    for key in totals:
        if len(key) >= _SHORTEST_TYPO and key.isascii() and key.isalpha():
            for place in range(len(key)):
                near.setdefault(key[:place] + key[place + 1 :], []).append(key)
            near.setdefault(key, []).append(key)
    for group in near.values():
        best = max(group, key=lambda key: totals[key])
        found += [(key, best, 0.6) for key in group if key != best and totals[key] * _TYPO_TIMES <= totals[best]]
    return sorted(set(found))


def _is_for(title: str, named: Phrase) -> bool:
    folded = normalise(title)
    place = folded.find(named[0])
    return place > 0 and bool(_FOR_OTHERS.search(folded[max(0, place - _FOR_OTHERS_CHARACTERS) : place].rstrip() + " "))
