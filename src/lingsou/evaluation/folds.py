"""Cross-validation by query: which queries are held out together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError


def folds(queries: int, parts: int, seed: int) -> NDArray[np.int64]:
    """The part [queries] that each query belongs to, 0 to `parts` − 1; sizes differ by one at most.

    Raises:
        InputError: fewer than two parts, or fewer queries than parts.
    """
    if not 2 <= parts <= queries:
        raise InputError(
            f"{queries} queries cannot be cut into {parts} parts.", cure="Judge more queries, or use fewer parts."
        )
    return np.asarray(np.random.default_rng(seed).permutation(queries) % parts, np.int64)


def folds_of(queries: Sequence[str], parts: int, seed: int) -> NDArray[np.int64]:
    """The same for queries that may come several times: all of one text are held out together.

    Raises:
        InputError: fewer than two parts, or fewer different queries than parts.
    """
    number = {text: place for place, text in enumerate(dict.fromkeys(queries))}
    part = folds(len(number), parts, seed)
    return part[[number[text] for text in queries]]
