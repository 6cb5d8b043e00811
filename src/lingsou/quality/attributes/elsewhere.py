"""What the rest of a product says of one attribute: places that repeat its value, values that go together with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute
from lingsou.quality.attributes.neighbours import Neighbours
from lingsou.quality.attributes.vocabulary import Vocabulary, is_number, key_of
from lingsou.quality.columns import Columns
from lingsou.text.quantities import find_quantities

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_TEXT_CHARACTERS = 400
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST_NUMBERS = 4
_LONGEST_VALUE = 60
"""Characters; what is longer is a sentence or a list, which hardly any other product repeats."""
_SCALES = (1, 100, 1_000)
"""Base units are m, kg, l …: what shops state without a unit is often in cm, mm, g or ml."""
_LEAST_PLACES = 5
_LEAST_PRECISION = 0.05
_LEAST_TOGETHER = 2
_CLIP = 5.0


@dataclass(frozen=True)
class Entries:
    """E facts of products: the product, what kind of fact, and the key of what it says."""

    rows: Ints
    kinds: Ints
    keys: Ints


@dataclass(frozen=True)
class Hints:
    """Values suggested for products, those of one product together."""

    starts: Ints
    """[N + 1]"""
    codes: Ints
    odds: Floats
    """Log odds that such a suggestion is right."""

    def of(self, row: int) -> Iterator[tuple[int, float]]:
        """Codes and odds for one product."""
        part = slice(self.starts[row], self.starts[row + 1])
        return zip(self.codes[part].tolist(), self.odds[part].tolist(), strict=True)


class Catalogue:
    """A catalogue's columns with what all of its attributes are completed by. Memory: about 0.5 kB a product."""

    def __init__(self, columns: Columns, like: Neighbours | None):
        self.columns = columns
        self.like = like
        self._keys: dict[str, int] = {}
        self._written: dict[str, str] = {}
        self._kinds: dict[object, int] = {}

    def kind(self, of: object) -> int:
        """The number of a kind of fact."""
        return self._kinds.setdefault(of, len(self._kinds))

    def key(self, text: str) -> int:
        """The number of a value's key."""
        return self._keys.setdefault(text, len(self._keys))

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return len(self._keys)

    @cached_property
    def wholes(self) -> Entries:
        """Every attribute with its value; kinds are names."""
        return self._entries([self._whole(each) for each in self.columns.attributes])

    @cached_property
    def numbers(self) -> Entries:
        """Every number in attributes, by which of them it is, and every measure in title and texts, by its unit."""
        return self._entries(
            [
                [*self._inside(attributes), *self._measured(f"{title}\n{text[:_TEXT_CHARACTERS]}")]
                for attributes, title, text in zip(
                    self.columns.attributes, self.columns.titles, self.columns.texts, strict=True
                )
            ]
        )

    def _whole(self, attributes: Mapping[str, Attribute]) -> list[tuple[int, int]]:
        found = []
        for name, attribute in attributes.items():
            value = attribute.value
            if not isinstance(value, str):
                found.append((self.kind(name), self.key(key_of(value, attribute.unit))))
            elif len(value) <= _LONGEST_VALUE:
                key = self._written.get(value)
                if key is None:
                    key = self._written[value] = key_of(value)
                found.append((self.kind(name), self.key(key)))
        return found

    def _inside(self, attributes: Mapping[str, Attribute]) -> list[tuple[int, int]]:
        found = []
        for name, attribute in attributes.items():
            value = attribute.value
            if is_number(value):
                found.append((self.kind((name, 0)), self.key(key_of(value))))
            elif isinstance(value, str) and len(value) <= _LONGEST_VALUE:
                for number, each in enumerate(_NUMBER.findall(value)[:_MOST_NUMBERS]):
                    found.append((self.kind((name, number)), self.key(key_of(float(each)))))
        return found

    def _measured(self, text: str) -> list[tuple[int, int]]:
        found: dict[int, int] = {}
        for measure in find_quantities(text):
            if measure.low is None or measure.low != measure.high or measure.base_low is None:
                continue
            found.setdefault(self.kind(("unit", measure.unit)), self.key(key_of(float(measure.low))))
            for scale in _SCALES:
                kind = self.kind(("dimension", measure.dimension, scale))
                found.setdefault(kind, self.key(key_of(float(measure.base_low) * scale)))
        return list(found.items())

    def _entries(self, facts: Sequence[Sequence[tuple[int, int]]]) -> Entries:
        lengths = [len(each) for each in facts]
        pairs = np.array([pair for each in facts for pair in each], np.int64).reshape(-1, 2)
        return Entries(np.repeat(np.arange(len(facts)), lengths), pairs[:, 0], pairs[:, 1])


