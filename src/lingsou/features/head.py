"""Whether the head of the query, its last word, which names the product in both languages, stands in a field."""

from functools import partial

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch
from lingsou.features.tokens import TextField


def has_head(field: TextField, batch: RankingBatch) -> Floats:
    """1 or 0; NaN for a query without words."""
    if not batch.query_terms:
        return np.full(len(batch), np.nan)
    return (batch.match(field).counts[:, -1] > 0).astype(np.float64)


TITLE = Feature(
    "title-head", partial(has_head, "title"), "the query's last word stands in the title", "标题含查询的中心词", 1
)
CATEGORY = Feature(
    "category-head",
    partial(has_head, "category"),
    "the query's last word stands in the category",
    "类目含查询的中心词",
    1,
)
