"""Attributes of items as weighted vectors."""

import numpy as np

from lingsou.models.sparse_rows import SparseRows, from_entries
from lingsou.recommend.interactions import Items


def tf_idf(items: Items, rarity: float) -> SparseRows:
    """Rows of length 1 [items, attributes], 0 for an item without attributes; a rare attribute weighs more.

    Args:
        items: with their attributes.
        rarity: power of the inverse document frequency, log(items / items with the attribute).
    """
    frequency = np.bincount(items.attributes, minlength=items.n_attributes)
    own = (np.log((len(items) + 1) / np.maximum(frequency, 1)) ** rarity)[items.attributes]
    rows = from_entries(items.owners, items.attributes, own, (len(items), items.n_attributes))
    length = np.sqrt(np.bincount(rows.rows, rows.values**2, minlength=len(rows)))
    scale = (1 / np.maximum(length, 1e-9)).astype(np.float32)
    return rows.scaled(scale, np.ones(items.n_attributes, np.float32))
