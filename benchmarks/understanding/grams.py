"""Classes of texts by their word and character n-grams: logistic regression on tf-idf (scikit-learn)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float64]
_UNKNOWN = -30.0
"""The logit of a class that no row had."""


@dataclass(frozen=True)
class Grams:
    """Which n-grams are read, and how far their weights may go."""

    strength: float
    """scikit-learn's `C`."""
    letters: tuple[int, int]
    """Shortest and longest n-gram of characters inside a word."""
    least_words: int = 1
    least_letters: int = 2
    """Texts that an n-gram of words, or of characters, must be in."""
    tolerance: float = 1e-3
    """Of the fit; with two classes and long texts it has to be smaller."""

    def fit(self, texts: Sequence[str], labels: NDArray[np.int64], k: int) -> Callable[[Sequence[str]], Logits]:
        """What gives logits `[n, k]` of texts, fitted to these with their classes from 0 to k − 1."""
        from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
        from sklearn.pipeline import make_pipeline, make_union  # type: ignore[import-untyped]

        grams = make_union(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=self.least_words),
            TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=self.letters, min_df=self.least_letters),
        )
        model: Any = make_pipeline(grams, LogisticRegression(C=self.strength, tol=self.tolerance, max_iter=300))
        model.fit(texts, labels)

        def logits(asked: Sequence[str]) -> Logits:
            found = np.full((len(asked), k), _UNKNOWN)
            decided = model.decision_function(asked)
            if decided.ndim == 1:  # two classes: scikit-learn gives the second's logit alone
                decided = np.stack([-decided / 2, decided / 2], 1)
            found[:, model.classes_] = decided
            return found

        return logits
