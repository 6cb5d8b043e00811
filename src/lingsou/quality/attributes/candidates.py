"""Values that a product may have for an attribute, and what speaks for each of them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.attributes.elsewhere import Catalogue, repeated, together
from lingsou.quality.attributes.lexicon import kind_of, meaning_of, meanings, spellings
from lingsou.quality.attributes.mentions import Mention, Phrase, Phrases, parted, phrase
from lingsou.quality.attributes.vocabulary import Vocabulary

Ints = NDArray[np.int64]

_LONGEST_VALUE = 6
"""Tokens; longer values are sentences, which no text repeats."""
_TEXT_CHARACTERS = 600
_FREQUENT = 30
"""Values with a weight of their own: of two colours in a title, one is more often the one that counts."""
_MOST_NEIGHBOURING = 6
_MOST_COMMON = 2

NONE = -1
"""Code of the last candidate of every product: the value is none of the others."""

_FEATURES = (
    "none",
    "in title",
    "times in title",
    "in text",
    "times in text",
    "first in title",
    "last in title",
    "rank in title",
    "alone in title",
    "first in text",
    "inside a longer one",
    "broader than what is written",
    "listed before another",
    "listed after another",
    "told elsewhere",
    "odds elsewhere",
    "places elsewhere",
    "goes together",
    "odds together",
    "values together",
    "among neighbours",
    "share of neighbours",
    "nearest with it",
    "is the nearest's",
    "share in catalogue",
    "share in category",
    "share in brand",
)
_AT = {name: place for place, name in enumerate(_FEATURES)}


@dataclass(frozen=True)
class Candidates:
    """Candidates of n products, m in all, those of one product together, the one for `NONE` last."""

    starts: Ints
    """[n + 1]"""
    codes: Ints
    """[m]"""
    features: NDArray[np.float32]
    """[m, f]"""
    named: NDArray[np.bool_]
    """Title or texts name the value, [m]."""


@dataclass
class _Evidence:
    title: list[tuple[int, Mention, bool]] = field(default_factory=list)
    text: list[tuple[int, Mention, bool]] = field(default_factory=list)
    elsewhere: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    votes: float = 0.0
    nearest: float = 0.0
    is_nearest: bool = False


class _Group(NamedTuple):
    counts: Mapping[int, int]
    total: int
    top: tuple[int, ...]


class Gatherer:
    """Gathers the candidates of one attribute.

    Args:
        catalogue: with neighbours, which then suggest values too; without, only the product's own texts do.
        name: of the attribute.
        vocabulary: its values in the catalogue; no others are suggested.
        learned: rows whose values may be used; all others are treated as if they had none.
    """

    def __init__(self, catalogue: Catalogue, name: str, vocabulary: Vocabulary, learned: Ints):
        self._catalogue = catalogue
        self._columns = catalogue.columns
        self._vocabulary = vocabulary
        self._codes = np.full(len(self._columns), -1, np.int64)
        self._codes[learned] = vocabulary.codes[learned]
        self._targets = _targets(name, vocabulary)
        self._phrases = Phrases(self._targets)
        self._counts = np.bincount(vocabulary.codes[learned], minlength=max(len(vocabulary), 1))
        self._total = len(learned)
        top = np.argsort(-self._counts, kind="stable")[:_FREQUENT]
        self._top = top[:_MOST_COMMON].tolist()
        self._own_weight = {int(code): len(_FEATURES) + number for number, code in enumerate(top)}
        self._by_category = _groups(self._columns.categories, vocabulary.codes, learned)
        self._by_brand = _groups(self._columns.brands, vocabulary.codes, learned)
        self._elsewhere = repeated(catalogue, name, vocabulary, self._codes) if catalogue.like else None
        self._together = together(catalogue, name, self._codes) if catalogue.like else None

    def gather(self, rows: Iterable[int]) -> Candidates:
        """The candidates of some products. A product's own value takes no part in what speaks for it."""
        starts: list[int] = [0]
        codes: list[int] = []
        named: list[bool] = []
        places: list[tuple[int, int, float]] = []
        for row in rows:
            found = self._of(row)
            own = int(self._codes[row])
            titled = len({code for code, each in found.items() if any(not m.inside for _, m, _ in each.title)})
            for code, evidence in found.items():
                at = len(codes)
                places.extend((at, column, value) for column, value in self._told(row, code, own, evidence, titled))
                codes.append(code)
                named.append(bool(evidence.title or evidence.text))
            places.append((len(codes), _AT["none"], 1.0))
            codes.append(NONE)
            named.append(False)
            starts.append(len(codes))
        features = np.zeros((len(codes), len(_FEATURES) + len(self._own_weight)), np.float32)
        if places:
            lines, columns, values = (np.array(part) for part in zip(*places, strict=True))
            features[lines, columns] = values
        return Candidates(np.array(starts, np.int64), np.array(codes, np.int64), features, np.array(named, bool))

    def _of(self, row: int) -> dict[int, _Evidence]:
        found: dict[int, _Evidence] = {}
        own = int(self._codes[row])
        texts = (self._columns.titles[row], parted(self._columns.texts[row][:_TEXT_CHARACTERS]))
        for part, text in enumerate(texts):
            for rank, mention in enumerate(self._phrases.find(text)):
                for code, broad in self._targets[mention.phrase]:
                    evidence = found.setdefault(code, _Evidence())
                    (evidence.text if part else evidence.title).append((rank, mention, broad))
        if self._elsewhere is not None and self._together is not None:
            for code, odds in self._elsewhere.of(row):
                found.setdefault(code, _Evidence()).elsewhere.append(odds)
            for code, odds in self._together.of(row):
                found.setdefault(code, _Evidence()).together.append(odds)
        like = self._catalogue.like
        if like is not None:
            self._from_neighbours(found, like.places[row], like.cosines[row])
            for group in (
                self._by_category.get(self._columns.categories[row]),
                self._by_brand.get(self._columns.brands[row]),
            ):
                for code in group.top if group else ():
                    found.setdefault(code, _Evidence())
            for code in self._top:
                found.setdefault(code, _Evidence())
        # A value that no other product has is known from this one alone.
        return {code: each for code, each in found.items() if self._counts[code] - (code == own) > 0}

    def _from_neighbours(self, found: dict[int, _Evidence], places: Ints, cosines: NDArray[np.float64]) -> None:
        codes = np.where(places >= 0, self._codes[places], -1)
        kept = codes >= 0
        weights = cosines[kept] ** 2
        total = float(weights.sum())
        votes: dict[int, list[float]] = {}
        for code, weight, cosine in zip(codes[kept].tolist(), weights.tolist(), cosines[kept].tolist(), strict=True):
            seen = votes.setdefault(code, [0.0, cosine])
            seen[0] += weight / total
        first = next(iter(votes), None)
        for code in sorted(votes, key=lambda code: -votes[code][0])[:_MOST_NEIGHBOURING]:
            evidence = found.setdefault(code, _Evidence())
            evidence.votes, evidence.nearest = votes[code]
            evidence.is_nearest = code == first

    def _told(self, row: int, code: int, own: int, evidence: _Evidence, titled: int) -> Iterable[tuple[int, float]]:
        title, text = evidence.title, evidence.text
        both = title + text
        told = {
            "in title": bool(title),
            "times in title": math.log1p(len(title)),
            "in text": bool(text),
            "times in text": math.log1p(len(text)),
            "first in title": any(rank == 0 for rank, _, _ in title),
            "rank in title": min((rank for rank, _, _ in title), default=0) / 4,
            "alone in title": bool(title) and titled == 1,
            "first in text": any(rank == 0 for rank, _, _ in text),
            "inside a longer one": bool(both) and all(mention.inside for _, mention, _ in both),
            "broader than what is written": bool(both) and all(broad for _, _, broad in both),
            "listed before another": any(mention.lists_after for _, mention, _ in title),
            "listed after another": any(mention.lists_before for _, mention, _ in title),
            "told elsewhere": bool(evidence.elsewhere),
            "odds elsewhere": max(evidence.elsewhere, default=0.0),
            "places elsewhere": math.log1p(len(evidence.elsewhere)),
            "goes together": bool(evidence.together),
            "odds together": max(evidence.together, default=0.0),
            "values together": math.log1p(len(evidence.together)),
            "among neighbours": evidence.votes > 0,
            "share of neighbours": evidence.votes,
            "nearest with it": evidence.nearest,
            "is the nearest's": evidence.is_nearest,
            "share in catalogue": _share(self._counts[code], self._total, code == own, own >= 0),
        }
        for feature, group in (
            ("share in category", self._by_category.get(self._columns.categories[row])),
            ("share in brand", self._by_brand.get(self._columns.brands[row])),
        ):
            if group is not None:
                told[feature] = _share(group.counts.get(code, 0), group.total, code == own, own >= 0)
        for feature, value in told.items():
            if value:
                yield _AT[feature], float(value)
        if code in self._own_weight:
            yield self._own_weight[code], 1.0


