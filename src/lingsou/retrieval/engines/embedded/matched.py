"""One query matched once, for all that is asked of it afterwards."""

from collections.abc import Sequence

import numpy as np

from lingsou.core.types import Explanation, Product
from lingsou.retrieval.engine import EngineQuery, EngineResult
from lingsou.retrieval.engines.embedded.answering import answer, explain, matched_rows, score
from lingsou.retrieval.engines.embedded.selection import Selection, page
from lingsou.retrieval.engines.embedded.state import State
from lingsou.text.segment import Segmenter


class Matched:
    """`MatchedQuery` over one state."""

    def __init__(self, state: State, query: EngineQuery, segmenter: Segmenter):
        self._state = state
        self._segmenter = segmenter
        self._found = state.recent.of(query, lambda: matched_rows(state, query, segmenter))

    def neighbours(self, limit: int) -> tuple[tuple[str, float], ...]:
        """Category and score of the best rows. Cost: one pass over the match set."""
        if self._found is None:
            return ()
        snapshot = self._state.snapshot
        rows = self._found.rows
        keys = self._found.scores[rows].astype(np.float64)
        best = rows[page(snapshot, Selection(rows, keys, np.ones(len(rows), np.int64)), 0, limit)]
        groups = snapshot.groups[best]
        first = np.zeros(len(best), np.bool_)
        first[np.unique(groups, return_index=True)[1]] = True
        best = best[first | (groups < 0)]
        column = snapshot.keywords["category"]
        entries = column.entries_of(np.sort(best))
        paths: dict[int, str] = {}
        for row, code in zip(column.rows[entries].tolist(), column.codes[entries].tolist(), strict=True):
            # A product has its category and all that lie above it: the longest path is its own.
            paths[row] = max(paths.get(row, ""), column.vocabulary[code], key=len)
        scores = np.maximum(self._found.scores[best], 0).tolist()
        return tuple((paths.get(row, ""), score) for row, score in zip(best.tolist(), scores, strict=True))

    def answer(self, query: EngineQuery) -> EngineResult:
        """Filter, count, order, cut."""
        return answer(self._state, query, self._segmenter, self._found)

    def score(self, query: EngineQuery, ids: Sequence[str]) -> EngineResult:
        """Look the products up."""
        return score(self._state, query, ids, self._segmenter, self._found)

    def information(self, terms: Sequence[str]) -> tuple[float, ...]:
        """IDF over living products."""
        return tuple(map(self._state.scorer.idf, terms))

    def explain(self, query: EngineQuery, products: Sequence[Product]) -> list[Explanation]:
        """The tree of each product's score."""
        return explain(self._state, query, products, self._segmenter, self._found)
