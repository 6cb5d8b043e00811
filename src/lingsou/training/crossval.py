"""k-fold cross-validation: every group of rows is measured once, by a model that has not seen it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.folds import folds_of
from lingsou.training.data.content import identities, joined
from lingsou.training.examples import ExampleSet, Splits

S = TypeVar("S", bound=ExampleSet)


@dataclass(frozen=True)
class Spread:
    """A figure over the folds."""

    folds: Sequence[float]
    mean: float
    deviation: float
    """Standard deviation of the folds, by n − 1. That of the mean is smaller, but the folds share training rows."""


def spreads(folds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Metric → its values, of two folds or more that have the same metrics."""
    found = {}
    for name in folds[0]:
        values = [float(each[name]) for each in folds]
        found[name] = Spread(values, float(np.mean(values)), float(np.std(values, ddof=1)))
    return found


def folds(examples: S, k: int, seed: int, alone: S | None = None) -> Iterator[Splits[S]]:
    """`k` times the set cut in three: fold i to measure by, the fold after it to choose by, the others to learn from.

    Rows of one key (query, text, shopper) stay together. Every row is in exactly one of the `k` test parts, but for
    those that say the same as a row of `alone`: these are learned from and never measured by.

    Raises:
        InputError: fewer than three folds, or fewer different keys than folds.
    """
    if k < 3:
        raise InputError(f"{k} folds leave none to learn from.", field="k", cure="3 or more; 5 and 10 are usual.")
    if alone is not None:
        known = set(identities(alone, alone.keys()))
        said = identities(examples, examples.keys())
        examples = examples.take(np.flatnonzero([each not in known for each in said]))
    fold = folds_of(examples.keys(), k, seed)
    parts = (_cut(examples, fold, test, (test + 1) % k) for test in range(k))
    return parts if alone is None else (_with(part, alone) for part in parts)


def _with(parts: Splits[S], alone: S) -> Splits[S]:
    held = {*parts.validation.keys(), *parts.test.keys()}
    keys = alone.keys()
    free = np.flatnonzero([key not in held for key in keys])
    return Splits(joined([parts.train, alone.take(free)]), parts.validation, parts.test)


def _cut(examples: S, fold: NDArray[np.int64], test: int, validation: int) -> Splits[S]:
    learn = np.flatnonzero((fold != test) & (fold != validation))
    return Splits(
        examples.take(learn),
        examples.take(np.flatnonzero(fold == validation)),
        examples.take(np.flatnonzero(fold == test)),
    )
