"""The ranker that serves: features of a batch, the model's scores, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.features import Feature, RankingBatch, feature_named, matrix
from lingsou.ranking.lambdamart import LambdaMart

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """Scores of the n candidates of a batch, on the scale of the fused score.

    `base` [n] is the fused score, `features` [n, f] what the model saw; `scores` = base + the model's adjustments.
    """

    ranker: "Ranker"
    base: Floats
    features: Floats
    scores: Floats

    def contributions(self, places: Sequence[int]) -> Floats:
        """TreeSHAP [len(places), f + 1], the last column is the mean adjustment; base + Σ of a row is its score."""
        return self.ranker.model.contributions(self.features[list(places)])


class Ranker:
    """A model with the features it needs.

    Raises:
        ConfigurationError: a feature of the model is not registered here.
    """

    def __init__(self, model: LambdaMart, version: str = ""):
        self.model = model
        self.version = version
        self.features: Sequence[Feature] = tuple(feature_named(name) for name in model.features)
        self.by_name = {feature.name: feature for feature in self.features}

    def rank(self, batch: RankingBatch, base: Floats) -> Ranked:
        """Score the candidates. `base` [n] is the fused score with all that retrieval added to it."""
        table = matrix(self.features, batch)
        return Ranked(self, base, table, base + self.model.adjustments(table))


def order_of(scores: Floats) -> NDArray[np.intp]:
    """Places, best first; equal scores stay in the order they came in."""
    return np.lexsort((np.arange(len(scores)), -scores))
