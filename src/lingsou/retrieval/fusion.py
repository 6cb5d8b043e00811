"""One score from words and meaning: a bounded, calibrated sum.

    score = similarity + weight · bm25 / ceiling        both terms bounded: similarity by 1, the second by the weight

The ceiling is the most that BM25 can give the query, Σ idf · (k1 + 1). What remains of the lexical score is the share
of the query's information that a product holds, so a point of BM25 weighs weight / ceiling: less in a long query or
one of rare words, more in a short one or a small catalogue. The query's and the catalogue's statistics act through
that division, and through it alone: `python -m benchmarks.fusion_fit` compares other forms and further statistics out
of fold, and none was better (docs/design.md has the figures). The weight is the setting `search.lexical_weight`. Its
default was fitted by that command and frozen; `lingsou tune` fits it to a shop's own judgements.
"""

import numpy as np
from numpy.typing import NDArray

EXACT_BONUS = 10.0
"""Added for an exact identifier, above anything that words and meaning can add up to."""


def fused(
    similarities: NDArray[np.float32], lexical: NDArray[np.float32], ceiling: float, weight: float
) -> NDArray[np.float32]:
    """Scores [n] of products from similarity [n] (0 where a product has no vector) and BM25 [n]."""
    return np.asarray(similarities + np.float32(weight / ceiling) * lexical, np.float32)
