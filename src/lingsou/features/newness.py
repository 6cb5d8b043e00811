"""How long a product has been there."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch

_DAY_S = 86_400.0


def age(batch: RankingBatch) -> Floats:
    """Ln (1 + days) since `created_at`, 0 for one that is yet to come; NaN where unknown."""
    now = batch.time.timestamp()
    made = (product.created_at for product in batch.products)
    days = np.asarray([np.nan if each is None else (now - each.timestamp()) / _DAY_S for each in made], np.float64)
    return np.log1p(np.maximum(days, 0))


AGE = Feature(
    "age", age, "ln (1 + days) since the product was created", "上架天数的对数", praise=("it is new", "是新品")
)
