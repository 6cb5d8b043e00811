"""Products like those of the history by what they are: attributes, and the meaning of their text if there are vectors.

It needs no events of a product, so new ones are recommended from the moment they exist. Of vectors it keeps each item's
nearest others, so that asking costs no pass over the catalogue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lingsou.models.nearest import nearest
from lingsou.models.sparse_rows import NOTHING, SparseRows, added, rows_of_arrays
from lingsou.recommend.attributes import tf_idf
from lingsou.recommend.interactions import NEAR, Arrays, Floats, Interactions, Ints, Items


@dataclass(frozen=True)
class ContentSettings:
    """How a profile is made, and what likeness counts."""

    rarity: float = 1.0
    """Power of an attribute's inverse document frequency."""
    popularity_power: float = 0.3
    """Of the popularity of the recommended item: of items that are alike, the one that more people want."""
    vectors: float = 0.5
    """Share of the vectors' cosine beside the attributes', where there are vectors; 0 beyond an item's nearest."""
    decay: float = 0.5
    """What an item of the history counts, of the one after it."""
    depth: int = 50
    """Latest items of a history that count."""


class Content:
    """The source: cosine of tf-idf attributes, and of text vectors, summed up over the history."""

    grid: ClassVar[Mapping[str, Sequence[float]]] = {
        "popularity_power": (0.3, 0.0, 0.15, 0.45),
        "decay": (0.5, 0.25, 0.8),
    }
    fitted: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: ContentSettings = ContentSettings(), name: str = "content"):
        self.settings = settings
        self.name = name
        self._of_item = NOTHING
        self._of_attribute = self._of_item
        self._near: SparseRows | None = None
        self._popularity = np.zeros(0, np.int64)
        self._ready: tuple[Ints, float, Floats] | None = None

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Weigh the attributes, find the nearest by text, and count who is popular."""
        self._popularity = np.bincount(interactions.items, minlength=len(items))
        self._weigh(items)
        self._near = items.near

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """New items come in, and popularity moves."""
        popularity = np.zeros(len(items), np.int64)
        popularity[: len(self._popularity)] = self._popularity
        fresh = interactions.ages < np.repeat(new, interactions.lengths)
        self._popularity = popularity + np.bincount(interactions.items[fresh], minlength=len(items))
        if len(items) > (known := len(self._of_item)):
            self._weigh(items)
            self._near = _grown(self._near, items, known)

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        recent = histories.last(self.settings.depth)
        weights = (self.settings.decay**recent.ages).astype(np.float32)
        profile = self._of_item.sums(recent.users, recent.items, weights, len(recent))
        queries, attributes = np.nonzero(profile)
        total = self._of_attribute.sums(queries, attributes, profile[queries, attributes], len(recent))
        if self._near is not None:
            share = np.float32(self.settings.vectors)
            total *= 1 - share
            total += self._near.sums(recent.users, recent.items, share * weights, len(recent))
        total *= self._wanted()
        return total

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the nearest item of the history, later ones first."""
        recent = histories.last(self.settings.depth)
        weights = (self.settings.decay**recent.ages).astype(np.float32)
        found = np.full(items.shape, -1, np.int64)
        for user in range(len(recent)):
            own = slice(int(recent.starts[user]), int(recent.starts[user + 1]))
            if len(sources := recent.items[own]):
                terms = self.likeness(sources, items[user]) * weights[own, None]
                best = terms.argmax(axis=0)
                spoken = terms[best, np.arange(items.shape[1])] > 0
                found[user, spoken] = sources[best[spoken]]
        return found

    def likeness(self, sources: Ints, targets: Ints) -> Floats:
        """Cosines between items [m] and items [k], as they are weighed here: [m, k]; 0 where a target is −1."""
        ones = np.ones(len(targets), np.float32)
        places = np.arange(len(targets))
        wanted = self._of_item.sums(places, np.maximum(targets, 0), ones, len(targets))
        asked = self._of_item.sums(np.arange(len(sources)), sources, np.ones(len(sources), np.float32), len(sources))
        total = asked @ wanted.T
        if self._near is not None:
            share = np.float32(self.settings.vectors)
            total = (1 - share) * total + share * self._near.between(sources, np.maximum(targets, 0))
        return np.asarray(total * (targets >= 0), np.float32)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        near = {} if self._near is None else self._near.arrays("near")
        return {**self._of_item.arrays("attributes"), "popularity": self._popularity, **near}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._of_item = rows_of_arrays(state, "attributes")
        self._of_attribute = self._of_item.transposed()
        self._popularity = state["popularity"]
        self._near = rows_of_arrays(state, "near") if "near-starts" in state else None

    def _wanted(self) -> Floats:
        """The popularity of each item to its power, [items], worked out once for each state of it."""
        popularity, power, ready = self._popularity, self.settings.popularity_power, self._ready
        if ready is not None and ready[0] is popularity and ready[1] == power:
            return ready[2]
        found = ((popularity + 1.0) ** power).astype(np.float32)
        self._ready = popularity, power, found
        return found

    def _weigh(self, items: Items) -> None:
        self._of_item = tf_idf(items, self.settings.rarity)
        self._of_attribute = self._of_item.transposed()


def _grown(near: SparseRows | None, items: Items, known: int) -> SparseRows | None:
    """With the nearest of items from `known` on, both ways; those known before lose none."""
    if near is None or items.vectors is None:
        return items.near
    new = nearest(items.vectors, NEAR, first=known)
    to_new = new.transposed()
    to_new = to_new.keeping(to_new.rows < known)
    return added([near, new, to_new], (len(items), len(items)))
