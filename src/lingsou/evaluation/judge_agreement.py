"""How far judges agree beyond chance: Cohen's weighted kappa for two, Krippendorff's alpha for more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.evaluation.judging import GRADES, Grading, by_query

Floats = NDArray[np.float64]
RESAMPLES = 2_000


@dataclass(frozen=True)
class Agreement:
    """Agreement of judges on what at least two of them graded."""

    statistic: Literal["weighted kappa", "alpha"]
    value: float | None
    """1 is full agreement, 0 what chance gives; none where all gave one and the same grade, so nothing can be told."""
    low: float | None
    high: float | None
    """95 % interval by bootstrap over queries; none with fewer than two queries."""
    same: float
    """Share of pairs of grades that are equal."""
    judges: tuple[str, ...]
    queries: int
    products: int
    """Pairs of query and product that at least two judges graded."""


def agreement(gradings: Iterable[Grading], *, resamples: int = RESAMPLES, seed: int = 7) -> Agreement | None:
    """Agreement of the judges, one grade for each pair and judge; none where no two graded the same pair.

    The interval resamples whole queries: grades of one query are not independent. Source: Efron & Tibshirani,
    "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    shared = [units for each in by_query(gradings).values() if (units := _shared(each))]
    judges = tuple(sorted({judge for units in shared for unit in units for judge in unit}))
    if not judges:
        return None
    two = len(judges) == 2
    tables = np.array([sum(_joint(unit, judges) if two else _coincidences(unit) for unit in units) for units in shared])
    statistic = weighted_kappa if two else krippendorff_alpha
    whole = tables.sum(axis=0)
    value = float(statistic(whole))
    low, high = _interval(tables, resamples, seed, two)
    return Agreement(
        statistic="weighted kappa" if two else "alpha",
        value=value if np.isfinite(value) else None,
        low=low,
        high=high,
        same=float(np.trace(whole) / whole.sum()),
        judges=judges,
        queries=len(shared),
        products=sum(map(len, shared)),
    )


def weighted_kappa(joint: Floats) -> Floats:
    """Cohen's kappa with quadratic weights of tables [..., grades, grades]: how often one judge said i, the other j.

    NaN where both judges gave one and the same grade throughout.
    Source: Cohen, "Weighted kappa", Psychological Bulletin 70(4), 1968.
    """
    grades = np.arange(joint.shape[-1])
    weights = (grades[:, None] - grades) ** 2.0
    total = joint.sum(axis=(-1, -2))
    chance = joint.sum(axis=-1)[..., :, None] * joint.sum(axis=-2)[..., None, :]
    return _beyond_chance((weights * joint).sum(axis=(-1, -2)) * total, (weights * chance).sum(axis=(-1, -2)))


def krippendorff_alpha(coincidences: Floats) -> Floats:
    """Krippendorff's alpha for ordinal grades, of coincidence tables [..., grades, grades].

    A product graded by m judges adds 1 / (m − 1) for each ordered pair of its grades. NaN where all are equal.
    Source: Krippendorff, "Computing Krippendorff's alpha-reliability", 2011.
    """
    counts = coincidences.sum(axis=-1)
    total = counts.sum(axis=-1)
    upto = counts.cumsum(axis=-1) - counts / 2  # mid-ranks: their difference is the ordinal distance
    weights = (upto[..., :, None] - upto[..., None, :]) ** 2
    chance = counts[..., :, None] * counts[..., None, :]
    return _beyond_chance(
        (weights * coincidences).sum(axis=(-1, -2)) * (total - 1), (weights * chance).sum(axis=(-1, -2))
    )


def _beyond_chance(observed: Floats, expected: Floats) -> Floats:
    """1 − observed / expected disagreement; NaN where none is expected."""
    share = np.divide(observed, expected, out=np.full(np.shape(observed), np.nan), where=expected > 0)
    return np.asarray(1 - share)


def _shared(gradings: Iterable[Grading]) -> list[dict[str, int]]:
    """Judge → grade of each product that at least two judges graded."""
    units: dict[str, dict[str, int]] = {}
    for each in gradings:
        units.setdefault(each.product_id, {})[each.judge] = each.grade
    return [unit for unit in units.values() if len(unit) > 1]


def _joint(unit: dict[str, int], judges: tuple[str, ...]) -> Floats:
    table = np.zeros((len(GRADES), len(GRADES)))
    table[unit[judges[0]], unit[judges[1]]] = 1
    return table


def _coincidences(unit: dict[str, int]) -> Floats:
    counts = np.bincount(list(unit.values()), minlength=len(GRADES)).astype(np.float64)
    return np.asarray((np.outer(counts, counts) - np.diag(counts)) / (counts.sum() - 1))


def _interval(tables: Floats, resamples: int, seed: int, two: bool) -> tuple[float | None, float | None]:
    queries = len(tables)
    if queries < 2:
        return None, None
    times = np.random.default_rng(seed).multinomial(queries, np.full(queries, 1 / queries), size=resamples)
    drawn = (times @ tables.reshape(queries, -1)).reshape(resamples, *tables.shape[1:])
    values = weighted_kappa(drawn) if two else krippendorff_alpha(drawn)
    values = values[np.isfinite(values)]  # a draw in which every grade is the same tells nothing
    if not len(values):
        return None, None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
