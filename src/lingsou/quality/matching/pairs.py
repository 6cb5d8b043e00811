"""What tells whether two records are one product: what they share, what they lack, and who else comes into question."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.matching.records import Records, designations, grams, numbers, words
from lingsou.quality.matching.terms import MEASURES, RAREST, Nearest, TermSpace, nearest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CANDIDATES = 50
_BLOCK = 20_000
_CLOSE = 1e-6


@dataclass(frozen=True)
class _Kind:
    name: str
    field: str
    terms: Callable[[str], list[str]]
    rarest: bool = False
    rivals: bool = False
    """Whether the pair is compared with the best other match of either record by these terms."""
    suggests: float = 0.0
    """Weight of these terms in the choice of candidates."""


_KINDS = (
    _Kind("title-words", "titles", words, rarest=True, rivals=True, suggests=1.0),
    _Kind("title-grams", "titles", grams, rivals=True, suggests=1.0),
    _Kind("title-numbers", "titles", numbers, rarest=True),
    _Kind("title-designations", "titles", designations, rarest=True, rivals=True, suggests=0.5),
    _Kind("text-words", "texts", words, rarest=True, rivals=True, suggests=0.5),
    _Kind("text-designations", "texts", designations),
    _Kind("brand", "brands", words),
)
_TEXT = next(number for number, kind in enumerate(_KINDS) if kind.name == "text-words")
_RIVALRY = ("lead-least", "lead-most", "better-least", "better-most")
_PRICES = ("price-ratio", "price-missing")


def _names() -> tuple[str, ...]:
    found: list[str] = []
    for kind in _KINDS:
        measures = (*MEASURES, *(RAREST if kind.rarest else ()), *(_RIVALRY if kind.rivals else ()))
        found += [f"{kind.name}.{measure}" for measure in measures]
    return (*found, *_PRICES)


NAMES = _names()
"""Columns of `PairFeatures.of`. All are the same when the two records change places."""


class PairFeatures:
    """Features of pairs of records of one catalogue, or of two that are to be joined."""

    def __init__(self, records: Records, sides: Ints | None = None):
        """Read the terms of all records.

        Args:
            records: N records.
            sides: the source of each, [N], when only records of different sources can be the same product.
        """
        self._records, self._sides = records, sides
        self._spaces = [TermSpace(getattr(records, kind.field), kind.terms) for kind in _KINDS]
        self._nearest = [
            nearest(space.units(), CANDIDATES, sides) if kind.rivals else None
            for kind, space in zip(_KINDS, self._spaces, strict=True)
        ]

    def candidates(self, k: int = CANDIDATES, of_text: int = 0) -> tuple[Ints, Ints]:
        """Pairs worth a look, each once: the k records most like each one, and those with its trade item number.

        Args:
            k: by titles first, then by texts.
            of_text: so many more, at most `CANDIDATES`, by texts alone: they may be the same under titles that differ.
        """
        sparse = require("scipy", "quality", "scipy.sparse")
        kinds = zip(_KINDS, self._spaces, strict=True)
        units = sparse.hstack(
            [kind.suggests**0.5 * space.units() for kind, space in kinds if kind.suggests], format="csr"
        )
        found = nearest(units, k, self._sides).records
        left, place = np.nonzero(found >= 0)
        parts = [np.stack([left, found[left, place]])]
        if of_text:
            by_text = self._nearest[_TEXT]
            assert by_text is not None
            left, place = np.nonzero(by_text.records[:, :of_text] >= 0)
            parts.append(np.stack([left, by_text.records[left, place]]))
        if known := self._of_one_number():
            parts.append(np.array(known, np.int64).T)
        left, right = np.concatenate(parts, axis=1)
        pairs = np.unique(np.stack([np.minimum(left, right), np.maximum(left, right)]), axis=1)
        return pairs[0], pairs[1]

    def of(self, left: Ints, right: Ints) -> Floats:
        """The features `NAMES` of pairs [n]: [n, f], NaN for unknown. In blocks, so memory follows the result."""
        blocks = range(0, len(left), _BLOCK)
        parts = [self._block(left[first : first + _BLOCK], right[first : first + _BLOCK]) for first in blocks]
        return np.concatenate(parts) if parts else np.zeros((0, len(NAMES)))

    def _block(self, left: Ints, right: Ints) -> Floats:
        columns = []
        for kind, space, near in zip(_KINDS, self._spaces, self._nearest, strict=True):
            compared = space.compare(left, right, rarest=kind.rarest)
            columns.append(compared)
            if near is not None:
                columns.append(_rivalry(near, compared[:, 0], left, right))
        prices = np.stack([self._records.prices[left], self._records.prices[right]])
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(np.log(prices[0] / prices[1]))
        missing = np.isnan(prices).sum(axis=0)
        columns.append(np.stack([np.where(np.isfinite(ratio), ratio, np.nan), missing], axis=1))
        return np.concatenate(columns, axis=1)

    def _of_one_number(self) -> list[tuple[int, int]]:
        """Records with a trade item number in common, each with the next one of that number."""
        last: dict[str, int] = {}
        found = []
        for row, gtins in enumerate(self._records.gtins):
            for gtin in gtins:
                other = last.get(gtin)
                if other is not None and (self._sides is None or self._sides[other] != self._sides[row]):
                    found.append((other, row))
                last[gtin] = row
        return found


def _rivalry(near: Nearest, cosines: Floats, left: Ints, right: Ints) -> Floats:
    """How far each record's pair is ahead of its best other match, and how many matches are better: [n, 4]."""
    own = np.nan_to_num(cosines)
    leads, better = [], []
    for record, other in ((left, right), (right, left)):
        listed, scores = near.records[record], near.cosines[record]
        rivals = np.where(listed == other[:, None], -np.inf, scores)
        leads.append(own - np.maximum(rivals.max(axis=1), 0.0))
        better.append((rivals > own[:, None] + _CLOSE).sum(axis=1))
    return np.concatenate([np.sort(leads, axis=0), np.sort(better, axis=0)]).T
