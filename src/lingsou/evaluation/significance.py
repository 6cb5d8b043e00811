"""How sure a mean, or a difference of two means, is. Everything is seeded: same values, same answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingsou.core.errors import InputError

RESAMPLES = 10_000
_CELLS = 4_000_000  # of the largest resampling matrix held at once: 32 MB
_EXACT = 13  # up to so many queries, all 2^n sign patterns are fewer than the resamples


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds of its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """System a against system b on the same queries: mean of a − b with interval, and the p of no difference."""

    difference: Interval
    p: float


def bootstrap_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 7
) -> Interval:
    """Percentile bootstrap interval of the mean of `values` (queries,).

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. Cost: `resamples` × queries
    random numbers, in blocks of 32 MB.

    Raises:
        InputError: no value, a value that is not finite, or a confidence outside (0, 1).
    """
    sample = _sample(values)
    if not 0 < confidence < 1:
        raise InputError(f"The confidence is {confidence}.", cure="Use a value between 0 and 1, such as 0.95.")
    random = np.random.default_rng(seed)
    means = _blockwise(
        resamples,
        len(sample),
        lambda rows: sample[random.integers(0, len(sample), size=(rows, len(sample)))].mean(axis=1),
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(sample.mean()), float(low), float(high))


def compare(a: ArrayLike, b: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 7) -> Comparison:
    """Compare two systems by their values on the same queries, in the same order.

    Raises:
        InputError: different lengths, or values that are not finite.
    """
    differences = _differences(a, b)
    return Comparison(
        bootstrap_interval(differences, resamples=resamples, seed=seed),
        randomisation_p(a, b, resamples=resamples, seed=seed),
    )


def randomisation_p(a: ArrayLike, b: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 7) -> float:
    """Two-sided p of the paired randomisation test: how often chance signs give as large a mean difference.

    Exact over all sign patterns for up to 13 queries; sampled above, as (hits + 1) / (resamples + 1).
    Source: Smucker, Allan & Carterette, "A comparison of statistical significance tests for information
    retrieval evaluation", CIKM 2007.

    Raises:
        InputError: different lengths, or values that are not finite.
    """
    differences = _differences(a, b)
    queries = len(differences)
    observed = abs(differences.sum())
    slack = 1e-12 * max(1.0, float(np.abs(differences).sum()))  # sums of the same numbers in another order

    if queries <= _EXACT:
        patterns = (np.arange(2**queries)[:, None] >> np.arange(queries)) & 1
        return float(np.mean(np.abs((1 - 2 * patterns) @ differences) >= observed - slack))
    random = np.random.default_rng(seed)
    sums = _blockwise(
        resamples,
        queries,
        lambda rows: (1 - 2 * random.integers(0, 2, size=(rows, queries), dtype=np.int8)) @ differences,
    )
    return float((np.count_nonzero(np.abs(sums) >= observed - slack) + 1) / (resamples + 1))


def holm(ps: ArrayLike) -> NDArray[np.float64]:
    """The p of each of several tests [n], raised so that all of them together err with the chance that each states.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics, 1979.
    """
    given = np.asarray(ps, np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    found = np.empty_like(given)
    found[order] = np.minimum(raised, 1.0)
    return found


def _blockwise(rows: int, width: int, draw: Callable[[int], NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([draw(size) for size in _block_sizes(rows, max(1, _CELLS // max(1, width)))])


def _block_sizes(total: int, block: int) -> Iterator[int]:
    for start in range(0, total, block):
        yield min(block, total - start)


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all():
        raise InputError(
            "Expected one finite value for each of at least one query.", cure="Leave no query without one."
        )
    return sample


def _differences(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    first, second = _sample(a), _sample(b)
    if len(first) != len(second):
        raise InputError(
            f"{len(first)} values cannot be paired with {len(second)}.",
            cure="Evaluate both systems on the same queries.",
        )
    return first - second
