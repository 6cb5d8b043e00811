"""Audit `unlikely-price`: prices with a slipped decimal point, or in cents.

The streaming check `price` knows no more than the category. Here text, brand and neighbours predict each price, and
trees (`lingsou.quality.contrast`) learn to tell the prices of the shop from the same ones times and divided by 10 and
100. How the prices of a shop look helps them: where prices end in 99, one that ends in 990 stands out.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.audit import Flags
from lingsou.quality.check import Edit, Severity
from lingsou.quality.columns import Columns
from lingsou.quality.contrast import fault_chances, log_ratios
from lingsou.quality.fields import visible
from lingsou.quality.folds import EXTRA, condensed, folds, letters, neighbours, words
from lingsou.quality.tally import Problem

MIN_ROWS = 200
LINE = 0.5
FACTORS = (10.0, 100.0, 0.1, 0.01)
_SURE = 0.7
_NEIGHBOURS = 20
_LEAST_SPREAD = 0.1
_TITLE = 90

_HIGH = Problem("warning", "price likely too high by a slip of the decimal point", "Compare it with the source.")
_LOW = Problem("warning", "price likely too low by a slip of the decimal point", "Compare it with the source.")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class UnlikelyPrice:
    """Compares each price with what text, brand, category and like products let one expect, in the main currency."""

    id: ClassVar[str] = "unlikely-price"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "The shop sells below cost, or shoppers laugh and leave."

    def judge(self, columns: Columns) -> list[Flags]:
        """Prices that are likely too high, then those that are likely too low."""
        wrong = chances_of_slips(columns)
        if wrong is None:
            return []
        factor = wrong.argmax(axis=1)
        chance = wrong.max(axis=1)
        flagged = chance >= LINE
        high = np.array(FACTORS)[factor] > 1
        made = [
            _flags(columns, problem, np.nonzero(flagged & side)[0], factor, chance)
            for problem, side in ((_HIGH, high), (_LOW, ~high))
        ]
        return [each for each in made if len(each)]


def chances_of_slips(columns: Columns) -> Floats | None:
    """That each price is the true one times each of `FACTORS` [N, 4]; 0 where it is not judged. None: too few prices.

    Raises:
        MissingExtraError: scikit-learn, SciPy or LightGBM is not installed.
    """
    priced = np.nan_to_num(columns.prices) > 0
    codes, code = np.unique(np.array(columns.currencies, object).astype(str), return_inverse=True)
    main = np.bincount(code[priced], minlength=max(1, len(codes))).argmax() if priced.any() else 0
    known = np.nonzero(priced & (code == main))[0]
    if len(known) < MIN_ROWS:
        return None
    facts = _Facts(columns, known)
    real = facts.of(facts.logs)
    owner = np.arange(len(known))
    wrong = np.zeros((len(columns), len(FACTORS)))
    for number, factor in enumerate(FACTORS):
        made = facts.of(facts.logs + np.log(factor))
        wrong[known, number] = fault_chances(*log_ratios(real, made, owner, seed=number))
    return wrong


class _Facts:
    """What the rest of the catalogue says of the prices of n products."""

    def __init__(self, columns: Columns, known: Ints):
        table = words(columns), letters(columns)
        self.logs = np.log(columns.prices[known])
        near, cosines = neighbours(condensed(table)[known], np.arange(len(known)), _NEIGHBOURS)
        self._near, self._cosines = self.logs[near], cosines
        self._centre, self._spread = _weighted_median(self._near, np.maximum(cosines, 0.0) ** 4 + 1e-6)
        self._expected = np.stack([_expected(each[known], self.logs, seed) for seed, each in enumerate(table)], axis=1)
        brands = [columns.brands[place].casefold() for place in known.tolist()]
        categories = [columns.categories[place] for place in known.tolist()]
        self._groups = [_median_of_others(_numbers(keys), self.logs) for keys in (brands, categories)]
        cents = np.round(100 * columns.prices[known]).astype(np.int64)
        self._common = dict(zip(*(each.tolist() for each in np.unique(cents, return_counts=True)), strict=True))
        self._own = cents

    def of(self, logs: Floats) -> Floats:
        """[n, features] of each product at a price, whose logarithm is given [n]."""
        cents = np.round(100 * np.exp(logs)).astype(np.int64)
        common = np.array([self._common.get(value, 0) for value in cents.tolist()], float) - (cents == self._own)
        ends = [(cents % 10**digits == 0) for digits in (1, 2, 3, 4)]
        far = np.abs(self._near - logs[:, None])
        return np.stack(
            [
                *(logs - expected for expected in self._expected.T),
                logs - self._centre,
                (logs - self._centre) / self._spread,
                self._spread,
                far.min(axis=1),
                far[:, 0],
                (far < 0.3).mean(axis=1),
                logs - self._near.min(axis=1),
                logs - self._near.max(axis=1),
                self._cosines[:, 0],
                self._cosines[:, 4],
                *(value for centre, spread, rows in self._groups for value in (logs - centre, spread, rows)),
                logs,
                common,
                np.sum(ends, axis=0),
                (cents // 100) % 10,
                (cents // 1000) % 10,
            ],
            axis=1,
        )


def _expected(table: Any, logs: Floats, seed: int) -> Floats:
    """Logarithm of each price as its text alone lets one expect, by ridge regression that has not seen it [n]."""
    linear = require("scikit-learn", EXTRA, "sklearn.linear_model")
    found = np.empty(len(logs))
    # A price far off counts like one that is three spreads off.
    centre, spread = np.median(logs), 1.4826 * np.median(np.abs(logs - np.median(logs))) + _LEAST_SPREAD
    clipped = np.clip(logs, centre - 3 * spread, centre + 3 * spread)
    for train, test in folds(np.arange(len(logs)), seed):
        model = linear.Ridge(alpha=0.5, solver="sparse_cg", tol=1e-3, max_iter=60)
        found[test] = model.fit(table[train], clipped[train]).predict(table[test])
    return found


def _weighted_median(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Median of each row, and the median distance from it, as a standard deviation."""
    centre = _row_median(values, weights)
    return centre, 1.4826 * _row_median(np.abs(values - centre[:, None]), weights) + _LEAST_SPREAD


