"""Products to show beside one product: alike in what they are, and wanted by the same shoppers."""

from dataclasses import dataclass

import numpy as np

from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.sources.content import Content, ContentSettings
from lingsou.recommend.sources.transitions import Transitions, TransitionSettings


@dataclass(frozen=True)
class SimilarSettings:
    """How the two kinds of likeness are put together."""

    window: int = 10
    """Steps between two items that were wanted together, at most."""
    evidence: float = 10.0
    """An item with so many interactions is known half by its shoppers, half by its content."""


class Similar:
    """The source: content where a product is new, more and more behaviour where it is known.

    Its score for the last item i of the history is (1 − w) · content + w · cosine of shoppers, w = n / (n + evidence)
    for the n interactions of the less known of the two.
    """

    def __init__(self, settings: SimilarSettings = SimilarSettings(), name: str = "similar"):
        self.settings = settings
        self.name = name
        together = TransitionSettings(
            window=settings.window, distance=0.0, backward=1.0, source_power=0.5, target_power=0.5, depth=1
        )
        self._behaviour = Transitions(together)
        self._content = Content(ContentSettings(popularity_power=0.0, depth=1))

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count who is wanted with whom, and weigh the attributes."""
        self._behaviour.fit(interactions, items)
        self._content.fit(interactions, items)

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """New interactions count at once."""
        self._behaviour.update(interactions, new, items)
        self._content.update(interactions, new, items)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`, for the last item of each history."""
        last = histories.last(1)
        known = self._behaviour.popularity
        least = np.zeros((len(last), len(known)))
        least[last.users] = np.minimum(known[last.items][:, None], known)
        weight = (least / (least + self.settings.evidence)).astype(np.float32)
        return (1 - weight) * self._content.score(last) + weight * self._behaviour.score(last)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """The last item itself, where anything speaks for the other."""
        last = histories.last(1)
        scores = self.score(last)
        own = np.full(len(last), -1, np.int64)
        own[last.users] = last.items
        spoken = scores[np.arange(len(items))[:, None], np.maximum(items, 0)] > 0
        return np.where((items >= 0) & spoken, own[:, None], -1)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        parts = {"behaviour": self._behaviour.state(), "content": self._content.state()}
        return {f"{part}-{name}": array for part, own in parts.items() for name, array in own.items()}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        for part, source in (("behaviour-", self._behaviour), ("content-", self._content)):
            source.restore({name[len(part) :]: array for name, array in state.items() if name.startswith(part)})
