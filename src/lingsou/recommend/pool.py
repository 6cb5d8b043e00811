"""Candidates of all sources for a block of users, and what each source and the item itself say of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.models.topk import top_k
from lingsou.recommend.interactions import Floats, Interactions, Ints, Items
from lingsou.recommend.recommender import Recommender, exclude


@dataclass(frozen=True)
class Facts:
    """Of each item, what a blend looks at beside the sources."""

    popularity: Floats
    """Logarithm of 1 + interactions, [items]."""
    attributes: Floats
    """Logarithm of 1 + attributes, [items]."""


def facts_of(interactions: Interactions, items: Items) -> Facts:
    """Facts as of these interactions."""
    counts = np.bincount(interactions.items, minlength=len(items))
    return Facts(np.log1p(counts).astype(np.float32), np.log1p(np.diff(items.starts)).astype(np.float32))


@dataclass(frozen=True)
class Pool:
    """m candidates of B users, those of one user together and by item."""

    starts: Ints
    """[B + 1]"""
    items: Ints
    """[m]"""
    features: Floats
    """[m, f], in the order of `feature_names`."""

    @property
    def owners(self) -> Ints:
        """The user of each candidate, [m]."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


_COMMON = ("agreement", "popularity", "attributes", "history")
AGREEMENT = -len(_COMMON)
"""The column of `agreement`."""


def feature_names(sources: Sequence[str]) -> tuple[str, ...]:
    """The columns of a pool: three for each source, then those of item and user."""
    own = [f"{source}-{what}" for source in sources for what in ("score", "share", "rank")]
    return (*own, *_COMMON)


def pool(
    sources: Sequence[Recommender],
    histories: Interactions,
    depth: int,
    facts: Facts,
    *,
    available: NDArray[np.bool_] | None = None,
    seen: bool = False,
) -> Pool:
    """The best `depth` of every source for B users, with their features.

    A source's `score` is its own, `share` that of its best for the user, `rank` 1 / its place (0 beyond `depth`).
    `agreement` is the share of sources that have the item among theirs. Memory: B × items × sources.
    """
    users, size = len(histories), len(facts.popularity)
    rows = []
    for source in sources:
        scores = source.score(histories)
        exclude(scores, histories, available=available, seen=seen)
        rows.append((scores, *top_k(scores, depth)))
    owners = np.arange(users)[:, None]
    keys = np.unique(np.concatenate([(owners * size + items)[items >= 0] for _, items, _ in rows]))
    user, item = keys // size, keys % size
    columns, agreement = [], np.zeros(len(keys), np.float32)
    for scores, items, best in rows:
        own = scores[user, item]
        top = best[:, 0] if best.shape[1] else np.zeros(users, np.float32)
        rank = np.zeros(len(keys), np.float32)
        held, place = np.nonzero(items >= 0)
        found = np.searchsorted(keys, held * size + items[held, place])
        rank[found] = 1 / (1 + place)
        agreement[found] += 1 / len(sources)
        columns += [own, own / np.maximum(top, 1e-30)[user], rank]
    length = np.log1p(histories.lengths).astype(np.float32)
    columns += [agreement, facts.popularity[item], facts.attributes[item], length[user]]
    starts = np.searchsorted(keys, np.arange(users + 1) * size)
    return Pool(starts, item, np.stack(columns, axis=1).astype(np.float32))
