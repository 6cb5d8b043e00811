"""Audit `category`: products that stand in a wrong category, and products without one.

The judged level is the first at which the categories of the shop differ: the main categories, if the paths begin with
them. Linear models, naive Bayes and neighbours (`lingsou.quality.placement`) say which of these categories, and which
shelf below them, a title is likely to have; trees (`lingsou.quality.contrast`) weigh what they say, and how often a
product that looks so stands there.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.audit import Flags
from lingsou.quality.check import Edit, Severity
from lingsou.quality.columns import Category, Columns
from lingsou.quality.contrast import fault_chances, log_ratios
from lingsou.quality.fields import visible
from lingsou.quality.folds import condensed, letters, neighbours, words
from lingsou.quality.placement import MIN_CLASS, MOST_CLASSES, Shelves, bayes, linear, shelves_below, votes
from lingsou.quality.tally import Problem

MIN_ROWS = 200
LINE = 0.5
_MOST = 0.5
_MADE = 3
_NEIGHBOURS = 20
_SUSPECT = 0.003
_TREES_WEIGHT = 0.7
_SHOWN = 3
_SURE = 0.5  # of what to write; else it only says what is likely
_TITLE, _PATH = 90, 90

_WRONG = Problem("warning", "likely in a wrong category", "Compare the title with the category.")
_NONE = Problem("warning", "no category, though most products have one", "Give the category.")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Judgement:
    """What is known of the categories of N products; k of them are judged."""

    names: list[Category]
    """The judged categories, paths from the root, k of them."""
    given: Ints
    """Which of them each product has; −1: none that is judged, [N]."""
    likely: Floats
    """Probability of each, without regard to the one given, [N, k]."""
    doubts: Floats
    """How doubtful the given one is, any scale; NaN where it is not judged, [N]."""
    wrong: Floats
    """Probability that the given one is wrong; 0 where it is not judged, [N]."""
    near: Ints
    """Places of the products most alike that have a judged category, nearest first, [N, neighbours]."""


class WrongCategory:
    """Compares the category of each product with what all others say of such titles."""

    id: ClassVar[str] = "category"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "Who browses or filters by the right category never sees the product."

    def judge(self, columns: Columns) -> list[Flags]:
        """Wrong categories, and missing ones where most products have one."""
        found = judgement(columns)
        return [] if found is None else flags(columns, found)


def flags(columns: Columns, found: Judgement) -> list[Flags]:
    """What `judgement` is sure enough of."""
    wrong = np.nonzero(found.wrong >= LINE)[0]
    without = np.array([not category for category in columns.categories], bool)
    missing = np.nonzero(without if without.mean() < 1 - _MOST else np.zeros(len(columns), bool))[0]
    made = [
        _flags(columns, found, _WRONG, wrong, found.wrong[wrong]),
        _flags(columns, found, _NONE, missing, found.likely[missing].max(axis=1)),
    ]
    return [each for each in made if len(each)]


def judgement(columns: Columns) -> Judgement | None:
    """Every product judged; none if the catalogue is too small, or has one category only.

    Raises:
        MissingExtraError: scikit-learn, SciPy or LightGBM is not installed.
    """
    names, given = _classes(columns.categories)
    known = np.nonzero(given >= 0)[0]
    if len(names) < 2 or len(known) < MIN_ROWS:
        return None
    tables = words(columns), letters(columns)
    vectors = condensed(tables)
    near, cosines = neighbours(vectors, known, _NEIGHBOURS)
    simple = [*bayes(tables, given, len(names)), votes(given[near], cosines, len(names))]
    nobody = np.zeros(len(given), bool)
    first = np.mean([*linear(tables, given, len(names), nobody), *simple], axis=0)
    suspect = np.zeros(len(given), bool)
    suspect[known] = first[known, given[known]] < _SUSPECT
    parts = [*linear(tables, given, len(names), suspect), *simple]
    shelves = shelves_below(columns.categories, names, given)
    on_shelves: list[Floats] = []
    if shelves is not None:
        on_shelves = [*linear(tables[:1], shelves.given, len(shelves), suspect)]
        on_shelves += bayes(tables, shelves.given, len(shelves))
        parts += [shelves.summed(part) for part in on_shelves]
        on_shelves.append(votes(shelves.given[near], cosines, len(shelves)))
    likely = np.mean(parts, axis=0)
    facts = _Facts(columns, given, parts, likely, near, cosines)
    # Categories that a product does not have, drawn evenly.
    owner = np.repeat(np.arange(len(known)), _MADE)
    rng = np.random.default_rng(0)
    other = (given[known[owner]] + rng.integers(1, len(names), len(owner))) % len(names)
    real, made = facts.of(known, given[known]), facts.of(known[owner], other)
    if shelves is not None:
        there = _ShelfFacts(shelves, on_shelves, near)
        real = np.concatenate([real, there.of(known, shelves.given[known])], axis=1)
        made = np.concatenate([made, there.of(known[owner], shelves.drawn(other, rng))], axis=1)
    values, others = log_ratios(real, made, owner)
    values = _TREES_WEIGHT * values + (1 - _TREES_WEIGHT) * _log_odds(likely[known, given[known]])
    others = _TREES_WEIGHT * others + (1 - _TREES_WEIGHT) * _log_odds(likely[known[owner], other])
    doubts, wrong = np.full(len(given), np.nan), np.zeros(len(given))
    doubts[known], wrong[known] = -values, fault_chances(values, others)
    return Judgement(names, given, likely, doubts, wrong, near)


def _classes(categories: Any) -> tuple[list[Category], Ints]:
    """The categories to judge, most frequent first, and which each product has."""
    depth = 1
    while True:
        count = Counter(category[:depth] for category in categories if len(category) >= depth)
        frequent = [name for name, products in count.most_common(MOST_CLASSES) if products >= MIN_CLASS]
        if len(count) != 1:
            break
        depth += 1
    place = {name: number for number, name in enumerate(frequent)}
    return frequent, np.array([place.get(category[:depth], -1) for category in categories], np.int64)


def _log_odds(chance: Floats) -> Floats:
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(chance) - np.log1p(-chance))


class _Facts:
    """What the rest of the catalogue says of a product in a category."""

    def __init__(self, columns: Columns, given: Ints, parts: list[Floats], likely: Floats, near: Ints, cosines: Floats):
        self._given, self._near, self._cosines = given, near, cosines
        self._parts = [np.log(part + 1e-4) for part in parts]
        self._likely = likely
        k = likely.shape[1]
        held = given >= 0
        self._best = likely.argmax(axis=1)
        self._seen = np.zeros((k, k))
        np.add.at(self._seen, (self._best[held], given[held]), 1)
        firsts = [
            (brand or title.split(" ")[0]).casefold()
            for brand, title in zip(columns.brands, columns.titles, strict=True)
        ]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(firsts))}
        self._brand = np.array([numbers[name] for name in firsts], np.int64)
        self._of_brand = np.zeros((len(numbers), k), np.float32)
        np.add.at(self._of_brand, (self._brand[held], given[held]), 1)
        self._prices = np.log(np.where(columns.prices > 0, columns.prices, np.nan))
        self._price_of = np.array([_middle(self._prices[given == name]) for name in range(k)])
        self._share = np.bincount(given[held], minlength=k) / held.sum()

    def of(self, rows: Ints, names: Ints) -> Floats:
        """[rows, features]; the product's own category is left out of every count."""
        own = self._given[rows] == names
        likely, best, brand = self._likely[rows], self._best[rows], self._brand[rows]
        chance = likely[np.arange(len(rows)), names]
        cosines = self._cosines[rows]
        same = self._given[self._near[rows]] == names[:, None]
        weights = np.maximum(cosines, 0.0) ** 4
        seen = self._seen[best, names] - own
        of_brand, brand_all = self._of_brand[brand, names] - own, self._of_brand[brand].sum(axis=1) - 1
        k = likely.shape[1]
        return np.stack(
            [
                *(part[rows, names] for part in self._parts),
                np.log(chance + 1e-5),
                np.log(chance + 1e-5) - np.log(likely.max(axis=1) + 1e-5),
                -(likely * np.log(likely + 1e-9)).sum(axis=1),
                (likely > chance[:, None]).sum(axis=1),
                np.log((seen + 0.3) / (self._seen[best].sum(axis=1) + 0.3 * k)),
                self._share[names],
                np.where(same, cosines, 0.0).max(axis=1),
                np.where(same, 0.0, cosines).max(axis=1),
                (weights * same).sum(axis=1) / (weights.sum(axis=1) + 1e-6),
                same[:, :5].mean(axis=1),
                cosines[:, 0],
                of_brand,
                brand_all,
                (of_brand + 0.2) / (brand_all + 0.2 * k),
                (self._prices[rows] - self._price_of[names, 0]) / self._price_of[names, 1],
                self._prices[rows],
            ],
            axis=1,
        )


