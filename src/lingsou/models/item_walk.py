"""Random walks on the graph of items, a few steps from where a history stands.

One step reaches what stood near an item in past histories; the second reaches what stood near that, so items that few
have met are reached too. Sources: Cooper et al., "Random Walks in Recommender Systems" (P3), WWW 2014 companion;
Christoffel et al., "Blockbusters and Wallflowers" (RP3β), RecSys 2015, for powers of popularity in place of its
whole; the global item graph of Wang et al., "Global Context Enhanced Graph Neural Networks for Session-based
Recommendation" (GCE-GNN), SIGIR 2020, here without training.
"""

import numpy as np
from numpy.typing import NDArray

from lingsou.models.sparse_rows import SparseRows

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


def balanced(weights: SparseRows, power: float, smoothing: float) -> SparseRows:
    """Each weight over (its row's sum + smoothing)^power · (its column's sum + smoothing)^power.

    Args:
        weights: [items, items].
        power: 0.5 on both sides keeps a symmetric graph symmetric.
        smoothing: so that one chance meeting of two rare items is no certainty.
    """
    rows = np.bincount(weights.rows, weights.values, minlength=len(weights)) + smoothing
    columns = np.bincount(weights.columns, weights.values, minlength=weights.n_columns) + smoothing
    return weights.scaled((rows**-power).astype(np.float32), (columns**-power).astype(np.float32))


def walk(
    steps: SparseRows,
    queries: Ints,
    items: Ints,
    weights: Floats,
    n_queries: int,
    *,
    stay: float,
    second: float,
    most: int,
) -> Floats:
    """Weights of all items for each query: `stay` · begun + one step + `second` · two steps, float32 [queries, items].

    Args:
        steps: what one step carries from item to item, [items, items].
        queries: the query of each item that it begins at, [m].
        items: that item, [m].
        weights: how much begins there, [m].
        n_queries: how many queries there are.
        stay: what counts of not moving.
        second: what counts of two steps.
        most: items of each query that the second step goes on from, those reached with the largest weights.

    Cost: the entries met, at most `most` rows for each query in the second step, and the result.
    """
    size = steps.n_columns
    of, places = steps.places(items)
    cells, which = np.unique(queries[of] * size + steps.columns[places], return_inverse=True)
    one = np.bincount(which, weights[of] * steps.values[places], minlength=len(cells))
    # Those reached most, of each query: what the second step goes on from.
    query = cells // size
    order = np.lexsort((-one, query))
    kept = order[np.arange(len(order)) - np.searchsorted(query, query) < most] if second else order[:0]
    of, places = steps.places(cells[kept] % size)
    two = query[kept][of] * size + steps.columns[places]
    found = np.bincount(
        np.concatenate([queries * size + items, cells, two]),
        np.concatenate([stay * weights, one, second * one[kept][of] * steps.values[places]]),
        minlength=n_queries * size,
    )
    return found.astype(np.float32).reshape(n_queries, size)
