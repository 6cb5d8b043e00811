"""Label noise: 10 % of the labels of reviews flipped, found by confident learning, and what cleaning does.

The rows are those of the largest table of the folder with the columns `review` and `label`, each text once. They are
split as the notes on the data say (sorted, shuffled by seed 7, the last fifth is the test); only training labels are
flipped. Every row of the training part gets its chances from models that did not see it (character n-grams, logistic
regression, 5 folds). What is flagged, without a look at what was flipped:

    lingsou      the rows with the least chance of their own label, as many as confident learning estimates to be wrong
    counted      the rows that confident learning itself counts as wrong
    baseline     the rows whose own label has a chance below one half
    cleanlab     `find_label_issues` over the same chances, where the package is installed

Accuracy is that of one more model on the untouched test, trained on the labels as they are, without the rows flagged,
with them turned round, and on the true ones; for two strengths, as the weaker penalty suffers more from wrong labels.
"""

import random
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.damage.scoring import scored
from benchmarks.damage.shops import FORMATS, REVIEWS, Shop
from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.encoders.optional import require
from lingsou.training.data.label_noise import suspects

FLIPPED, TEST, FOLDS = 0.1, 0.2, 5
STRENGTHS = (1.0, 3.0)
"""Inverse of the penalty. The first, the library's own, is that of the models that tell the chances."""
_SPLIT = 7

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Flip, find, clean; none where the folder holds no reviews."""
    texts, labels = reviews(shop)
    if not texts:
        return None
    cut = len(texts) - round(TEST * len(texts))
    table, tested = _tables(texts[:cut], texts[cut:])
    true, wanted = labels[:cut], labels[cut:]
    rng = np.random.default_rng(seed)
    flipped = rng.permutation(cut)[: round(FLIPPED * cut)]
    given = true.copy()
    given[flipped] = 1 - given[flipped]
    chances = _out_of_fold(table, given, rng)
    own = chances[np.arange(cut), given]
    likely, share = suspects(chances, given)
    order = np.argsort(own, kind="stable")
    found = order[: round(share * cut)]
    results: dict[str, Any] = {
        "rows": cut,
        "estimated_noise": share,
        "lingsou": scored(found.tolist(), flipped.tolist()),
        "counted": scored(order[(likely != given)[order]].tolist(), flipped.tolist()),
        "baseline": scored(order[own[order] < 0.5].tolist(), flipped.tolist()),
    }
    peer = _cleanlab(given, chances)
    if peer is not None:
        results["cleanlab"] = scored(peer.tolist(), flipped.tolist())
    kept = np.setdiff1d(np.arange(cut), found)
    turned = given.copy()
    turned[found] = 1 - turned[found]
    for strength in STRENGTHS:
        results[f"accuracy_{strength:g}"] = {
            "flipped": _accuracy(strength, table, given, tested, wanted),
            "without_flagged": _accuracy(strength, table[kept], given[kept], tested, wanted),
            "flagged_turned": _accuracy(strength, table, turned, tested, wanted),
            "true": _accuracy(strength, table, true, tested, wanted),
        }
    return results


def reviews(shop: Shop) -> tuple[list[str], Ints]:
    """Unique texts in the order of the split, and their labels."""
    found: dict[str, int] = {}
    for file in sorted(shop.folder.iterdir(), key=lambda file: -file.stat().st_size):
        if file.name.endswith(FORMATS) and not found:
            for _, row in open_feed(file).rows(file):
                if isinstance(row, RowProblem) or not row.keys() >= REVIEWS:
                    continue
                text = str(row["review"] or "").strip()
                if text:
                    found.setdefault(text, int(str(row["label"])))
    texts = sorted(found)
    random.Random(_SPLIT).shuffle(texts)
    return texts, np.array([found[text] for text in texts], np.int64)


def _tables(train: list[str], test: list[str]) -> tuple[Any, Any]:
    features = require("scikit-learn", "quality", "sklearn.feature_extraction.text")
    vectorizer = features.TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    return vectorizer.fit_transform(train), vectorizer.transform(test)


def _model(strength: float) -> Any:
    linear = require("scikit-learn", "quality", "sklearn.linear_model")
    return linear.LogisticRegression(C=strength, solver="liblinear")


def _out_of_fold(table: Any, given: Ints, rng: np.random.Generator) -> Floats:
    fold = rng.permutation(len(given)) % FOLDS
    chances = np.zeros((len(given), 2))
    for number in range(FOLDS):
        seen = fold != number
        chances[~seen] = _model(STRENGTHS[0]).fit(table[seen], given[seen]).predict_proba(table[~seen])
    return chances


def _accuracy(strength: float, table: Any, given: Ints, tested: Any, wanted: Ints) -> float:
    return float((_model(strength).fit(table, given).predict(tested) == wanted).mean())


def _cleanlab(given: Ints, chances: Floats) -> Ints | None:
    try:
        peer = import_module("cleanlab.filter")
    except ImportError:
        return None
    return np.asarray(
        peer.find_label_issues(given, chances, return_indices_ranked_by="self_confidence", n_jobs=1), np.int64
    )
