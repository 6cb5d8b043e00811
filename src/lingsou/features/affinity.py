"""What this shopper likes, from the latest actions; NaN without any, or without consent to a personal order."""

import numpy as np

from lingsou.features.events_view import Facts, Trail
from lingsou.features.feature import Feature, Floats, RankingBatch
from lingsou.features.trails import sizes_of

_PRIOR = 3.0
"""So many clicks on something else stand beside the first one."""


def trail_of(batch: RankingBatch) -> Trail | None:
    """The shopper's latest actions, as far as they may be used."""
    return batch.events.trail if batch.events is not None and batch.context.personalise else None


def nothing(batch: RankingBatch) -> Floats:
    """The value where nothing is known."""
    return np.full(len(batch), np.nan)


def brand_share(batch: RankingBatch, trail: Trail) -> Floats:
    """Share of the actions, by weight, on products of the same brand."""
    shares = _shares(trail, [facts.brand for facts in trail.facts])
    return np.asarray([shares.get(product.brand, 0.0) if product.brand else 0.0 for product in batch.products])


def category_share(batch: RankingBatch, trail: Trail) -> Floats:
    """Share of the actions on products of the same category; half a path in common counts half."""
    shares = {
        tuple(path.split(" > ")): share for path, share in _shares(trail, [f.category for f in trail.facts]).items()
    }
    found: dict[tuple[str, ...], float] = {(): 0.0}
    for path in {product.category for product in batch.products} - found.keys():
        found[path] = sum(share * _common(path, other) / len(path) for other, share in shares.items())
    return np.asarray([found[product.category] for product in batch.products])


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shares(trail: Trail, values: list[str]) -> dict[str, float]:
    weights = trail.weights
    total = float(weights.sum()) + _PRIOR
    found: dict[str, float] = {}
    for value, weight in zip(values, weights.tolist(), strict=True):
        if value:
            found[value] = found.get(value, 0.0) + weight / total
    return found


def brand(batch: RankingBatch) -> Floats:
    """0 to 1."""
    trail = trail_of(batch)
    return nothing(batch) if trail is None else brand_share(batch, trail)


def category(batch: RankingBatch) -> Floats:
    """0 to 1."""
    trail = trail_of(batch)
    return nothing(batch) if trail is None else category_share(batch, trail)


def size(batch: RankingBatch) -> Floats:
    """Share of the actions that name a size, on products that come in one of this product's sizes."""
    trail = trail_of(batch)
    sized: list[tuple[Facts, float]] = []
    if trail is not None:
        sized = [(facts, weight) for facts, weight in zip(trail.facts, trail.weights, strict=True) if facts.sizes]
    if not sized:
        return nothing(batch)
    total = sum(weight for _, weight in sized)
    return np.asarray(
        [
            sum(weight for facts, weight in sized if facts.sizes & own) / total if own else np.nan
            for own in map(sizes_of, batch.products)
        ]
    )


BRAND = Feature(
    "affinity-brand",
    brand,
    "share of the shopper's latest actions on this brand",
    "购物者近期行为中该品牌的占比",
    1,
    ("you like this brand", "您偏爱该品牌"),
)
CATEGORY = Feature(
    "affinity-category",
    category,
    "share of the shopper's latest actions in this category",
    "购物者近期行为中该类目的占比",
    1,
    ("you often look at such products", "您常看此类商品"),
)
SIZE = Feature(
    "affinity-size",
    size,
    "share of the shopper's latest actions on this size",
    "购物者近期行为中该尺码的占比",
    1,
    ("it comes in your size", "有您的尺码"),
)
