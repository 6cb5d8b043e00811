"""What a ranking feature is, and the batch of candidates that it is computed over: the same offline and online."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.core import plugins
from lingsou.core.builtins import BUILTINS
from lingsou.core.plan import QueryPlan
from lingsou.core.types import Context, Product
from lingsou.features.events_view import EventView
from lingsou.features.tokens import FieldMatch, ProductTerms, TextField, match_field

Floats = NDArray[np.float64]
LEADERS = 50
"""So many of the best candidates say what is usual for the query."""


@dataclass(frozen=True)
class RankingBatch:
    """The n candidates of one request. All arrays are float64 [n] unless said otherwise.

    `products`, `terms`, `exact`, `fused`, `lexical` and `vector` run parallel, in any order. A feature of what the
    batch lacks (no plan, no vectors, no events, an unknown price) is NaN.
    """

    query_terms: tuple[str, ...]
    """The query's index terms, each once, in reading order."""
    idf: Floats
    """[t]: of each query term; 0 for one that no product has."""
    products: Sequence[Product]
    terms: Sequence[ProductTerms]
    fused: Floats
    """The score by words, meaning and plan, without what an exact identifier adds."""
    exact: NDArray[np.bool_]
    """Which products bear an identifier that was asked for."""
    lexical: Floats
    """Share of the lexical ceiling, 0 to 1."""
    vector: Floats
    """Similarity to the query, −1 to 1."""
    time: datetime
    """When the request is made: nothing later may be known."""
    plan: QueryPlan | None = None
    context: Context = Context()  # noqa: RUF009 - frozen
    events: EventView | None = None
    """What shoppers did before `time`."""
    quality: Floats | None = None
    """Scores of the last run of the quality checks, 0 to 100, [n]; none before the first."""

    def __len__(self) -> int:
        return len(self.products)

    @cached_property
    def information(self) -> float:
        """Σ IDF of the query; 1 where it has none, so that shares of it are 0."""
        return float(self.idf.sum()) or 1.0

    @cached_property
    def leaders(self) -> NDArray[np.intp]:
        """Which candidates are the best `LEADERS` by the fused score, best first; ties in the order given."""
        return np.argsort(-self.fused, kind="stable")[:LEADERS]

    @cached_property
    def leader_weights(self) -> Floats:
        """[leaders]: the squared fused score of each, summing to 1."""
        weights = np.clip(self.fused[self.leaders], 0, None) ** 2
        total = weights.sum()
        return np.asarray(weights / total if total > 0 else np.full(len(weights), 1 / max(len(weights), 1)))

    @cached_property
    def prices(self) -> Floats:
        """Natural logarithm of 1 + price."""
        return np.log1p(self.numbers("price"))

    def numbers(self, name: str) -> Floats:
        """A number field of the products; NaN where it is not given."""
        values = (getattr(product, name) for product in self.products)
        return np.asarray([np.nan if value is None else float(value) for value in values], np.float64)

    def match(self, field: TextField) -> FieldMatch:
        """Which of the query's terms stand in a field, how often and where; cut once for each batch."""
        if field not in self._matches:
            self._matches[field] = match_field(self.query_terms, [getattr(terms, field) for terms in self.terms])
        return self._matches[field]

    @cached_property
    def _matches(self) -> dict[TextField, FieldMatch]:
        return {}


@dataclass(frozen=True)
class Feature:
    """One number for each candidate. To add one: a module that makes a `Feature`, and its line in core/builtins.py.

    `monotone` 1 promises that a larger value never lowers the score, −1 that it never raises it. `praise` is what a
    shopper is told when the feature lifted a product, in English and Chinese; none: nothing that concerns shoppers.
    """

    name: str
    compute: Callable[[RankingBatch], Floats]
    """float64 [n], finite or NaN."""
    en: str
    zh: str
    monotone: Literal[-1, 0, 1] = 0
    praise: tuple[str, str] | None = None

    def describe(self, language: str = "en") -> str:
        """What it says, in `zh` or else in English."""
        return self.zh if language == "zh" else self.en


def all_features() -> tuple[Feature, ...]:
    """Every registered feature: built-ins as listed, then those of other packages by name.

    Raises:
        ConfigurationError: a feature of another package cannot be loaded.
    """
    own = list(BUILTINS["feature"])
    others = [name for name in plugins.names("feature") if name not in own]
    return tuple(plugins.resolve("feature", name) for name in (*own, *others))


def feature_named(name: str) -> Feature:
    """One feature.

    Raises:
        ConfigurationError: no such feature.
    """
    feature: Feature = plugins.resolve("feature", name)
    return feature


def matrix(features: Sequence[Feature], batch: RankingBatch) -> Floats:
    """All features of all candidates: [n, len(features)]. Cost: about 3 ms for 200 candidates."""
    table = np.empty((len(batch), len(features)), np.float64)
    for number, feature in enumerate(features):
        table[:, number] = feature.compute(batch)
    return table
