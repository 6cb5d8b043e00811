"""Batches of whole queries, so that the rows of one query are compared with each other."""

import numpy as np
from numpy.typing import NDArray

from lingsou.training.examples import Rows

_WINDOW = 64
"""Batches among which rows are sorted by length: little padding, and still another mix each epoch."""


def by_query(query: Rows, lengths: NDArray[np.int64], batch: int, rng: np.random.Generator) -> list[Rows]:
    """Batches of about `batch` rows, all rows of a query in one; a query with more rows is cut into batches.

    Args:
        query: the query of each row, `[rows]`.
        lengths: tokens of each row, `[rows]`.
        batch: rows a batch.
        rng: decides everything.
    """
    order = np.lexsort((rng.random(len(query)), rng.permutation(query.max(initial=-1) + 1)[query]))
    starts = np.flatnonzero(np.diff(query[order], prepend=-1))
    groups = [
        part[at : at + batch] for part in np.split(order, starts[1:]) for at in range(0, max(len(part), 1), batch)
    ]
    found: list[Rows] = []
    window: list[Rows] = []
    rows = 0
    for group in groups:
        window.append(group)
        rows += len(group)
        if rows >= _WINDOW * batch:
            found.extend(_fill(window, lengths, batch))
            window, rows = [], 0
    found.extend(_fill(window, lengths, batch))
    return [found[place] for place in rng.permutation(len(found))]


def _fill(groups: list[Rows], lengths: NDArray[np.int64], batch: int) -> list[Rows]:
    found: list[Rows] = []
    held: list[Rows] = []
    rows = 0
    for group in sorted(groups, key=lambda each: int(lengths[each].max(initial=0))):
        if held and rows + len(group) > batch:
            found.append(np.concatenate(held))
            held, rows = [], 0
        held.append(group)
        rows += len(group)
    if held:
        found.append(np.concatenate(held))
    return found
