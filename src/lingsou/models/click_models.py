"""Click models: what clicks say about products once the place where they were shown is taken out.

Source: Chuklin, Markov & de Rijke, "Click Models for Web Search", 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Regression = Callable[[Floats, Floats], Floats]
"""Targets [p] in [0, 1] and weights [p] → fitted values [p]: what is known of like products steadies each one's."""

_LEAST = 1e-4
_SUREST = 0.95
"""To begin with, no place is certain to be looked at: from certainty the iteration never comes back."""


@dataclass(frozen=True)
class PositionModel:
    """P(click) = examination of the rank × attraction of the pair."""

    examination: Floats
    """[ranks], the first is 1."""
    attraction: Floats
    """[pairs], in [0, 1]."""


def power_law(ranks: int, severity: float = 1.0) -> Floats:
    """The usual guess before anything is known: examination [ranks] of 1 / rank ^ severity."""
    return np.asarray(1.0 / np.arange(1, ranks + 1) ** severity)


def position_based(
    shown: Floats,
    clicked: Floats,
    *,
    start: Floats | None = None,
    regression: Regression | None = None,
    iterations: int = 100,
    tolerance: float = 1e-5,
) -> PositionModel:
    """Fit the position-based model by expectation and maximisation.

    Where a pair was shown at several ranks, the ratio of its clicks there tells of the ranks alone. Where each stands
    at one rank for ever, only a regression over features that the order does not follow can tell the two apart.
    Source: with a regression, Wang et al., "Position Bias Estimation for Unbiased Learning to Rank in Personal
    Search", WSDM 2018. Cost: pairs × ranks for each iteration.

    Args:
        shown: how often each pair of query and product was shown at each rank, [pairs, ranks]; may be decayed.
        clicked: how often it was clicked there, [pairs, ranks]; at most `shown` counts.
        start: examination to begin with [ranks]; a rank that nothing was shown at keeps it. Default: `power_law`.
        regression: fits the attraction of pairs to their features; none: each pair has its own.
        iterations: at most so many.
        tolerance: no examination changes by more: done.
    """
    ranks = shown.shape[1]
    first = np.clip(_SUREST * (power_law(ranks) if start is None else start), _LEAST, _SUREST)
    clicks = np.minimum(clicked, shown)
    passed = shown - clicks
    at_rank, of_pair = shown.sum(axis=0), shown.sum(axis=1)
    looked = first
    looks = np.maximum(shown @ looked, _LEAST)
    attraction = clicks.sum(axis=1) / looks
    if regression is not None:
        attraction = regression(attraction.clip(0, 1), of_pair)
    attraction = np.clip(attraction, _LEAST, 1 - _LEAST)
    for _ in range(iterations):
        both = attraction[:, None] * looked
        unseen = passed / np.maximum(1 - both, _LEAST)
        seen = clicks.sum(axis=0) + (unseen * (1 - attraction[:, None])).sum(axis=0) * looked
        liked = clicks.sum(axis=1) + (unseen * (1 - looked)).sum(axis=1) * attraction
        attraction = np.divide(liked, of_pair, out=attraction.copy(), where=of_pair > 0)
        if regression is not None:
            attraction = regression(attraction, of_pair)
        attraction = np.clip(attraction, _LEAST, 1 - _LEAST)
        new = np.clip(np.divide(seen, at_rank, out=first.copy(), where=at_rank > 0), _LEAST, 1 - _LEAST)
        change, looked = float(np.abs(new - looked).max()), new
        if change < tolerance:
            break
    scale = looked[0]
    return PositionModel(np.minimum(looked / scale, 1.0), np.clip(attraction * scale, 0.0, 1.0))


@dataclass(frozen=True)
class ChainModel:
    """The simplified dynamic Bayesian model: attraction and satisfaction of each pair, [pairs] in [0, 1]."""

    attraction: Floats
    satisfaction: Floats

    @property
    def relevance(self) -> Floats:
        """The probability that a look ends the search content, [pairs]."""
        return self.attraction * self.satisfaction


def chain(
    search: NDArray[np.int64],
    rank: NDArray[np.int64],
    pair: NDArray[np.int64],
    clicked: NDArray[np.bool_],
    *,
    smoothing: float = 1.0,
) -> ChainModel:
    """Fit the simplified dynamic Bayesian model, which is the cascade model where no search has two clicks.

    A shopper reads from the top; whatever stands down to the last click was looked at. Source: Chapelle & Zhang,
    "A Dynamic Bayesian Network Click Model for Web Search Ranking", WWW 2009, algorithm 1.

    Args:
        search: which search each impression belongs to, [impressions] from 0.
        rank: its place from 1, [impressions].
        pair: its pair of query and product, [impressions] from 0.
        clicked: [impressions].
        smoothing: pseudo-observations on both sides, as of a Beta prior.
    """
    searches = int(search.max()) + 1 if len(search) else 0
    pairs = int(pair.max()) + 1 if len(pair) else 0
    deepest = np.zeros(searches, np.int64)
    np.maximum.at(deepest, search[clicked], rank[clicked])
    looked = rank <= deepest[search]
    clicks = np.bincount(pair[clicked], minlength=pairs)
    looks = np.bincount(pair[looked], minlength=pairs)
    last = np.bincount(pair[clicked & (rank == deepest[search])], minlength=pairs)
    return ChainModel(
        (clicks + smoothing) / (looks + 2 * smoothing),
        (last + smoothing) / (clicks + 2 * smoothing),
    )