class _ShelfFacts:
    """What the rest of the catalogue says of a product on a shelf."""

    def __init__(self, shelves: Shelves, parts: list[Floats], near: Ints):
        self._shelves, self._parts, self._near = shelves, parts, near
        self._likely = sum(parts, np.zeros_like(parts[0])) / len(parts)  # no copy of them all at once

    def of(self, rows: Ints, shelves: Ints) -> Floats:
        """[rows, features], NaN for a shelf of too few products."""
        likely = self._likely[rows]
        chance = likely[np.arange(len(rows)), shelves]
        same = self._shelves.given[self._near[rows]] == shelves[:, None]
        found = np.stack(
            [
                *(np.log(part[rows, shelves] + 1e-4) for part in self._parts),
                np.log(chance + 1e-5),
                np.log(chance + 1e-5) - np.log(likely.max(axis=1) + 1e-5),
                (likely > chance[:, None]).sum(axis=1),
                same.mean(axis=1),
                same[:, :5].mean(axis=1),
            ],
            axis=1,
        )
        found[~self._shelves.judged[shelves]] = np.nan
        return found


def _middle(prices: Floats) -> tuple[float, float]:
    """Mean and spread; of nothing, no number."""
    there = prices[~np.isnan(prices)]
    return (float(there.mean()), float(there.std()) + 0.1) if len(there) else (np.nan, np.nan)


