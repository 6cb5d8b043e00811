"""The place of a product among the candidates by one kind of score, as 1 / place; equals share the best place."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def reciprocal(scores: Floats) -> Floats:
    """1 / place by score, NaN where there is none."""
    ordered = np.sort(-scores)  # NaN last
    places = np.searchsorted(ordered, -scores, side="left") + 1.0
    return np.where(np.isnan(scores), np.nan, 1 / places)


def by_words(batch: RankingBatch) -> Floats:
    """1 / place by words."""
    return reciprocal(batch.lexical)


def by_meaning(batch: RankingBatch) -> Floats:
    """1 / place by meaning."""
    return reciprocal(batch.vector)


WORDS = Feature("lexical-rank", by_words, "1 / place by words", "词面排名的倒数", 1)
MEANING = Feature("similarity-rank", by_meaning, "1 / place by meaning", "语义排名的倒数", 1)
