"""Learn to tell the values that products have from values that they could not have: faults made on purpose.

A catalogue has no labels that say which values are wrong, but wrong values are easily made: another category, a price
times ten. Trees learn, from what the rest of the catalogue says of a value, the ratio of the chances that a value is
real and that it was made. With faults spread like the made ones, no other order of products finds more of them
(Neyman and Pearson; noise-contrastive estimation: Gutmann and Hyvärinen, JMLR 13, 2012).

The real values hold faults themselves, a share that nobody knows. Where a made value is surely wrong, only that share
keeps the ratio above 0, so the ratio there tells the share (mixture proportion: Blanchard, Lee and Scott, JMLR 11,
2010).
"""

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.folds import EXTRA, folds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 150
_EVEN = 4.0
_TREES = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "verbose": -1,
}


def log_ratios(real: Floats, made: Floats, owner: Ints, seed: int = 0) -> tuple[Floats, Floats]:
    """The logarithm of real : made for each value, by trees that have not seen its product.

    Args:
        real: what is known of the values that products have [n, features]; NaN: unknown.
        made: the same of made values [m, features].
        owner: which of the n products each made value belongs to [m].
        seed: of folds and trees.

    Returns:
        Of the real values [n], and of the made ones [m].
    """
    lightgbm = require("lightgbm", EXTRA)
    values, others = np.empty(len(real)), np.empty(len(made))
    shift = np.log(len(made) / len(real))  # as though there were as many real ones as made ones
    for train, test in folds(np.arange(len(real)), seed):
        learned = np.isin(owner, train)
        rows = np.concatenate([real[train], made[learned]]).astype(np.float32)
        labels = np.concatenate([np.ones(len(train)), np.zeros(int(learned.sum()))])
        trees = lightgbm.train(_TREES | {"seed": seed}, lightgbm.Dataset(rows, labels), _ROUNDS)
        values[test] = trees.predict(real[test].astype(np.float32), raw_score=True) + shift
        others[~learned] = trees.predict(made[~learned].astype(np.float32), raw_score=True) + shift
    return values, others


def fault_chances(values: Floats, made: Floats) -> Floats:
    """That each real value is a fault [n], from the log ratios that `log_ratios` gives.

    The median of the made values counts as surely wrong, and what is four times as likely to be real as such a value,
    as wrong as right: trees are modest at the ends, and real faults are not quite like made ones.
    """
    even = np.median(made) + np.log(_EVEN)
    return np.asarray(1 / (1 + np.exp(np.clip(values - even, -30, 30))))