def _share(count: float, total: float, is_own: bool, has_own: bool) -> float:
    """Log of the share of a value, from which the product itself is left out; 0 for all, below for fewer."""
    return math.log((count - is_own + 0.1) / (total - has_own + 1.0))


def _groups(groups: Sequence[object], codes: Ints, learned: Ints) -> Mapping[object, _Group]:
    """Group → how often its products have each value; products of no group are left out."""
    counts: dict[object, Counter[int]] = {}
    for row, code in zip(learned.tolist(), codes[learned].tolist(), strict=True):
        if groups[row]:
            counts.setdefault(groups[row], Counter())[code] += 1
    return {
        group: _Group(each, each.total(), tuple(code for code, _ in each.most_common(_MOST_COMMON)))
        for group, each in counts.items()
    }


def _targets(name: str, vocabulary: Vocabulary) -> Mapping[Phrase, list[tuple[int, bool]]]:
    """Phrase → the values that it names; whether it names a shade of the value."""
    found: dict[Phrase, dict[int, bool]] = {}
    texts = {code: form.value for code, form in enumerate(vocabulary.forms) if isinstance(form.value, str)}
    for code, text in texts.items():
        written = phrase(text)
        if 0 < len(written) <= _LONGEST_VALUE and sum(map(len, written)) > 1 and not _only_digits(written):
            found.setdefault(written, {})[code] = False
    kind = kind_of(name, (text for code, text in texts.items() for _ in range(int(vocabulary.counts[code]))))
    if kind:
        owners: dict[str, int] = {}
        for code in sorted(texts, key=lambda code: (-int(vocabulary.counts[code]), code)):
            owners.setdefault(meaning_of(kind, texts[code]), code)
        for spelling, meant in spellings(kind).items():
            for each in meant:
                owner, broad = each, False
                while owner and owner not in owners:
                    owner, broad = meanings(kind)[owner].broader, True
                if owner:
                    found.setdefault(spelling, {}).setdefault(owners[owner], broad)
    return {spelling: list(codes.items()) for spelling, codes in found.items()}


def _only_digits(written: Phrase) -> bool:
    return all(token.replace(".", "").isdigit() for token in written)
