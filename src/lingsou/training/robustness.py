"""Example sets with their texts perturbed as people type them: the same rows, the same truth."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from lingsou.training.augment import Augmenter, Generator
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Rows, TagSet, TextSet

S = TypeVar("S", bound=ExampleSet)


def perturbed(examples: S, kind: str, rng: Generator) -> S:
    """The set with every text perturbed that can be: queries of pairs, all texts of other sets.

    Args:
        examples: they stay as they are.
        kind: of `lingsou.training.augment.PERTURBATIONS`.
        rng: decides everything.

    Raises:
        ConfigurationError: there is no such perturbation.
    """
    return Augmenter({kind: 1.0})(examples, rng)


def changed(before: ExampleSet, after: ExampleSet) -> float:
    """Share of the texts that a perturbation made other ones: pinyin leaves English alone. 0 for no texts."""
    pairs = list(zip(_typed(before), _typed(after), strict=True))
    return sum(old != new for old, new in pairs) / max(len(pairs), 1)


def few(examples: ExampleSet) -> Rows:
    """The first rows that bring a label, grade or kind that none before them had: enough for a head's names."""
    met: set[object] = set()
    rows = []
    for row in range(len(examples)):
        names = _names(examples, row)
        if not row or not names <= met:
            rows.append(row)
            met |= names
    return np.array(rows, np.int64)


def _names(examples: ExampleSet, row: int) -> set[object]:
    if isinstance(examples, LabelSet):
        return set(examples.given[row])
    if isinstance(examples, TagSet):
        return {span.kind for span in examples.spans[row]}
    return {float(examples.grades[row])} if isinstance(examples, PairSet) else set()


def _typed(examples: ExampleSet) -> Sequence[str]:
    if isinstance(examples, PairSet):
        return examples.queries
    assert isinstance(examples, LabelSet | TagSet | HistorySet | TextSet)
    return examples.texts
