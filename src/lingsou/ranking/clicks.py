"""What clicks, carts and purchases teach about the order, once the bias of places is taken out.

Shoppers click what they look at, and they look at the top. Training on plain clicks therefore teaches the order that
was shown. Here the chance that each place was looked at is estimated from the log, and what happened there counts that
much more. Sources: Joachims, Swaminathan & Schnabel, "Unbiased Learning-to-Rank with Biased Feedback", WSDM 2017; Wang
et al., "Position Bias Estimation for Unbiased Learning to Rank in Personal Search", WSDM 2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lingsou.core.types import Frozen
from lingsou.encoders.optional import require
from lingsou.evaluation.judgements import Judgements
from lingsou.events.joins import Journeys
from lingsou.events.sessions import codes_of
from lingsou.models.click_models import ChainModel, PositionModel, Regression, chain, position_based, power_law
from lingsou.text.normalise import normalise

Floats = NDArray[np.float64]
DEPTH = 50
"""Places below count as this one."""

TOP_GRADE = 3.0
LEVELS = 32
"""So many steps of gain are told apart: finer ones are noise, and cost LambdaMART memory."""

_REGRESSION: Mapping[str, object] = {
    "objective": "cross_entropy", "num_leaves": 15, "min_data_in_leaf": 20, "learning_rate": 0.1, "verbosity": -1,
    "deterministic": True, "force_col_wise": True, "num_threads": 1, "seed": 1,
}  # fmt: skip


class Objective(Frozen):
    """What the shop wants of its order: the worth of what a shown product leads to, in clicks."""

    click: float = Field(1.0, ge=0)
    cart: float = Field(3.0, ge=0)
    purchase: float = Field(10.0, ge=0, description="of one unit, whatever it costs")
    margin: float = Field(0.0, ge=0, description="of one unit of money that a sold unit earns")


@dataclass(frozen=True)
class SearchPairs:
    """Searches summed up: one row for each pair of query and product that was shown for it, p in all.

    `query` is its words, normalised. The tables [p, DEPTH] count searches: in how many the product stood at each
    place, and of those with a click, a cart and units bought.
    """

    query: tuple[str, ...]
    id: tuple[str, ...]
    shown: Floats
    clicked: Floats
    carts: Floats
    purchases: Floats

    def __len__(self) -> int:
        return len(self.query)


def pairs_of(journeys: Journeys, texts: Mapping[str, str]) -> SearchPairs:
    """Sum the journeys up by query and product.

    Left out are searches whose words are not known, and products whose place is not.

    Args:
        journeys: query → impression → click → purchase.
        texts: query id → words.
    """
    rows, names, pair = _numbered(journeys, texts)
    place = np.minimum(journeys.ordinal[rows], DEPTH) - 1

    def table(values: NDArray[np.int64]) -> Floats:
        cells = np.bincount(pair * DEPTH + place, values[rows], minlength=len(names) * DEPTH)
        return np.asarray(cells, np.float64).reshape(len(names), DEPTH)

    return SearchPairs(
        query=tuple(query for query, _ in names),
        id=tuple(id_ for _, id_ in names),
        shown=table(np.ones(len(journeys), np.int64)),
        clicked=table((journeys.clicks > 0).astype(np.int64)),
        carts=table((journeys.carts > 0).astype(np.int64)),
        purchases=table(journeys.purchases),
    )


def read_from_the_top(journeys: Journeys, texts: Mapping[str, str]) -> ChainModel:
    """Attraction and satisfaction of the same pairs, in the order of `pairs_of`, if shoppers read from the top and
    stop when content: the simplified dynamic Bayesian model.
    """
    rows, _, pair = _numbered(journeys, texts)
    return chain(codes_of(journeys.query_id[rows]), journeys.ordinal[rows], pair, journeys.clicks[rows] > 0)


def _numbered(
    journeys: Journeys, texts: Mapping[str, str]
) -> tuple[NDArray[np.intp], tuple[tuple[str, str], ...], NDArray[np.int64]]:
    """Which journeys can be used [m], the pairs of query and product, and the number of each one's pair [m]."""
    keys = {query_id: normalise(texts[query_id]) for query_id in dict.fromkeys(journeys.query_id) if query_id in texts}
    known = np.asarray([query_id in keys for query_id in journeys.query_id], bool)
    rows = np.flatnonzero(known & (journeys.ordinal > 0) & (journeys.impressions + journeys.clicks > 0))
    names = np.empty(len(rows), object)
    names[:] = [(keys[journeys.query_id[row]], journeys.object_id[row]) for row in rows.tolist()]
    return rows, tuple(dict.fromkeys(names)), codes_of(names)


