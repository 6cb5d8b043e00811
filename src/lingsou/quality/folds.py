"""What a catalogue says of each product when the product itself is left out: tables of words, neighbours, predictions.

An audit judges the value that a product has by the values of all others. A model that has seen the value repeats it, so
products are parted into folds, and each is judged by models that learned from the other folds.

Everything here needs scikit-learn and SciPy (the extra `quality`), and depends on its input alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.columns import Columns

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Ints = NDArray[np.int64]
Sparse = Any
"""A SciPy matrix of compressed sparse rows."""

FOLDS = 5
EXTRA = "quality"
_BITS = 18
_TEXT = 400  # letters of the description: what a product is stands at its beginning
_BLOCK = 512
_RARE = 2
_EAST_ASIAN = "\u3400-\u9fff"
_TOKEN = rf"(?u)[{_EAST_ASIAN}]|[^\W_{_EAST_ASIAN}]+"


def words(columns: Columns) -> Sparse:
    """Tf-idf of single words and pairs of title, brand and the beginning of the text [N, terms]; 中文 by letters."""
    texts = [
        f"{title} {brand} {text[:_TEXT]}"
        for title, brand, text in zip(columns.titles, columns.brands, columns.texts, strict=True)
    ]
    return _weighed(texts, ngram_range=(1, 2), token_pattern=_TOKEN)


def letters(columns: Columns) -> Sparse:
    """Tf-idf of runs of 3 to 5 letters, within words, of the title [N, terms]."""
    return _weighed(columns.titles, ngram_range=(3, 5), analyzer="char_wb")


def _weighed(texts: Sequence[str], **options: Any) -> Sparse:
    """Terms are hashed, so memory is bounded; those of one text alone are left out, for they link it to nothing."""
    text = require("scikit-learn", EXTRA, "sklearn.feature_extraction.text")
    hashing = text.HashingVectorizer(n_features=2**_BITS, alternate_sign=False, norm=None, **options)
    table = hashing.transform(texts)
    kept = np.nonzero(np.bincount(table.indices, minlength=table.shape[1]) >= _RARE)[0]
    if not len(kept):
        kept = np.arange(1)
    return text.TfidfTransformer(sublinear_tf=True).fit_transform(table[:, kept])


def condensed(tables: Sequence[Sparse], dimension: int = 160) -> Vectors:
    """Unit vectors of texts that share terms or the company of terms [N, dimension] (latent semantic analysis).

    Source: Deerwester et al., JASIS 41, 1990; the decomposition by Halko et al., SIAM Review 53, 2011.
    """
    sparse = require("scipy", EXTRA, "scipy.sparse")
    decomposition = require("scikit-learn", EXTRA, "sklearn.decomposition")
    table = sparse.hstack(tables).tocsr()
    size = max(1, min(dimension, *(side - 1 for side in table.shape)))
    vectors = decomposition.TruncatedSVD(size, n_iter=3, random_state=0).fit_transform(table)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def neighbours(vectors: Vectors, among: Ints, count: int) -> tuple[Ints, Floats]:
    """The nearest of the rows `among` of each row, without itself, nearest first.

    Returns their places [N, count] and cosines [N, count]. Cost: N · among · dimension.
    """
    rows = vectors.shape[0]
    count = min(count, len(among) - 1)
    places, cosines = np.empty((rows, count), np.int64), np.empty((rows, count))
    own = np.full(rows, -1)
    own[among] = np.arange(len(among))
    pool = np.ascontiguousarray(vectors[among].T)
    for start in range(0, rows, _BLOCK):
        block = vectors[start : start + _BLOCK] @ pool
        mine = own[start : start + _BLOCK]
        there = np.nonzero(mine >= 0)[0]
        block[there, mine[there]] = -np.inf
        found = np.argpartition(block, -count, axis=1)[:, -count:]
        near = np.take_along_axis(block, found, 1)
        order = np.argsort(-near, axis=1, kind="stable")
        places[start : start + _BLOCK] = among[np.take_along_axis(found, order, 1)]
        cosines[start : start + _BLOCK] = np.take_along_axis(near, order, 1)
    return places, cosines


def folds(known: Ints, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Of the rows `known`: those to learn from, and those to judge, for each fold."""
    part = np.random.default_rng(seed).permutation(len(known)) % FOLDS
    for fold in range(FOLDS):
        yield known[part != fold], known[part == fold]


def chances(
    make: Callable[[], Any], table: Sparse, labels: Ints, classes: int, left_out: NDArray[np.bool_], seed: int
) -> Floats:
    """Probabilities of the classes [N, classes], each row's by a model that has not seen it.

    Args:
        make: a new classifier of scikit-learn, with `predict_proba`.
        table: features [N, terms].
        labels: [N], −1 for rows without one: theirs are the mean of all folds.
        classes: how many there are.
        left_out: rows whose label is not to be learned from, though they are judged, [N]; they are learned from after
            all in a fold that has fewer than two classes without them.
        seed: of the folds.
    """
    found = np.zeros((table.shape[0], classes))
    blank = np.nonzero(labels < 0)[0]
    for train, test in folds(np.nonzero(labels >= 0)[0], seed):
        trusted = train[~left_out[train]]
        if len(np.unique(labels[trusted])) > 1:
            train = trusted
        model = make().fit(table[train], labels[train])
        found[np.ix_(test, model.classes_)] = model.predict_proba(table[test])
        if len(blank):
            found[np.ix_(blank, model.classes_)] += model.predict_proba(table[blank]) / FOLDS
    return found