def repeated(catalogue: Catalogue, name: str, vocabulary: Vocabulary, codes: Ints) -> Hints:
    """Values that stand elsewhere in a product, by how often such a place has held the attribute's own value.

    Args:
        catalogue: N products.
        name: of the attribute.
        vocabulary: its values.
        codes: the values that may be learned from, −1 for none, [N]. No product learns from itself.
    """
    entries = catalogue.numbers if vocabulary.numeric else catalogue.wholes
    own_kinds = [catalogue.kind(name), *(catalogue.kind((name, number)) for number in range(_MOST_NUMBERS))]
    told = _codes_of(catalogue, vocabulary)[entries.keys]
    other = ~np.isin(entries.kinds, own_kinds)
    labelled = codes[entries.rows] >= 0
    right = labelled & (told == codes[entries.rows])
    kinds = int(entries.kinds.max(initial=0)) + 1
    seen = np.bincount(entries.kinds[labelled], minlength=kinds)[entries.kinds] - labelled
    hits = np.bincount(entries.kinds[right], minlength=kinds)[entries.kinds] - right
    kept = other & (told >= 0) & (seen >= _LEAST_PLACES) & (hits >= _LEAST_PRECISION * seen)
    return _hints(len(codes), entries.rows[kept], told[kept], hits[kept], seen[kept])


def together(catalogue: Catalogue, name: str, codes: Ints) -> Hints:
    """The value that most products with the same value of another attribute have; arguments as of `repeated`."""
    entries = catalogue.wholes
    other = entries.kinds != catalogue.kind(name)
    rows = entries.rows[other]
    _, pairs = np.unique(entries.kinds[other] * catalogue.keys + entries.keys[other], return_inverse=True)
    mine = codes[rows]
    labelled = mine >= 0
    width = int(codes.max(initial=0)) + 1
    both, counts = np.unique(pairs[labelled] * width + mine[labelled], return_counts=True)
    pair, value = both // width, both % width
    # The two commonest values of each pair: without the product itself the second may be the first.
    order = np.lexsort((value, -counts, pair))
    firsts = np.flatnonzero(np.r_[True, pair[order][1:] != pair[order][:-1]]) if len(order) else order
    totals = np.bincount(pair, counts, minlength=int(pairs.max(initial=0)) + 1)[pairs] - labelled
    found = []
    for rank in (0, 1):
        at = firsts + rank
        at = at[at < len(order)]
        at = at[pair[order][at] == pair[order][at - rank]]
        top = np.full(len(totals) and int(pairs.max()) + 1, -1, np.int64)
        number = np.zeros(len(top), np.int64)
        top[pair[order][at]], number[pair[order][at]] = value[order][at], counts[order][at]
        hits = number[pairs] - (labelled & (top[pairs] == mine))
        kept = (top[pairs] >= 0) & (hits > 0) & (totals >= _LEAST_TOGETHER)
        found.append((rows[kept], top[pairs][kept], hits[kept], totals[kept]))
    return _hints(len(codes), *(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _codes_of(catalogue: Catalogue, vocabulary: Vocabulary) -> Ints:
    """Key's number → code of the attribute's value, −1 for none."""
    numbers = [catalogue.key(key) for key in vocabulary.keys]
    found = np.full(catalogue.keys, -1, np.int64)
    found[numbers] = np.arange(len(numbers))
    return found


def _hints(n: int, rows: Ints, codes: Ints, hits: Ints, seen: Ints) -> Hints:
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(rows, minlength=n))])
    odds = np.clip(np.log((hits + 0.5) / (seen - hits + 1.0)), -_CLIP, _CLIP)
    return Hints(starts, codes[order], odds[order])
