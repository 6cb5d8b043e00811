"""BM25 of one field as a share of the most that it can give the query.

Field lengths are normalised by the mean over the candidates, so that no statistics of the catalogue are needed.
"""

from functools import partial

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch
from lingsou.features.tokens import TextField

K1, B = 1.2, 0.75


def bm25_share(field: TextField, batch: RankingBatch) -> Floats:
    """BM25 over its ceiling Σ IDF (k1 + 1): 0 to 1."""
    match = batch.match(field)
    mean = float(match.length.mean()) if len(batch) else 0.0
    norm = K1 * (1 - B + B * match.length / (mean or 1.0))
    return np.asarray((match.counts / (match.counts + norm[:, np.newaxis])) @ batch.idf / batch.information)


def _feature(field: TextField, en: str, zh: str) -> Feature:
    compute = partial(bm25_share, field)
    return Feature(f"{field}-bm25", compute, f"BM25 of the {en} as a share of its ceiling", f"{zh}的 BM25 占上限的比例")


TITLE = _feature("title", "title", "标题")
SHORT_DESCRIPTION = _feature("short_description", "short description", "简介")
ATTRIBUTES = _feature("attributes", "attributes", "属性")
CATEGORY = _feature("category", "category", "类目")