def _row_median(values: Floats, weights: Floats) -> Floats:
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, 1)
    part = np.cumsum(np.take_along_axis(weights, order, 1), axis=1)
    place = (part < part[:, -1:] / 2).sum(axis=1)
    return np.asarray(ordered[np.arange(len(values)), place])


def _numbers(keys: list[Any]) -> Ints:
    known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], np.int64)


def _median_of_others(group: Ints, logs: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each row: median and spread of its group, and how many others there are; NaN of groups of fewer than five.

    One row more or less hardly moves the median of five.
    """
    centre, spread = np.full(len(logs), np.nan), np.full(len(logs), np.nan)
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.nonzero(np.diff(group[order]))[0] + 1):
        if len(rows) >= 5:
            middle = np.median(logs[rows])
            centre[rows] = middle
            spread[rows] = 1.4826 * np.median(np.abs(logs[rows] - middle)) + _LEAST_SPREAD
    others = np.asarray(np.bincount(group)[group] - 1, np.float64)
    return centre, spread, others


def _flags(columns: Columns, problem: Problem, places: Ints, factor: Ints, chance: Floats) -> Flags:
    places = places[np.lexsort((places, -chance[places]))]
    evidence, edits, repairs = [], [], []
    for place in places.tolist():
        price, off = float(columns.prices[place]), FACTORS[factor[place]]
        true = round(price / off, 2)
        currency = columns.currencies[place]
        evidence.append(f"{price:,.2f} {currency} for {visible(columns.titles[place])[:_TITLE]}".replace("  ", " "))
        edits.append(Edit(field="price", value=f"{true:.2f}") if chance[place] >= _SURE else None)
        repairs.append(f"Compare it with the source; {true:,.2f} {currency}".rstrip() + " is likelier.")
    return Flags(problem, "price", places, chance[places], evidence, edits, repairs)
