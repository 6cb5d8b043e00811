"""What of a product says which product it is, as columns."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute, Product
from lingsou.quality.columns import Columns, columns_of
from lingsou.text.normalise import normalise, squash

_GTIN = 14
"""GTIN-8, -12 and -13 are GTIN-14 with zeros in front (GS1 General Specifications)."""
_MIXED = re.compile(r"(?=.*\d)(?:(?=.*[a-z])|\d{4,})")
_LATIN_WORD = re.compile(r"[a-z0-9]+(?:[.\-/][a-z0-9]+)*")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_OTHER_WORD = re.compile(r"[^\W\d_a-z\u3400-\u4dbf\u4e00-\u9fff]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SOLID = re.compile(r"[\W_]+")
_GRAM = 3
_SHORTEST_DESIGNATION = 4
_LISTS = ("ids", "titles", "texts", "brands", "gtins", "mpns")


@dataclass(frozen=True)
class Records:
    """N products; texts are normalised."""

    ids: Sequence[str]
    titles: Sequence[str]
    texts: Sequence[str]
    """Title, brand, descriptions and attributes together."""
    brands: Sequence[str]
    prices: NDArray[np.float64]
    """[N], NaN where there is none."""
    gtins: Sequence[frozenset[str]]
    """Trade item numbers, 14 digits each."""
    mpns: Sequence[str]
    """The manufacturer's number without spaces and signs, or empty."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: NDArray[np.int64]) -> "Records":
        """The records at `places`, in that order."""
        chosen = places.tolist()
        listed = {name: [getattr(self, name)[place] for place in chosen] for name in _LISTS}
        return Records(prices=self.prices[places], **listed)

    def followed_by(self, more: "Records") -> "Records":
        """These records, then `more`."""
        listed = {name: [*getattr(self, name), *getattr(more, name)] for name in _LISTS}
        return Records(prices=np.concatenate([self.prices, more.prices]), **listed)


def records_of(products: Iterable[Product]) -> Records:
    """The columns of a catalogue; one pass."""
    return records_of_columns(columns_of(enumerate(products, start=1)))


def records_of_columns(columns: Columns) -> Records:
    """The same from columns that are there already."""
    titles, texts = [], []
    told = zip(columns.titles, columns.brands, columns.texts, columns.attributes, strict=True)
    for title, brand, text, attributes in told:
        parts = (title, brand, text, *map(_told, attributes.values()))
        titles.append(normalise(title))
        texts.append(normalise(" ".join(part for part in parts if part)))
    return Records(
        ids=columns.ids,
        titles=titles,
        texts=texts,
        brands=[normalise(brand) for brand in columns.brands],
        prices=columns.prices,
        gtins=[frozenset(gtin for each in eans if (gtin := gtin_of(each))) for eans in columns.eans],
        mpns=[squash(mpn) for mpn in columns.mpns],
    )


def _told(attribute: Attribute) -> str:
    value = " ".join(attribute.value) if isinstance(attribute.value, tuple) else str(attribute.value)
    return f"{value} {attribute.unit}" if attribute.unit else value


def gtin_of(code: str) -> str:
    """A trade item number in 14 digits; empty when `code` is none, by length or check digit."""
    digits = re.sub(r"[\s-]", "", code)
    if not re.fullmatch(r"\d{8}|\d{12,14}", digits):
        return ""
    padded = digits.zfill(_GTIN)
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(padded))
    return padded if weighed % 10 == 0 and padded.strip("0") else ""


# Terms of a normalised text


def words(text: str) -> list[str]:
    """Words; joined ones (`dcs-855l`) whole, in parts and without signs; of Chinese every two characters."""
    found: list[str] = []
    for word in _LATIN_WORD.findall(text):
        found.append(word)
        parts = re.split(r"[.\-/]", word)
        if len(parts) > 1:
            found += [*parts, "".join(parts)]
    for run in _HAN_RUN.findall(text):
        found += [run[place : place + 2] for place in range(max(len(run) - 1, 1))]
    return found + _OTHER_WORD.findall(text)


def grams(text: str) -> list[str]:
    """Every three characters in a row, spaces and signs left out: `wd 40` and `wd40` are alike."""
    solid = _SOLID.sub("", text)
    return [solid[place : place + _GRAM] for place in range(max(len(solid) - _GRAM + 1, min(len(solid), 1)))]


def numbers(text: str) -> list[str]:
    """Numbers as written."""
    return _NUMBER.findall(text)


def designations(text: str) -> list[str]:
    """What may be a model number: letters with digits, or four digits and more; without signs."""
    solid = (re.sub(r"[.\-/]", "", word) for word in _LATIN_WORD.findall(text))
    return [each for each in solid if len(each) >= _SHORTEST_DESIGNATION and _MIXED.match(each)]
