"""Which of its candidates a product's attribute is: learned from the products that have the attribute.

Each labelled product is a choice among its candidates, "none of them" included (conditional logit, McFadden 1974).
A labelled product is judged by weights that were learned without it. The chance of the best candidate is then
calibrated by isotonic regression of such out-of-fold chances on whether they were right (Zadrozny & Elkan, KDD 2002).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute, AttributeValue
from lingsou.models.choice import Choices, conditional_logit
from lingsou.quality.attributes.calibration import calibrated
from lingsou.quality.attributes.candidates import NONE, Candidates, Gatherer
from lingsou.quality.attributes.elsewhere import Catalogue
from lingsou.quality.attributes.neighbours import Neighbours, neighbours
from lingsou.quality.attributes.rule import by_rule
from lingsou.quality.attributes.vocabulary import Vocabulary, key_of, vocabulary_of
from lingsou.quality.columns import Columns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_LABELLED = 50
"""Fewer products with the attribute teach nothing; only what texts name by the lexicon is then read."""
_MOST_LEARNED = 5_000
_FOLDS = 3
_RIDGE = 1.0
_BLOCK = 20_000
_UNKNOWN = 0.5
"""The chance of a given value where there is nothing to learn it from."""


@dataclass(frozen=True)
class Suggestions:
    """What an attribute of each of N products most likely is, whether it has one or not."""

    values: Sequence[AttributeValue | None]
    """In the catalogue's commonest form; none where nothing suggests one, [N]."""
    units: Sequence[str | None]
    """[N]"""
    confidence: Floats
    """That the value is the one that the shop would give, 0 where there is none, [N]."""
    given: Floats
    """The chance, before calibration, of the value that the product has; NaN where it has none, [N]."""
    named: NDArray[np.bool_]
    """Title or texts name the suggested value, [N]."""
    given_named: NDArray[np.bool_]
    """They name the value that the product has, [N]."""
    same: NDArray[np.bool_]
    """The suggested value is the one that the product has, however it writes it, [N]."""

    def of(self, places: Ints) -> "Suggestions":
        """Those for some of the products."""
        return Suggestions(
            [self.values[place] for place in places.tolist()],
            [self.units[place] for place in places.tolist()],
            self.confidence[places],
            self.given[places],
            self.named[places],
            self.given_named[places],
            self.same[places],
        )

    def attributes(self) -> list[Attribute | None]:
        """Values with their units, [N]."""
        return [
            None if value is None else Attribute(value=value, unit=unit)
            for value, unit in zip(self.values, self.units, strict=True)
        ]


def extract(columns: Columns, name: str) -> Suggestions:
    """Read an attribute from titles and texts.

    With 50 products that have it, learned from them: their values, and all spellings of these in both languages, are
    looked for. With fewer, the first value of the lexicon (colours, materials, genders, patterns) that a title names,
    with less confidence. The same columns give the same suggestions.

    Cost: about 0.5 ms a product.

    Args:
        columns: N products.
        name: of an attribute, which need not occur.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    return complete_in(Catalogue(columns, None), name)


def complete(columns: Columns, name: str, like: Neighbours | None = None) -> Suggestions:
    """What an attribute is by titles and texts, by the products most like it, and by the other attributes.

    Args:
        columns: N products.
        name: of an attribute.
        like: `neighbours(columns)`, made once for several attributes; none: made here.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    return complete_in(Catalogue(columns, neighbours(columns) if like is None else like), name)


