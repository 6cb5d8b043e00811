"""Simulated shoppers with a known truth: what click-trained rankers and click models are tested against.

Each model turns the relevance of a shown list into clicks; its parameters are the truth that an estimator has to find.
Sources: Chuklin, Markov & de Rijke, "Click Models for Web Search", 2015 (PBM, cascade, DBN).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Clicks = NDArray[np.bool_]


class ClickModel(Protocol):
    """Attraction [sessions, positions] in [0, 1] → clicks of the same shape."""

    def simulate(self, attraction: Floats, random: np.random.Generator) -> Clicks:
        """Draw the clicks of each session."""
        ...


@dataclass(frozen=True)
class PositionBased:
    """PBM: a click needs a look at the position and an attractive product: P(C) = θ_k · α."""

    examination: Floats
    """θ [positions], the probability of a look; the first is usually 1."""

    @classmethod
    def power_law(cls, positions: int, severity: float = 1.0) -> "PositionBased":
        """θ_k = (1 / k)^severity, the usual choice in studies of position bias."""
        return cls((1.0 / np.arange(1, positions + 1)) ** severity)

    def simulate(self, attraction: Floats, random: np.random.Generator) -> Clicks:
        """Independent clicks at every position."""
        chance = self.examination[: attraction.shape[1]] * attraction
        return np.asarray(random.random(attraction.shape) < chance)


@dataclass(frozen=True)
class DynamicBayesian:
    """DBN: from the top down. After a click the shopper is content and leaves with probability σ · α.

    Whoever stays goes on to the next position with probability γ.
    """

    satisfaction: float = 0.7
    continuation: float = 0.9

    def simulate(self, attraction: Floats, random: np.random.Generator) -> Clicks:
        """Clicks of shoppers who read from the top and stop when content or tired."""
        sessions, positions = attraction.shape
        clicks = np.zeros(attraction.shape, np.bool_)
        reading = np.ones(sessions, np.bool_)
        for position in range(positions):
            alpha = attraction[:, position]
            clicks[:, position] = reading & (random.random(sessions) < alpha)
            content = clicks[:, position] & (random.random(sessions) < self.satisfaction * alpha)
            reading &= ~content & (random.random(sessions) < self.continuation)
        return clicks


@dataclass(frozen=True)
class Cascade:
    """The cascade model: from the top down until the first click, then gone."""

    def simulate(self, attraction: Floats, random: np.random.Generator) -> Clicks:
        """At most one click a session."""
        would = random.random(attraction.shape) < attraction
        first = np.cumsum(would, axis=1) == 1
        return np.asarray(would & first)
