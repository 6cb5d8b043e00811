"""Who did what with which product, as columns: what every source of recommendations is fitted on and asked with."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.models.nearest import nearest
from lingsou.models.sparse_rows import SparseRows

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]
"""What a fitted source is made of, by name."""
NEAR = 100
"""Nearest items by text that are known of each item: twice what a source gives to a blend."""
KINDS = ("view", "click", "detail", "cart", "purchase")
"""What was done; `Interactions.kinds` holds places in this list. A data set without kinds is all `view`."""


@dataclass(frozen=True)
class Interactions:
    """N interactions of U users with items 0 … `n_items` − 1, as compressed rows: by user, each user's by time.

    One type serves for fitting, for updating and for asking: the histories of the users who want recommendations.
    """

    starts: Ints
    """[U + 1]: the interactions of user u are `starts[u]` to `starts[u + 1]`."""
    items: Ints
    """[N]"""
    times: Ints
    """[N], milliseconds since 1970; where a data set has only an order, its steps."""
    kinds: NDArray[np.int8]
    """[N], places in `KINDS`."""
    n_items: int
    now: int | None = None
    """The moment of asking, as `times` has it; none: right after each user's latest interaction."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """How many interactions each user has, [U]."""
        return np.diff(self.starts)

    @property
    def users(self) -> Ints:
        """The user of each interaction, [N]."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def ages(self) -> Ints:
        """How many interactions of the same user are later, [N]: 0 for the last."""
        return np.repeat(self.starts[1:], self.lengths) - 1 - np.arange(len(self.items))

    def of(self, users: Ints | Sequence[int]) -> "Interactions":
        """Some users [M], in that order; each may come more than once."""
        chosen = np.asarray(users, np.int64)
        return self._rows(self.starts[chosen], self.lengths[chosen])

    def block(self, first: int, last: int) -> "Interactions":
        """Users `first` to `last`, the latter left out; views, no copies."""
        rows = slice(int(self.starts[first]), int(self.starts[last]))
        starts = self.starts[first : last + 1] - self.starts[first]
        return self._with(starts, rows)

    def last(self, count: int) -> "Interactions":
        """The latest `count` interactions of each user."""
        kept = np.minimum(self.lengths, count)
        return self._rows(self.starts[1:] - kept, kept)

    def until_last(self, count: int) -> "Interactions":
        """All but the latest `count` interactions of each user."""
        return self._rows(self.starts[:-1], np.maximum(self.lengths - count, 0))

    def where(self, chosen: NDArray[np.bool_]) -> "Interactions":
        """Those of a mask [N]; every user stays, if with nothing."""
        kept = np.bincount(self.users[chosen], minlength=len(self))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
        return self._with(starts, chosen)

    def _rows(self, first: Ints, lengths: Ints) -> "Interactions":
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return self._with(starts, np.repeat(first - starts[:-1], lengths) + np.arange(starts[-1]))

    def _with(self, starts: Ints, rows: Any) -> "Interactions":
        return replace(self, starts=starts, items=self.items[rows], times=self.times[rows], kinds=self.kinds[rows])


def interactions(
    users: Ints,
    items: Ints,
    times: Ints | None = None,
    kinds: NDArray[np.int8] | None = None,
    *,
    n_users: int | None = None,
    n_items: int | None = None,
) -> Interactions:
    """Rows in any order, sorted by user and time; equal times stay in the order they came in.

    Args:
        users: [N], from 0.
        items: [N], from 0.
        times: [N]; none: the order of the rows.
        kinds: [N]; none: all views.
        n_users: users there are; none: as many as are named.
        n_items: likewise.

    Raises:
        InputError: the columns are not of one length, or a number lies outside its range.
    """
    when = np.arange(len(users)) if times is None else np.asarray(times, np.int64)
    what = np.zeros(len(users), np.int8) if kinds is None else np.asarray(kinds, np.int8)
    if not len(users) == len(items) == len(when) == len(what):
        raise InputError(
            f"Columns of {len(users)} users, {len(items)} items, {len(when)} times and {len(what)} kinds do not fit.",
            cure="Give one user, item, time and kind for each interaction.",
        )
    count = _count("users", users, n_users)
    catalogue = _count("items", items, n_items)
    order = np.lexsort((when, users))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(users, minlength=count))])
    return Interactions(starts, np.asarray(items, np.int64)[order], when[order], what[order], catalogue)


def sequences(rows: Sequence[Sequence[int]], n_items: int | None = None) -> Interactions:
    """One sequence of items for each user, oldest first; the times are places in the sequence."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    items = np.fromiter((item for row in rows for item in row), np.int64, int(starts[-1]))
    times = np.arange(len(items)) - np.repeat(starts[:-1], lengths)
    return Interactions(starts, items, times, np.zeros(len(items), np.int8), _count("items", items, n_items))


@dataclass(frozen=True)
class Items:
    """What is known of items 0 … I − 1 beside who acted on them."""

    starts: Ints
    """[I + 1]: the attributes of item i are `attributes[starts[i] : starts[i + 1]]`."""
    attributes: Ints
    """[A], numbers from 0; each stands for one name and value."""
    n_attributes: int
    vectors: Floats | None = None
    """[I, d], rows of length 1, or of 0 for an item without text; none: the shop has no encoder."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def near(self) -> SparseRows | None:
        """The `NEAR` largest cosines above 0 of each item's vector, [I, I]; none without vectors.

        Worked out once for all sources: it takes seconds for 10,000 items and minutes for 100,000.
        """
        return None if self.vectors is None else nearest(self.vectors, NEAR)

    @property
    def owners(self) -> Ints:
        """The item of each attribute, [A]."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def items_of(attributes: Sequence[Sequence[int]], vectors: Floats | None = None) -> Items:
    """Items from the attributes of each."""
    lengths = np.fromiter(map(len, attributes), np.int64, len(attributes))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    flat = np.fromiter((each for row in attributes for each in row), np.int64, int(starts[-1]))
    return Items(starts, flat, int(flat.max()) + 1 if len(flat) else 0, vectors)


class IdMap:
    """External ids to dense numbers 0, 1, … in order of first appearance; numbers never change."""

    def __init__(self, names: Sequence[Hashable] = ()):
        self._numbers: dict[Hashable, int] = {name: number for number, name in enumerate(names)}
        self._names: list[Hashable] = list(self._numbers)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> Sequence[Hashable]:
        """The ids, by number."""
        return self._names

    def add(self, names: Sequence[Hashable]) -> Ints:
        """Numbers of ids, [n]; ids that are new get the next ones."""
        numbers = self._numbers
        found = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.int64, len(names))
        if len(numbers) > len(self._names):
            self._names.extend(list(numbers)[len(self._names) :])
        return found

    def find(self, names: Sequence[Hashable]) -> Ints:
        """Numbers of ids, [n]; −1 for those that are unknown."""
        return np.fromiter((self._numbers.get(name, -1) for name in names), np.int64, len(names))


def _count(what: str, numbers: Ints, given: int | None) -> int:
    needed = int(numbers.max()) + 1 if len(numbers) else 0
    if len(numbers) and int(numbers.min()) < 0:
        raise InputError(f"The {what} have the number {int(numbers.min())}.", cure="Number them from 0.")
    if given is not None and given < needed:
        raise InputError(
            f"The {what} have the number {needed - 1}, but only {given} are said to exist.",
            cure=f"Say n_{what}={needed} or more.",
        )
    return needed if given is None else given
