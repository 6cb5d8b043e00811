"""A query as searches ask it of the engine, with no request around it: for fits, reports and benchmarks.

As in a search, the query is understood, its hard limits are filters that are dropped when nothing fits, its wishes and
its category are boosts. Unlike there, the encoder has all the time it needs, merchandising rules do not act, and every
variant counts by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lingsou.core.plan import QueryPlan
from lingsou.encoders import read_heads
from lingsou.encoders.calibration import group_of
from lingsou.encoders.encoder import Encoder
from lingsou.pipeline.understanding import Understanding, boosts_of, filters_of, with_categories
from lingsou.retrieval.engine import EngineQuery, EngineResult, MatchedQuery, QueryVector, SearchEngine
from lingsou.retrieval.filters import EVERYTHING, FieldKind, parse_filters


class PlannedSearch:
    """Searches by text. `understanding` has been refreshed; without an encoder, words alone are compared."""

    def __init__(self, engine: SearchEngine, understanding: Understanding, encoder: Encoder | None):
        self._engine = engine
        self._understanding = understanding
        self._encoder = encoder

    def vector(self, text: str) -> QueryVector | None:
        """The query's vector; none for no words or without an encoder."""
        if self._encoder is None or not text.strip():
            return None
        return QueryVector(self._encoder.encode_queries([text])[0], group_of(text), self._encoder.fingerprint)

    def matched(self, text: str) -> "PlannedQuery":
        """Understand and match once, for all that is asked afterwards."""
        plan = self._understanding.plan(text)
        if plan is None:
            query = EngineQuery(text=text, vector=self.vector(text), collapse=False)
            return PlannedQuery(query, self._engine.match(query), None)
        vector, outputs = None, None
        if self._encoder is not None and plan.text.strip():
            outputs = read_heads(self._encoder, [plan.text])[0]
            vector = QueryVector(outputs.sentence, group_of(plan.text), self._encoder.fingerprint)
        plan, likely = self._understanding.learned(plan, outputs)
        fields = self._engine.fields()
        query = EngineQuery(
            text=plan.text,
            vector=vector,
            expansions=plan.expansions,
            filters=parse_filters(filters_of(plan, fields), fields),
            collapse=False,
        )
        matched = self._engine.match(query)
        plan = with_categories(plan, matched, likely)
        return PlannedQuery(replace(query, boosts=boosts_of(plan, fields)), matched, plan)

    def fields(self) -> Mapping[str, FieldKind]:
        """What can be filtered by now."""
        return self._engine.fields()

    def query(self, text: str) -> EngineQuery:
        """What the engine is asked, page aside."""
        return self.matched(text).query

    def search(self, text: str, limit: int) -> EngineResult:
        """The best `limit` products."""
        return self.matched(text).best(limit)


@dataclass(frozen=True)
class PlannedQuery:
    """A query with its plan, matched against one state of the index."""

    query: EngineQuery
    matched: MatchedQuery
    plan: QueryPlan | None

    def best(self, limit: int) -> EngineResult:
        """The best `limit` products."""
        query = replace(self.query, limit=limit)
        found = self.matched.answer(query)
        return found if found.total else self.matched.answer(replace(query, filters=EVERYTHING))

    def of(self, ids: Sequence[str]) -> EngineResult:
        """The given products, unknown ones left out, in their order."""
        return self.matched.score(self.query, ids)
