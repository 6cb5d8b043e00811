"""How often one item follows another, near or far, in the same history."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingsou.models.sparse_rows import Ints, SparseRows, gathered


def transitions(
    starts: Ints,
    items: Ints,
    n_items: int,
    *,
    window: int,
    backward: float,
    power: float = 1.0,
    new: Ints | None = None,
) -> SparseRows:
    """Counts [items, items]: from one item to each that comes up to `window` steps later, 1 / steps^power each.

    The step back counts `backward` of that. An item beside itself is left out. Cost: interactions × window.

    Args:
        starts: where each history begins and the last ends, [U + 1].
        items: of each interaction, oldest first in each history, [N].
        n_items: how many there are.
        window: the most steps.
        backward: share of a count that the way back gets.
        power: how fast a count falls with distance; 0: not at all.
        new: of each history, how many of the last interactions are new, [U]: only pairs with one of them are counted,
            so that counts may be added to those of before. None: all.
    """
    return gathered(_pairs(starts, items, window, backward, power, new), (n_items, n_items))


def _pairs(
    starts: Ints, items: Ints, window: int, backward: float, power: float, new: Ints | None
) -> Iterator[tuple[Ints, Ints, NDArray[np.float64]]]:
    lengths = np.diff(starts)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    fresh = np.ones(len(items), np.bool_)
    if new is not None:
        fresh = np.arange(len(items)) >= np.repeat(starts[1:] - new, lengths)
    for steps in range(1, min(window, int(lengths.max(initial=1)) - 1) + 1):
        # Of a pair the later interaction is new, or none is.
        later = steps + np.flatnonzero((owners[steps:] == owners[:-steps]) & fresh[steps:])
        source, target = items[later - steps], items[later]
        apart = source != target
        source, target = source[apart], target[apart]
        counts = np.full(len(source), steps**-power)
        yield source, target, counts
        if backward > 0:
            yield target, source, counts * backward
