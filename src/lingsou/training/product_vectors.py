"""The vectors that a shop's products have already, for models that are trained on them; nothing is encoded here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.encoders.calibration import Centring
from lingsou.retrieval.embedding import Vectors, document_text, groups

_BATCH = 2_000


def product_vectors(products: Sequence[Product], centring: Centring, stored: Vectors) -> NDArray[np.float32] | None:
    """Centred vectors of length 1, float32 [n, d], rows of 0 for products that have none yet; none: there are none.

    Args:
        products: by number.
        centring: of the index, so that products in two languages can be compared.
        stored: the vectors of the centring's encoder by text.
    """
    found: NDArray[np.float32] | None = None
    for first in range(0, len(products), _BATCH):
        batch = products[first : first + _BATCH]
        texts = [document_text(product) for product in batch]
        known = stored.get(texts)
        rows = [place for place, text in enumerate(texts) if text in known]
        if rows:
            own = np.stack([known[texts[place]] for place in rows])
            if found is None:
                found = np.zeros((len(products), own.shape[1]), np.float32)
            chosen = [batch[place] for place in rows]
            found[first + np.asarray(rows)] = centring.apply(own, groups(chosen), "document")
    return found
