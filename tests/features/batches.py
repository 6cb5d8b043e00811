"""Batches of a few products for tests: every score given by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lingsou.core.types import Product
from lingsou.features import RankingBatch, TermCache
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def product(id_: str = "p", title: str = "thing", **more: Any) -> Product:
    return Product.model_validate({"id": id_, "title": title, **more})


def batch(
    products: Sequence[Product], text: str = "", idf: Mapping[str, float] | None = None, **more: Any
) -> RankingBatch:
    """IDF 1 for each term that `idf` does not name; scores 0 where not given."""
    terms = tuple(dict.fromkeys(SEGMENTER.terms(text)))
    known = {SEGMENTER.terms(word)[0]: value for word, value in (idf or {}).items()}
    cache = TermCache(SEGMENTER)
    values: dict[str, Any] = {
        "fused": [0.0] * len(products),
        "exact": [False] * len(products),
        "lexical": [0.0] * len(products),
        "vector": [np.nan] * len(products),
        "time": NOW,
    }
    values |= more
    for name in ("fused", "lexical", "vector"):
        values[name] = np.asarray(values[name], np.float64)
    values["exact"] = np.asarray(values["exact"], np.bool_)
    return RankingBatch(
        query_terms=terms,
        idf=np.asarray([known.get(term, 1.0) for term in terms], np.float64),
        products=products,
        terms=[cache.terms(each) for each in products],
        **values,
    )
