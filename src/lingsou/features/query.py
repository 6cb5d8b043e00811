"""What kind of query it is: the same for all candidates, so that other features can weigh differently."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def length(batch: RankingBatch) -> Floats:
    """Distinct terms."""
    return np.full(len(batch), float(len(batch.query_terms)))


def information(batch: RankingBatch) -> Floats:
    """Mean IDF of the terms."""
    return np.full(len(batch), float(batch.idf.mean()) if len(batch.idf) else 0.0)


LENGTH = Feature("query-length", length, "words of the query", "查询词数")
INFORMATION = Feature("query-information", information, "mean IDF of the query's words", "查询词的平均 IDF")
