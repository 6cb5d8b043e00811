"""Fitting a classifier over characters and words, with scikit-learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.models.character_classes import CharacterClasses, Keys, grams_of
from lingsou.training.characters import EXTRA_TRAIN

_STRENGTH = 10.0
"""scikit-learn's `C`, usual for tf-idf."""
_SEEN, _PASSES = 40_000, 5
"""So many texts are seen, each so often at least."""
_LEAST = 2
"""Texts that an n-gram must be in."""
_MOST_NUMBERS = 8_000_000
"""Weights of all classes: 16 MB as they are kept."""
_MOST_TEXTS = 50_000
"""About 200 MB of n-grams, of texts of a hundred characters."""
_CHUNK = 4_096


def fit_character_classes(
    texts: Sequence[str], labels: NDArray[np.int64], k: int, *, balanced: bool = False
) -> CharacterClasses:
    """Logistic regression of each class against all others, over the n-grams that at least two texts have.

    By stochastic gradients: a tenth of the time of L-BFGS, and no worse on texts set aside. The commonest n-grams are
    taken where they are too many.

    Args:
        texts: of more than 50,000, so many evenly spaced ones are learned from.
        labels: their classes [n], from 0 to k − 1, at least two of them; one without a text is as rare as the rarest.
        k: number of classes.
        balanced: each class weighs as much as any other.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    linear = require("scikit-learn", EXTRA_TRAIN, "sklearn.linear_model")
    sparse = require("scipy", EXTRA_TRAIN, "scipy.sparse")
    if len(texts) > _MOST_TEXTS:
        rows = np.linspace(0, len(texts) - 1, _MOST_TEXTS).astype(np.int64)
        texts, labels = [texts[row] for row in rows], labels[rows]
    keys, documents = _counted(texts, _MOST_NUMBERS // k)
    rarity = np.log((1.0 + len(texts)) / (1.0 + documents)) + 1.0
    empty = CharacterClasses(keys, rarity, np.zeros((len(keys), k)), np.zeros(k))
    if not len(keys):
        return empty
    places, values, ends = [], [], [0]
    for text in texts:
        own, tf_idf = empty.places(text)
        places.append(own.astype(np.int32))
        values.append(tf_idf.astype(np.float32))
        ends.append(ends[-1] + len(own))
    table = sparse.csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(len(texts), len(keys)))
    model = linear.SGDClassifier(
        loss="log_loss",
        alpha=1.0 / (_STRENGTH * len(texts)),
        max_iter=max(_PASSES, _SEEN // len(texts)),
        tol=None,
        random_state=0,
        class_weight="balanced" if balanced else None,
    ).fit(table, labels)
    weight, bias = model.coef_, model.intercept_
    if len(weight) == 1:  # two classes: the second's logit alone
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    whole, biases = np.zeros((len(keys), k)), np.full(k, bias.min())
    whole[:, model.classes_], biases[model.classes_] = weight.T, bias
    return CharacterClasses(keys, rarity, whole, biases)


def _counted(texts: Sequence[str], most: int) -> tuple[Keys, NDArray[np.int64]]:
    """Keys that enough texts have, rising, and how many have each."""
    keys, counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    for first in range(0, len(texts), _CHUNK):
        own, often = np.unique(
            np.concatenate([grams_of(text)[0] for text in texts[first : first + _CHUNK]]), return_counts=True
        )
        together = np.concatenate([keys, own])
        keys, places = np.unique(together, return_inverse=True)
        counts = np.bincount(places, weights=np.concatenate([counts, often])).astype(np.int64)
    enough = np.flatnonzero(counts >= _LEAST)
    if len(enough) > most:
        enough = np.sort(enough[np.argsort(-counts[enough], kind="stable")[:most]])
    return keys[enough], counts[enough]