def complete_in(catalogue: Catalogue, name: str, rows: Ints | None = None) -> Suggestions:
    """As `complete`, for several attributes of one catalogue, and for some of its products only: [len(rows)]."""
    vocabulary = vocabulary_of(catalogue.columns.attributes, name)
    labelled = np.flatnonzero(vocabulary.codes >= 0)
    rows = np.arange(len(catalogue.columns)) if rows is None else rows
    if len(labelled) < LEAST_LABELLED:
        return _read_by_rule(catalogue.columns, name, vocabulary, rows)
    gatherer = Gatherer(catalogue, name, vocabulary, labelled)
    sample = np.sort(np.random.default_rng(0).permutation(labelled)[:_MOST_LEARNED])
    folds = np.random.default_rng(1).permutation(np.arange(len(sample)) % _FOLDS)
    learned = gatherer.gather(sample.tolist())
    *without, of_all = _learned(learned, vocabulary.codes[sample], folds)
    verdicts = _Verdicts(len(vocabulary.codes))
    verdicts.add(sample, learned, _out_of_fold(learned, without, folds), vocabulary.codes)
    judged = sample[verdicts.best[sample] >= 0]
    others = np.setdiff1d(rows, sample)
    for first in range(0, len(others), _BLOCK):
        block = others[first : first + _BLOCK]
        found = gatherer.gather(block.tolist())
        verdicts.add(block, found, found.features @ of_all, vocabulary.codes)
    best, chance = verdicts.best[rows], verdicts.chance[rows]
    confidence = np.zeros(len(rows))
    # What texts name and what only others suggest are right at different rates for the same chance.
    for kind in (True, False):
        of_kind = judged[verdicts.named[judged] == kind]
        asked = (best >= 0) & (verdicts.named[rows] == kind)
        if len(of_kind):
            right = (verdicts.best == vocabulary.codes)[of_kind]
            confidence[asked] = calibrated(verdicts.chance[of_kind], right, chance[asked])
    forms = [vocabulary.forms[code] if code >= 0 else None for code in best.tolist()]
    return Suggestions(
        [None if form is None else form.value for form in forms],
        [None if form is None else form.unit for form in forms],
        confidence,
        verdicts.given[rows],
        verdicts.named[rows],
        verdicts.given_named[rows],
        (best >= 0) & (best == vocabulary.codes[rows]),
    )


def _learned(candidates: Candidates, own: Ints, folds: Ints) -> list[Floats]:
    """Weights without each fold, and last those of all."""
    per_row = np.repeat(np.arange(len(own)), np.diff(candidates.starts))
    taken = candidates.codes == own[per_row]
    missed = np.ones(len(own), bool)
    missed[per_row[taken]] = False
    taken[candidates.starts[1:][missed] - 1] = True
    choices = Choices(candidates.starts, candidates.features, taken)
    return [conditional_logit(choices.of(np.flatnonzero(folds != fold)), _RIDGE) for fold in range(_FOLDS)] + [
        conditional_logit(choices, _RIDGE)
    ]


def _out_of_fold(candidates: Candidates, without: list[Floats], folds: Ints) -> Floats:
    """Scores of candidates by the weights learned without their product, [m]."""
    scores = np.stack([candidates.features @ weights for weights in without], axis=1)
    return np.asarray(scores[np.arange(len(scores)), np.repeat(folds, np.diff(candidates.starts))], np.float64)


class _Verdicts:
    """The best candidate of each of n products, its chance, and that of the value which the product has."""

    def __init__(self, n: int):
        self.best = np.full(n, NONE, np.int64)
        self.chance, self.given = np.zeros(n), np.full(n, np.nan)
        self.named, self.given_named = np.zeros(n, bool), np.zeros(n, bool)

    def add(self, rows: Ints, found: Candidates, scores: Floats, codes: Ints) -> None:
        """Judge `rows` by the scores [m] of their candidates."""
        starts, groups = found.starts, np.repeat(np.arange(len(rows)), np.diff(found.starts))
        chances = np.exp(scores - np.maximum.reduceat(scores, starts[:-1])[groups])
        chances /= np.add.reduceat(chances, starts[:-1])[groups]
        of = rows[groups]
        known = found.codes != NONE
        own = known & (found.codes == codes[of])
        # A value that is no candidate has at most the chance that none of them is right.
        self.given[rows] = np.where(codes[rows] >= 0, chances[starts[1:] - 1], np.nan)
        self.given[of[own]], self.given_named[of[own]] = chances[own], found.named[own]
        tops = np.lexsort((found.codes, -chances * known, groups))[starts[:-1]]
        tops = tops[known[tops]]
        self.best[of[tops]], self.chance[of[tops]] = found.codes[tops], chances[tops]
        self.named[of[tops]] = found.named[tops]


def _read_by_rule(columns: Columns, name: str, vocabulary: Vocabulary, rows: Ints) -> Suggestions:
    read, sure = by_rule(columns, name, vocabulary)
    codes = vocabulary.codes[rows]
    values = [read[row] for row in rows.tolist()]
    same = [
        value is not None and code >= 0 and key_of(value) == vocabulary.keys[code]
        for value, code in zip(values, codes.tolist(), strict=True)
    ]
    return Suggestions(
        values,
        [None] * len(rows),
        sure[rows],
        np.where(codes >= 0, _UNKNOWN, np.nan),
        np.array([value is not None for value in values], bool),
        np.zeros(len(rows), bool),
        np.array(same, bool),
    )