def _flags(columns: Columns, found: Judgement, problem: Problem, places: Ints, confidence: Floats) -> Flags:
    """In the order of confidence, then of doubt, with what is likelier."""
    order = np.lexsort((places, -np.nan_to_num(found.doubts[places]), -confidence))
    places, confidence = places[order], confidence[order]
    evidence, edits, repairs = [], [], []
    for place in places.tolist():
        likely = found.likely[place].copy()
        if found.given[place] >= 0:
            likely[found.given[place]] = 0.0
        best = np.argsort(-likely, kind="stable")[:_SHOWN]
        title = columns.titles[place]
        here = f"in “{' > '.join(columns.categories[place])}”" if columns.categories[place] else "without a category"
        evidence.append(f"{visible(title)[:_TITLE]} {visible(here)[:_PATH]}")
        likely /= max(likely.sum(), 1e-9)
        new = list(_path(columns, found, place, int(best[0])))
        edits.append(Edit(field="category", value=new) if likely[best[0]] >= _SURE else None)
        named = ", ".join(f"{' > '.join(found.names[name])} ({likely[name]:.0%})" for name in best.tolist())
        repairs.append(f"Likely: {named}.")
    return Flags(problem, "category", places, confidence, evidence, edits, repairs)


def _path(columns: Columns, found: Judgement, place: int, name: int) -> Category:
    """The whole path most frequent among the products alike in that category; the category itself if there are none."""
    alike = found.near[place][found.given[found.near[place]] == name]
    paths = Counter(columns.categories[other] for other in alike.tolist())
    return paths.most_common(1)[0][0] if paths else found.names[name]
