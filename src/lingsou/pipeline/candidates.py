"""From what the engine found to the batch that ranking features are computed over, online and for training alike."""

from collections.abc import Callable, Sequence
from datetime import datetime
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from lingsou.core.plan import QueryPlan
from lingsou.core.types import Context, Product
from lingsou.features import RankingBatch, TermCache
from lingsou.features.events_view import EventView
from lingsou.retrieval.engine import EngineResult, MatchedQuery
from lingsou.retrieval.fusion import EXACT_BONUS
from lingsou.text.segment import Segmenter

EventsNow = Callable[[Sequence[str], str, Context, datetime], EventView | None]
"""Product ids, the shopper's words, the context, the moment → what shoppers did before it; none: not known."""
QualityNow = Callable[[Sequence[str]], NDArray[np.float64] | None]
"""Product ids → their scores by the quality checks; none: not known."""


class CandidateFeatures:
    """Makes batches; keeps the terms of products between them. Safe to share between threads."""

    def __init__(self, segmenter: Segmenter, events: EventsNow | None = None, quality: QualityNow | None = None):
        self._segmenter = segmenter
        self._events = events
        self._quality = quality
        self._cache = TermCache(segmenter)

    def know(self, products: Sequence[Product], deadline: float) -> bool:
        """Cut what is not known yet; whether all was done before `deadline` (of `time.perf_counter`)."""
        for product in products:
            self._cache.terms(product)
            if perf_counter() > deadline:
                return False
        return True

    def batch(
        self,
        text: str,
        matched: MatchedQuery,
        result: EngineResult,
        products: Sequence[Product],
        *,
        time: datetime,
        plan: QueryPlan | None = None,
        context: Context = Context(),  # noqa: B008 - frozen
        events: EventView | None = None,
    ) -> RankingBatch:
        """The candidates of `result`, whose products are given in the same order; `events` instead of those of now."""
        candidates = result.candidates
        terms = tuple(dict.fromkeys(self._segmenter.terms(text)))
        exact = candidates.scores > EXACT_BONUS / 2
        if events is None and self._events is not None:
            events = self._events(candidates.ids, plan.raw if plan else text, context, time)
        nothing = np.full(len(products), np.nan)
        lexical = candidates.legs.get("lexical", nothing)
        return RankingBatch(
            query_terms=terms,
            idf=np.asarray(matched.information(terms), np.float64),
            products=products,
            terms=[self._cache.terms(product) for product in products],
            fused=candidates.scores - EXACT_BONUS * exact,
            exact=exact,
            lexical=lexical / (result.lexical_ceiling or 1.0),
            vector=candidates.legs.get("vector", nothing),
            time=time,
            plan=plan,
            context=context,
            events=events,
            quality=self._quality(candidates.ids) if self._quality is not None else None,
        )
