"""What a shopper's history says of tastes: categories, brands, prices, sizes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from lingsou.core.types import Interest, PriceBand, Product, ShopperProfile
from lingsou.features.events_view import Trail

MOST = 10
"""Interests of one kind that are told."""
RECENT = 20
"""Latest products that are told."""
_BAND = (0.1, 0.5, 0.9)


def profile_of(trail: Trail, products: Mapping[str, Product]) -> ShopperProfile:
    """The profile of a history, without names and chances.

    Every action counts its worth (a purchase more than a click), halved every two weeks. A product in several sizes
    speaks for each of them in part.

    Args:
        trail: what the shopper did.
        products: those of the trail that are still there, by id.
    """
    weights = trail.weights.tolist()
    facts = list(zip(trail.facts, weights, strict=True))
    latest = dict.fromkeys(each.id for each in reversed(trail.facts) if each.id in products)
    return ShopperProfile(
        events=len(trail),
        categories=_interests(((each.category, weight) for each, weight in facts), sum(weights)),
        brands=_interests(((each.brand, weight) for each, weight in facts), sum(weights)),
        price_band=_price_band(trail, products),
        sizes=_interests(
            ((size, weight / len(each.sizes)) for each, weight in facts for size in sorted(each.sizes)), sum(weights)
        ),
        recent=tuple(latest)[:RECENT],
    )


def _interests(named: Iterable[tuple[str, float]], total: float) -> tuple[Interest, ...]:
    sums: dict[str, float] = defaultdict(float)
    for name, weight in named:
        if name:
            sums[name] += weight / total
    first = sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:MOST]
    return tuple(Interest(name=name, weight=min(weight, 1.0)) for name, weight in first)


def _price_band(trail: Trail, products: Mapping[str, Product]) -> PriceBand | None:
    """Of the prices that the products had when the shopper acted on them."""
    priced: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for facts, weight in zip(trail.facts, trail.weights.tolist(), strict=True):
        if facts.id in products and not np.isnan(facts.price):
            priced[products[facts.id].currency].append((facts.price, weight))
    if not priced:
        return None
    currency, rows = max(priced.items(), key=lambda each: (sum(weight for _, weight in each[1]), each[0]))
    prices, weights = np.asarray(sorted(rows)).T
    shares = np.cumsum(weights) / weights.sum()
    # The first price at which the share is reached; rounding must not lead beyond the last.
    places = np.minimum(np.searchsorted(shares, np.asarray(_BAND) - 1e-12), len(prices) - 1)
    low, median, high = prices[places].tolist()
    return PriceBand(low=low, median=median, high=high, currency=currency)
