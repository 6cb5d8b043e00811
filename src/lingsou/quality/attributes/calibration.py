"""How often a score like this one was right: isotonic regression (Zadrozny & Elkan, KDD 2002)."""

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require

Floats = NDArray[np.float64]

_SMALLEST, _LARGEST = 0.001, 0.999


def calibrated(scores: Floats, right: NDArray[np.bool_], asked: Floats) -> Floats:
    """The share of right ones among scores like the asked ones: never falling, between 0.001 and 0.999, [m].

    Args:
        scores: out of fold, [n], at least one.
        right: whether each was right, [n].
        asked: [m]

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    optimize = require("scipy", "quality", "scipy.optimize")
    # Equal scores are one point: apart, they would be as likely right as their order happens to be.
    values, at, counts = np.unique(scores, return_inverse=True, return_counts=True)
    levels = optimize.isotonic_regression(np.bincount(at, right) / counts, weights=counts).x
    return np.asarray(np.clip(np.interp(asked, values, levels), _SMALLEST, _LARGEST))