def estimate(pairs: SearchPairs, features: Floats | None = None) -> PositionModel:
    """Examination of the places [DEPTH] and attraction of the pairs [p], from the log alone.

    Without features, pairs that were shown at several places tell the two apart: exploration slots, tests and stock
    see to that. With features [p, f] a regression of the attraction on them does (regression EM), also under an order
    that never changes; leave out of them what that order goes by.

    Raises:
        MissingExtraError: features are given and LightGBM is not installed.
    """
    regression = None if features is None else boosted_regression(features)
    rounds = 500 if features is None else 30
    start = power_law(DEPTH, 0.5)
    return position_based(pairs.shown, pairs.clicked, start=start, regression=regression, iterations=rounds)


def boosted_regression(features: Floats, rounds: int = 30) -> Regression:
    """Fits targets in [0, 1] to features [p, f] by boosted trees.

    Raises:
        MissingExtraError: LightGBM is not installed.
    """
    lightgbm = require("lightgbm", "rank")

    def fit(targets: Floats, weights: Floats) -> Floats:
        data = lightgbm.Dataset(features, targets, weight=weights / max(weights.mean(), 1e-9), params={"verbosity": -1})
        return np.asarray(lightgbm.train(dict(_REGRESSION), data, rounds).predict(features, num_threads=1))

    return fit


def gains(
    pairs: SearchPairs,
    examination: Floats,
    objective: Objective = Objective(),  # noqa: B008 - frozen
    margins: Mapping[str, float] | None = None,
    *,
    looks: float = 10.0,
) -> Floats:
    """What a look at each pair is worth [p], an inverse propensity estimate, smoothed towards the mean over pairs.

    Each place's estimate is worth / (searches · examination). They are averaged by how often the place was looked at,
    so that a rare click far down, whose weight is large, cannot outweigh all the rest.

    Args:
        pairs: the log.
        examination: of the places [DEPTH], as `estimate` finds it; all 1 for the naive estimate.
        objective: the worth of each action.
        margins: product id → what one sold unit earns.
        looks: how many looks the mean stands for.
    """
    earned = np.asarray([(margins or {}).get(id_, 0.0) for id_ in pairs.id], np.float64)
    worth = objective.click * pairs.clicked.sum(axis=1) + objective.cart * pairs.carts.sum(axis=1)
    worth = worth + (objective.purchase + objective.margin * earned) * pairs.purchases.sum(axis=1)
    looked = pairs.shown @ examination
    mean = float(worth.sum() / looked.sum()) if looked.any() else 0.0
    return np.asarray((worth + looks * mean) / (looked + looks))


def graded(pairs: SearchPairs, gain: Floats) -> Judgements:
    """The gains [p] as grades from 0 to `TOP_GRADE`, such that LambdaMART's 2^grade − 1 is in proportion to them."""
    top = float(gain.max()) if len(gain) else 0.0
    steps = np.round(gain / top * LEVELS) / LEVELS if top > 0 else np.zeros(len(gain))
    grades = np.log2(1 + steps * (2**TOP_GRADE - 1))
    found: dict[str, dict[str, float]] = {}
    for query, id_, grade in zip(pairs.query, pairs.id, grades.tolist(), strict=True):
        found.setdefault(query, {})[id_] = grade
    return Judgements(found)
