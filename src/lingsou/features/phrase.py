"""Neighbouring words of the query that are neighbours, in the same order, in the title."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def phrase(batch: RankingBatch) -> Floats:
    """Share of the query's ordered pairs, 0 to 1; NaN for a query of one term."""
    pairs = len(batch.query_terms) - 1
    return np.asarray(batch.match("title").pairs / pairs) if pairs > 0 else np.full(len(batch), np.nan)


PHRASE = Feature(
    "title-phrase",
    phrase,
    "share of the query's ordered pairs of words that stand side by side in the title",
    "查询中相邻词在标题里也相邻的比例",
    monotone=1,
    praise=("the title has your words side by side", "标题中的词序与您的搜索一致"),
)
