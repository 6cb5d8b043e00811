"""The settings of a source, chosen by what shoppers did next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lingsou.recommend.interactions import Interactions, Ints, Items
from lingsou.recommend.recommender import Recommended, Recommender, recommend

CUT_OFF = 10


class Tunable(Recommender, Protocol):
    """A source with settings to choose."""

    settings: Any
    """A frozen dataclass."""

    @property
    def grid(self) -> Mapping[str, Sequence[float]]:
        """Setting → values to try."""

    @property
    def fitted(self) -> frozenset[str]:
        """Those of them that a fit depends on; the others count from the next question on."""


def tune(source: Tunable, interactions: Interactions, items: Items, histories: Interactions, targets: Ints) -> float:
    """Choose the source's settings, one after the other, for the best NDCG@10; leaves it fitted, returns that NDCG.

    A value is left for another only if that one gains more than twice the standard error of the gain over the same
    shoppers: of many values tried one always does a little better by chance. So begin with the usual settings.

    Args:
        source: its settings are replaced.
        interactions: to fit on.
        items: as for a fit.
        histories: of shoppers, from `interactions` or like them, [U].
        targets: what each of them took next, which `interactions` must not have, [U].
    """

    def worth() -> NDArray[np.float64]:
        return gains(recommend(source, histories, CUT_OFF), targets)

    source.fit(interactions, items)
    best = worth()
    for name, values in source.grid.items():
        kept = source.settings
        for value in values:
            if value == getattr(kept, name):
                continue
            before = source.settings
            source.settings = replace(kept, **{name: value})
            if name in source.fitted:
                source.fit(interactions, items)
            gain = (found := worth()) - best
            if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
                best = found
            else:
                source.settings = before
        if name in source.fitted:
            source.fit(interactions, items)
    return float(best.mean())


def gains(found: Recommended, targets: Ints, cut_off: int = CUT_OFF) -> NDArray[np.float64]:
    """NDCG of the one target of each user, [U]: 1 / log2(1 + its place), 0 beyond `cut_off`."""
    hit = found.items[:, :cut_off] == targets[:, None]
    place = np.arange(hit.shape[1])
    return np.asarray((hit / np.log2(place + 2.0)).sum(axis=1))
