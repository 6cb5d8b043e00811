"""What this shopper looked at before, the latest first: shoppers return to what they have not decided on yet."""

from dataclasses import dataclass

import numpy as np

from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items


@dataclass(frozen=True)
class RevisitSettings:
    """How the past fades."""

    decay: float = 0.8
    """What a click counts, of the one after it."""


class Revisit:
    """The source: an item scores decay^steps for each time that it is in the history, 1 for the last click."""

    def __init__(self, settings: RevisitSettings = RevisitSettings(), name: str = "revisit"):
        self.settings = settings
        self.name = name
        self._size = 0

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Nothing is learnt."""
        self._size = len(items)

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Nothing is learnt."""
        self._size = len(items)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        return {"size": np.array([self._size])}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._size = int(state["size"][0])

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        cells = histories.users * self._size + histories.items
        found = np.bincount(cells, self.settings.decay**histories.ages, minlength=len(histories) * self._size)
        return found.astype(np.float32).reshape(len(histories), self._size)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the item itself."""
        cells = histories.users * self._size + histories.items
        known = np.isin(np.arange(len(histories))[:, None] * self._size + items, cells) & (items >= 0)
        return np.where(known, items, -1)
