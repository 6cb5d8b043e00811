"""How well kept a product's data is."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def quality(batch: RankingBatch) -> Floats:
    """0 to 100, the score of the last run of the quality checks; NaN before the first."""
    return np.full(len(batch), np.nan) if batch.quality is None else batch.quality


QUALITY = Feature("quality", quality, "score of the quality checks, 0 to 100", "数据质量分", 1)
