"""What shoppers think of a product, shrunk to the mean of the candidates where few said so.

Source: the Bayesian average (m·C + Σ ratings) / (C + n), with the prior worth C = 10 reviews.
"""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch

PRIOR_REVIEWS, PRIOR_RATING = 10.0, 3.5


def shrunk_rating(batch: RankingBatch) -> Floats:
    """0 to 5; a rating without a count stands for one review, none for the mean of the others."""
    ratings, counts = batch.numbers("rating"), batch.numbers("review_count")
    known = ~np.isnan(ratings)
    weights = np.where(known, np.where(np.isnan(counts), 1.0, counts), 0.0)
    given = np.where(known, ratings, 0.0)
    prior = (PRIOR_REVIEWS * PRIOR_RATING + (weights * given).sum()) / (PRIOR_REVIEWS + weights.sum())
    return np.asarray((PRIOR_REVIEWS * prior + weights * given) / (PRIOR_REVIEWS + weights))


def reviews(batch: RankingBatch) -> Floats:
    """Ln (1 + reviews); NaN where unknown."""
    return np.asarray(np.log1p(batch.numbers("review_count")))


RATING = Feature(
    "rating",
    shrunk_rating,
    "mean rating, shrunk where reviews are few",
    "贝叶斯平滑后的评分",
    1,
    ("it is rated well", "评分高"),
)
REVIEWS = Feature("reviews", reviews, "ln (1 + reviews)", "评价数的对数", 1, ("many have reviewed it", "评价多"))
