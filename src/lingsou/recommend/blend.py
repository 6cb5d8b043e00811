"""One list out of many sources: their candidates, ordered by a model of which of them shoppers took next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.models.choice import ChoiceModel, Choices
from lingsou.recommend.interactions import Floats, Interactions, Ints, Items
from lingsou.recommend.pool import AGREEMENT, Facts, Pool, facts_of, feature_names, pool
from lingsou.recommend.recommender import Recommended, Recommender, blocks


@dataclass(frozen=True)
class BlendSettings:
    """How candidates are gathered."""

    depth: int = 50
    """Candidates of each source."""
    seen: bool = False
    """Items of the history may come again, as shoppers of one session return to what they looked at."""


class Blend:
    """The sources' candidates in the order of a learned model. A `Recommender` itself.

    `fit` fits the sources; `model` is learnt from `choices` (`lingsou.recommend.learning`). One may be done without the
    other, so that weights learnt before a moment serve with sources that know what came after.
    """

    def __init__(self, sources: Sequence[Recommender], settings: BlendSettings = BlendSettings(), name: str = "blend"):
        self.sources = tuple(sources)
        self.settings = settings
        self.name = name
        self.features = feature_names([source.name for source in sources])
        self.model: ChoiceModel | None = None
        """None: the items that most sources agree on come first."""
        self.facts = Facts(np.zeros(0, np.float32), np.zeros(0, np.float32))

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Fit every source."""
        for source in self.sources:
            source.fit(interactions, items)
        self.look_at(interactions, items)

    def look_at(self, interactions: Interactions, items: Items) -> None:
        """Take the items' facts as of these interactions; for sources that are fitted already."""
        self.facts = facts_of(interactions, items)

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Update every source. Nobody may ask the blend meanwhile: with new items its sources would differ in size."""
        for source in self.sources:
            source.update(interactions, new, items)
        fresh = interactions.where(interactions.ages < np.repeat(new, interactions.lengths))
        counts = np.bincount(fresh.items, minlength=len(items)).astype(np.float32)
        before = self.facts.popularity
        counts[: len(before)] += np.expm1(before)
        self.facts = Facts(np.log1p(counts), facts_of(fresh, items).attributes)

    def choices(self, histories: Interactions, targets: Ints) -> Choices:
        """The candidates of the shoppers whose target [U] is among them: of the others nothing can be learnt."""
        parts = []
        for block, first in blocks(histories):
            found = self.pool(block)
            taken = found.items == targets[first : first + len(block)][found.owners]
            own = Choices(found.starts, found.features, taken)
            parts.append(own.of(own.decided))
        lengths = np.concatenate([np.diff(each.starts) for each in parts])
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        features, all_taken = [each.features for each in parts], [each.taken for each in parts]
        return Choices(starts, np.concatenate(features), np.concatenate(all_taken))

    def pool(self, histories: Interactions, available: NDArray[np.bool_] | None = None) -> Pool:
        """The candidates of a block of users."""
        own = self.settings
        return pool(self.sources, histories, own.depth, self.facts, available=available, seen=own.seen)

    def recommend(self, histories: Interactions, n: int, *, available: NDArray[np.bool_] | None = None) -> Recommended:
        """As `recommend` of any source, with candidates that are available from the start."""
        parts = [ordered(self.pool(block, available), self.model, n) for block, _ in blocks(histories)]
        nothing = Recommended(np.empty((0, n), np.int64), np.empty((0, n), np.float32))
        return Recommended(
            np.concatenate([nothing.items, *(part.items for part in parts)]),
            np.concatenate([nothing.scores, *(part.scores for part in parts)]),
        )

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`: chances among the candidates, 0 for what is none."""
        found = self.pool(histories)
        total = np.zeros((len(histories), len(self.facts.popularity)), np.float32)
        total[found.owners, found.items] = chances(found, self.model)
        return total

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`, by the first source that has a reason."""
        found = np.full(items.shape, -1, np.int64)
        for source in self.sources:
            missing = found < 0
            if not missing.any():
                break
            found = np.where(missing, source.because(histories, items), found)
        return found


def ordered(found: Pool, model: ChoiceModel | None, n: int) -> Recommended:
    """The best n candidates of each user of a pool."""
    best = Recommended(
        np.full((len(found.starts) - 1, n), -1, np.int64), np.zeros((len(found.starts) - 1, n), np.float32)
    )
    owners, own = found.owners, chances(found, model)
    order = np.lexsort((found.items, -own, owners))
    place = np.arange(len(order)) - found.starts[owners]
    kept, place = order[place < n], place[place < n]
    best.items[owners[kept], place], best.scores[owners[kept], place] = found.items[kept], own[kept]
    return best


def chances(found: Pool, model: ChoiceModel | None) -> Floats:
    """Of being taken next, among the candidates of the same user, [m]."""
    if not len(found.items):
        return np.zeros(0, np.float32)
    scores = found.features[:, AGREEMENT].astype(np.float64) if model is None else model.scores(found.features)
    owners, users = found.owners, len(found.starts) - 1
    highest = np.full(users, -np.inf)
    np.maximum.at(highest, owners, scores)
    shifted = np.exp(np.maximum(scores - highest[owners], -80.0))
    return np.asarray(shifted / np.bincount(owners, shifted, minlength=users)[owners], np.float32)
