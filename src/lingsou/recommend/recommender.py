"""What a source of recommendations is, and the one way to ask it for the best n."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingsou.models.topk import top_k
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items

CELLS = 1 << 21
"""Scores held at once, users × items: dense rows exist for a block of users alone."""


@runtime_checkable
class Recommender(Protocol):
    """A source of recommendations: a function of a shopper's history, so new shoppers and new events need no fit.

    A source is fitted once, and updated by one writer; scoring may go on in other threads meanwhile, and sees the
    state before or after an update.
    """

    @property
    def name(self) -> str:
        """Short and lasting: the key of its scores in a blend."""

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Learn anew, from all that is known. `items` has at least `interactions.n_items` items."""

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Take up new events without a fit; a source that cannot leaves its state as it is.

        Args:
            interactions: of the users who did something, the new interactions last and what they did before.
            new: how many of each user's last interactions are new, [U].
            items: as in `fit`, perhaps more than at the last fit.
        """

    def score(self, histories: Interactions) -> Floats:
        """How much each item suits each of B users: float32 [B, items], 0 where nothing speaks for it, never below.

        B is so chosen that B × items stays about `CELLS`. Items of the history are scored too; leaving them out is the
        caller's choice.
        """

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """For items [B, k], the item of the user's history that spoke most for each: [B, k]; −1 for none."""


@runtime_checkable
class Stored(Recommender, Protocol):
    """A source that can be kept on the disk and opened in another process, with settings that are plain values."""

    @property
    def settings(self) -> Any:
        """A frozen dataclass."""

    def state(self) -> Arrays:
        """What was learnt, as arrays by name."""

    def restore(self, state: Arrays) -> None:
        """Take up what `state` of a source with the same settings gave; the arrays may be read-only."""


@dataclass(frozen=True)
class Recommended:
    """The best items for U users, best first."""

    items: Ints
    """[U, n]; −1 where there are no more."""
    scores: Floats
    """[U, n], above 0; 0 where there are no more."""


def recommend(
    source: Recommender,
    histories: Interactions,
    n: int,
    *,
    available: NDArray[np.bool_] | None = None,
    seen: bool = False,
) -> Recommended:
    """The best `n` of one source for U users.

    Args:
        source: a fitted source.
        histories: what each user did.
        n: at most so many.
        available: which items may be recommended, [items]; none: all.
        seen: items of the history may come again.
    """
    users = len(histories)
    found = Recommended(np.full((users, n), -1, np.int64), np.zeros((users, n), np.float32))
    for block, first in blocks(histories):
        scores = source.score(block)
        exclude(scores, block, available=available, seen=seen)
        items, best = top_k(scores, n)
        rows = slice(first, first + len(block))
        found.items[rows, : items.shape[1]], found.scores[rows, : items.shape[1]] = items, best
    return found


def blocks(histories: Interactions) -> Iterator[tuple[Interactions, int]]:
    """The users in parts of about `CELLS` scores, each with the number of its first user."""
    size = max(1, CELLS // max(histories.n_items, 1))
    for first in range(0, len(histories), size):
        yield histories.block(first, min(first + size, len(histories))), first


def exclude(
    scores: Floats, histories: Interactions, *, available: NDArray[np.bool_] | None = None, seen: bool = False
) -> None:
    """Set the scores [B, items] of what may not be recommended to 0, in place."""
    if not seen:
        scores[histories.users, histories.items] = 0
    if available is not None:
        scores[:, ~available] = 0
