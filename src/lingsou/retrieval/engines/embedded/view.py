"""What can be asked of one state of the index."""

from collections.abc import Mapping, Sequence

import numpy as np

from lingsou.core.types import Explanation, Product
from lingsou.encoders.calibration import Centring
from lingsou.retrieval.engine import EngineQuery, EngineResult, FieldContents
from lingsou.retrieval.engines.embedded.answering import answer, explain, similar
from lingsou.retrieval.engines.embedded.matched import Matched
from lingsou.retrieval.engines.embedded.state import State
from lingsou.retrieval.filters import AllOf, FieldKind
from lingsou.text.segment import Segmenter


class View:
    """`IndexView` over one state: each method looks at it once, so an engine may swap it between two calls."""

    def __init__(self, state: State, segmenter: Segmenter):
        self._state = state
        self._segmenter = segmenter

    @property
    def segmenter(self) -> Segmenter:
        """What cuts the texts."""
        return self._segmenter

    @property
    def generation(self) -> str:
        """The name of the generation that is read; empty where none fits."""
        return self._state.generation

    @property
    def sequence(self) -> int:
        """The store's sequence number that searches reflect."""
        return self._state.snapshot.sequence

    @property
    def size(self) -> int:
        """Products that can be found."""
        return self._state.snapshot.living

    def fields(self) -> Mapping[str, FieldKind]:
        """Every field that can be filtered or counted now."""
        return self._state.snapshot.fields

    def contents(self) -> FieldContents:
        """The values of brand, category and attributes with their counts."""
        return self._state.snapshot.contents()

    def terms(self) -> Mapping[str, int]:
        """The index's terms with the number of products of each."""
        return self._state.snapshot.terms()

    def match(self, query: EngineQuery) -> Matched:
        """Words, vector and expansions, matched once."""
        return Matched(self._state, query, self._segmenter)

    def search(self, query: EngineQuery) -> EngineResult:
        """Match, filter, count, order, cut: all over one snapshot."""
        return answer(self._state, query, self._segmenter)

    def similar(self, product_id: str, filters: AllOf, limit: int) -> EngineResult:
        """The products nearest in meaning to one."""
        return similar(self._state, product_id, filters, limit)

    def explain(self, query: EngineQuery, products: Sequence[Product]) -> list[Explanation]:
        """The tree of each product's score."""
        return explain(self._state, query, products, self._segmenter)

    def without_vectors(self, limit: int) -> list[tuple[int, int, str]]:
        """At most `limit` products without a vector, in the order of their rows."""
        snapshot = self._state.snapshot
        rows = snapshot.rows_without_vector()[:limit].tolist()
        return [(int(snapshot.numbers[row]), int(snapshot.versions[row]), snapshot.ids[row]) for row in rows]

    def count_without_vectors(self) -> int:
        """How many products have no vector yet."""
        return len(self._state.snapshot.rows_without_vector())

    def spread(self, limit: int) -> list[str]:
        """At most `limit` ids at even distances over the rows."""
        snapshot = self._state.snapshot
        rows = np.flatnonzero(snapshot.alive)
        chosen = rows[np.linspace(0, len(rows) - 1, min(limit, len(rows)), dtype=np.intp)] if len(rows) else rows
        return [snapshot.ids[row] for row in chosen.tolist()]

    @property
    def centring(self) -> Centring | None:
        """The means that vectors are centred by; none before the first fit."""
        return self._state.centring

    @property
    def centred_on(self) -> int:
        """From how many products the means were taken."""
        return self._state.manifest.centred_on
