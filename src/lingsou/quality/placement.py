"""Which category the texts of a product speak for, by models that have not seen the product.

Two levels of the shop's tree count: the categories that are judged, and the shelves one level below them, whose words
are narrower: what is on no shelf of `Sports` like the others there is seldom in `Sports` at all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.columns import Category
from lingsou.quality.folds import EXTRA, Sparse, chances

MIN_CLASS = 20
"""Fewer products than this do not show what belongs into a category or onto a shelf."""
MOST_CLASSES = 200

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def linear(tables: Sequence[Sparse], labels: Ints, classes: int, left_out: Bools) -> list[Floats]:
    """Logistic regression on each of the tables, see `chances`."""
    models = require("scikit-learn", EXTRA, "sklearn.linear_model")

    def logistic() -> Any:
        return models.SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=8, tol=None, random_state=0)

    return [chances(logistic, table, labels, classes, left_out, seed) for seed, table in enumerate(tables)]


def bayes(tables: Sequence[Sparse], labels: Ints, classes: int) -> list[Floats]:
    """Naive Bayes on each of the tables, see `chances`."""
    models = require("scikit-learn", EXTRA, "sklearn.naive_bayes")
    nobody = np.zeros(len(labels), bool)
    return [
        chances(lambda: models.MultinomialNB(alpha=0.05), table, labels, classes, nobody, seed)
        for seed, table in enumerate(tables, start=2)
    ]


def votes(labels: Ints, cosines: Floats, classes: int) -> Floats:
    """Shares of the neighbours' classes [N, classes], near ones counting more; a little goes to all alike.

    Args:
        labels: of the neighbours [N, neighbours].
        cosines: of the same [N, neighbours].
        classes: how many there are.
    """
    weights = np.maximum(cosines, 0.0) ** 4
    found = np.full((len(labels), classes), 0.02 / classes)
    rows = np.arange(len(labels))
    for column in range(labels.shape[1]):
        found[rows, labels[:, column]] += weights[:, column]
    return np.asarray(found / found.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Shelves:
    """The s shelves below k judged categories; a rare one counts as the rest of its category."""

    given: Ints
    """Which shelf each product is on; −1 where its category is not judged, [N]."""
    category: Ints
    """To which of the judged categories each shelf belongs, [s]."""
    judged: Bools
    """Shelves of enough products to be judged, [s]."""

    def __len__(self) -> int:
        return len(self.category)

    def summed(self, likely: Floats) -> Floats:
        """Probabilities of the categories [N, k] from those of the shelves [N, s]."""
        found = np.zeros((len(likely), int(self.category.max()) + 1))
        np.add.at(found.T, self.category, likely.T)
        return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-9))

    def drawn(self, categories: Ints, rng: np.random.Generator) -> Ints:
        """For each of the categories [m] a shelf, as often as products are on it, [m]."""
        found = np.empty(len(categories), np.int64)
        of = np.where(self.given >= 0, self.category[self.given], -1)
        for category in np.unique(categories).tolist():
            wanted = np.flatnonzero(categories == category)
            found[wanted] = self.given[rng.choice(np.flatnonzero(of == category), len(wanted))]
        return found


def shelves_below(paths: Sequence[Category], names: Sequence[Category], given: Ints) -> Shelves | None:
    """The shelves of a shop; none where no category has two.

    Args:
        paths: the categories of N products.
        names: the judged ones, all of one depth.
        given: which of them each product has, −1 for none, [N].
    """
    depth = len(names[0]) + 1
    counts = Counter(path[:depth] for path, own in zip(paths, given.tolist(), strict=True) if own >= 0)
    kept = {path for path, products in counts.most_common(MOST_CLASSES) if products >= MIN_CLASS}
    numbers: dict[Category, int] = {}
    category: list[int] = []
    found = np.full(len(given), -1)
    for place, own in enumerate(given.tolist()):
        if own >= 0:
            path = paths[place][:depth]
            number = numbers.setdefault(path if path in kept else names[own], len(numbers))
            if number == len(category):
                category.append(own)
            found[place] = number
    if len(numbers) == len(set(category)):
        return None
    return Shelves(found, np.array(category, np.int64), np.bincount(found[found >= 0]) >= MIN_CLASS)
