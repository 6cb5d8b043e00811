"""Where in the title the query's words begin, and what share of the title they are."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def earliest(batch: RankingBatch) -> Floats:
    """Terms of the title before the first of the query's; NaN where it has none."""
    first = batch.match("title").first
    found = np.where(np.isnan(first), np.inf, first).min(axis=1, initial=np.inf)
    return np.where(np.isinf(found), np.nan, found)


def density(batch: RankingBatch) -> Floats:
    """Distinct terms of the query in the title over the title's terms, 0 to 1."""
    match = batch.match("title")
    return np.asarray((match.counts > 0).sum(axis=1) / np.maximum(match.length, 1))


EARLIEST = Feature(
    "title-position", earliest, "words of the title before the first of the query's", "标题中首个匹配词之前的词数"
)
DENSITY = Feature("title-density", density, "share of the title that the query's words are", "查询词占标题的比例")
