"""Transition nearest neighbours: what others went on to after the items of this history.

Pairs are counted over histories, near ones for more and the way back for less, and divided by powers of both items'
popularity. Counting takes one pass, and new events add to the counts exactly as if they had been there at the fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from lingsou.models.sparse_rows import SparseRows, added, rows_of_arrays
from lingsou.models.transitions import transitions
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items
from lingsou.recommend.neighbours import Neighbours
from lingsou.recommend.sessions import new_in_sessions


@dataclass(frozen=True)
class TransitionSettings:
    """How pairs count, and how a history asks for them."""

    within_session: bool = False
    """Whether a pause parts the two items of a pair."""
    window: int = 50
    """Steps between the two items of a pair, at most."""
    distance: float = 1.0
    """A pair counts 1 / steps^distance."""
    backward: float = 0.3
    """What the way back counts, of 1."""
    source_power: float = 0.7
    """Of the popularity of the item in the history, divided by."""
    target_power: float = 0.1
    """Of the popularity of the recommended item, divided by."""
    decay: float = 0.5
    """What an item of the history counts, of the one after it."""
    depth: int = 50
    """Latest items of a history that count."""


@dataclass(frozen=True)
class _State:
    counts: tuple[SparseRows, ...]
    """Largest first; each at most half as large as the one before, so updates cost little."""
    popularity: Ints
    """[items]"""


class Transitions:
    """The source; updates are exact."""

    grid: ClassVar[Mapping[str, Sequence[float]]] = {
        "decay": (0.5, 0.35, 0.65, 0.8),
        "source_power": (0.7, 0.5, 0.9),
        "target_power": (0.1, 0.0, 0.2, 0.35),
        "backward": (0.3, 0.1, 0.6, 1.0),
        "distance": (1.0, 0.5, 1.5),
    }
    fitted: ClassVar[frozenset[str]] = frozenset({"backward", "distance"})

    def __init__(self, settings: TransitionSettings = TransitionSettings(), name: str = "transitions"):
        self.settings = settings
        self.name = name
        self._state = _State((), np.zeros(0, np.int64))
        self._ready: tuple[_State, TransitionSettings, Neighbours] | None = None

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count the transitions of all histories."""
        self._state = _State((self._counted(interactions, None),), _popularity(interactions, len(items)))

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Add the transitions that end in a new interaction."""
        state, size = self._state, len(items)
        popularity = np.zeros(size, np.int64)
        popularity[: len(state.popularity)] = state.popularity
        fresh = interactions.ages < np.repeat(new, interactions.lengths)
        popularity += np.bincount(interactions.items[fresh], minlength=size)
        counts = [*state.counts, self._counted(replace(interactions, n_items=size), new)]
        while len(counts) > 1 and 2 * len(counts[-1].values) > len(counts[-2].values):
            counts[-2:] = [added(counts[-2:], (size, size))]
        self._state = _State(tuple(counts), popularity)

    @property
    def popularity(self) -> Ints:
        """Interactions of each item, [items]."""
        return self._state.popularity

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`."""
        return self._neighbours().score(histories)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`."""
        return self._neighbours().because(histories, items)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        counts, popularity = self._state.counts, self._state.popularity
        whole = counts[0] if len(counts) == 1 else added(counts, (len(popularity), len(popularity)))
        return {**whole.arrays("counts"), "popularity": popularity}

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._state = _State((rows_of_arrays(state, "counts"),), state["popularity"])

    def _counted(self, interactions: Interactions, new: Ints | None) -> SparseRows:
        own = self.settings
        if own.within_session:
            new = interactions.lengths if new is None else new
            interactions, new = new_in_sessions(interactions, new)
        return transitions(
            interactions.starts,
            interactions.items,
            interactions.n_items,
            window=own.window,
            backward=own.backward,
            power=own.distance,
            new=new,
        )

    def _neighbours(self) -> Neighbours:
        state, own, ready = self._state, self.settings, self._ready
        if ready is not None and ready[0] is state and ready[1] is own:
            return ready[2]  # the powers of popularity take longer than a score
        popularity = state.popularity + 1.0
        found = Neighbours(
            state.counts,
            (popularity**-own.source_power).astype(np.float32),
            (popularity**-own.target_power).astype(np.float32),
            own.decay,
            own.depth,
        )
        self._ready = state, own, found
        return found


def _popularity(interactions: Interactions, n_items: int) -> Ints:
    return np.bincount(interactions.items, minlength=n_items)
