"""How near a product is to the query in meaning, alone and beside the nearest candidate."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def similarity(batch: RankingBatch) -> Floats:
    """Centred cosine, −1 to 1."""
    return batch.vector


def gap(batch: RankingBatch) -> Floats:
    """Less the similarity of the nearest: 0 or below."""
    known = batch.vector[~np.isnan(batch.vector)]
    return batch.vector - known.max() if len(known) else batch.vector


SIMILARITY = Feature(
    "similarity",
    similarity,
    "similarity to the query in meaning",
    "与查询的语义相似度",
    1,
    ("it is near in meaning", "与您的意思相近"),
)
GAP = Feature("similarity-gap", gap, "similarity less that of the nearest product", "与最相似商品的语义差距", 1)
