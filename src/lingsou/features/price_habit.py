"""The price beside what this shopper usually looks at and buys."""

import numpy as np

from lingsou.features.affinity import nothing, trail_of
from lingsou.features.feature import Feature, Floats, RankingBatch


def distance(batch: RankingBatch) -> Floats:
    """How far ln price lies from the shopper's weighted mean, among products of the same top category; NaN if none."""
    trail = trail_of(batch)
    if trail is None:
        return nothing(batch)
    sums: dict[str, tuple[float, float]] = {}
    for facts, weight in zip(trail.facts, trail.weights.tolist(), strict=True):
        if not np.isnan(facts.price):
            root = facts.category.split(" > ")[0]
            total, weighed = sums.get(root, (0.0, 0.0))
            sums[root] = total + weight * np.log1p(facts.price), weighed + weight
    habits = {root: total / weighed for root, (total, weighed) in sums.items() if weighed > 0}
    usual = np.asarray(
        [habits.get(product.category[0] if product.category else "", np.nan) for product in batch.products]
    )
    return np.asarray(np.abs(batch.prices - usual))


PRICE_HABIT = Feature(
    "price-habit",
    distance,
    "distance of the price, as a logarithm, from what the shopper usually looks at in this top category",
    "价格与购物者在该一级类目习惯价位的差距（对数）",
    -1,
    ("it is in your price range", "符合您的习惯价位"),
)
