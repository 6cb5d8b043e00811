"""The scores that retrieval gave: words as a share of their ceiling, and the fused score, alone and beside the best."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def lexical(batch: RankingBatch) -> Floats:
    """Share of the lexical ceiling, 0 to 1."""
    return batch.lexical


def fused(batch: RankingBatch) -> Floats:
    """The score by words, meaning and plan."""
    return batch.fused


def gap(batch: RankingBatch) -> Floats:
    """Less the best candidate's: 0 or below."""
    return np.asarray(batch.fused - batch.fused.max(initial=-np.inf))


LEXICAL = Feature(
    "lexical",
    lexical,
    "share of what words can give",
    "词面得分占上限的比例",
    1,
    ("it matches your words", "与您的用词相符"),
)
FUSED = Feature(
    "fused",
    fused,
    "score by words, meaning and plan",
    "词面、语义与意图的综合得分",
    1,
    ("it fits your search as a whole", "整体上符合您的搜索"),
)
GAP = Feature("fused-gap", gap, "fused score less the best product's", "综合得分与最高者的差距", 1)
