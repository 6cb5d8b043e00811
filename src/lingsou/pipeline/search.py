"""One search from request to answer: plan, vector, filters, engine, products, highlights, explanation."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from lingsou.core.types import Explanation, Hit, Product, SearchRequest, SearchResponse, StageTime
from lingsou.pipeline.encoding import Encoded, QueryEncoder
from lingsou.pipeline.highlight import highlight
from lingsou.pipeline.understanding import Understanding, boosts_of, filters_of, relaxed_notice
from lingsou.retrieval.engine import EngineQuery, EngineResult, SearchEngine
from lingsou.retrieval.filters import AllOf, parse_filters
from lingsou.text.segment import Segmenter

HIGHLIGHTED = ("title", "short_description")


class ProductSource(Protocol):
    """Where the products of a page come from: the store."""

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """Products by external id; unknown ids are left out."""
        ...


class SearchPipeline:
    """Composes the stages. Stateless between requests and safe to share between threads."""

    def __init__(
        self,
        products: ProductSource,
        engine: SearchEngine,
        segmenter: Segmenter,
        encoder: QueryEncoder | None = None,
        understanding: Understanding | None = None,
    ):
        self._products = products
        self._engine = engine
        self._segmenter = segmenter
        self._encoder = encoder
        self._understanding = understanding

    def search(self, request: SearchRequest) -> SearchResponse:
        """Answer one request.

        Raises:
            RequestError: an unknown field or a malformed filter or facet.
            StorageError: the store cannot be read.
        """
        clock = _Clock()
        fields = self._engine.fields()
        plan = None
        if self._understanding and request.understand and request.q.strip():
            with clock.stage("understand"):
                plan = self._understanding.plan(request.q)
            clock.fell_back("the catalogue's words are loading" if plan is None else None)
        text = request.q if plan is None else plan.text
        encoded = Encoded(None)
        if self._encoder and text.strip():
            with clock.stage("encode"):
                encoded = self._encoder.encode(text)
            clock.fell_back(encoded.fallback)
        with clock.stage("plan"):
            asked = parse_filters(request.filters, fields)
            limits = filters_of(plan, fields) if plan else {}
            query = EngineQuery(
                text=text,
                vector=encoded.vector,
                boosts=boosts_of(plan, fields) if plan else (),
                filters=AllOf((asked, parse_filters(limits, fields))) if limits else asked,
                facets=request.facets,
                sort=request.sort,
                offset=(request.page - 1) * request.page_size,
                limit=request.page_size,
                collapse=request.collapse,
            )
        notices: tuple[str, ...] = ()
        with clock.stage("retrieve"):
            result = self._engine.search(query)
            if plan and limits and not result.total:
                query = replace(query, filters=asked)
                result = self._engine.search(query)
                notices = (relaxed_notice(plan),) if result.total else ()
        with clock.stage("fetch"):
            products = self._products.get(result.candidates.ids)
        with clock.stage("present"):
            hits = self._hits(request, query, result, products)
        return SearchResponse(
            query_id=uuid.uuid4().hex,
            total=result.total,
            hits=hits,
            facets=result.facets,
            plan=plan,
            notices=notices,
            page=request.page,
            page_size=request.page_size,
            took_ms=clock.total_ms(),
            stages=tuple(clock.stages),
        )

    def similar(self, product_id: str, filters: Mapping[str, Any], limit: int) -> SearchResponse:
        """The products nearest in meaning to one.

        Raises:
            NotFoundError: the index holds no such product.
            RequestError: a malformed filter.
        """
        clock = _Clock()
        with clock.stage("retrieve"):
            result = self._engine.similar(product_id, parse_filters(filters, self._engine.fields()), limit)
        with clock.stage("fetch"):
            products = self._products.get(result.candidates.ids)
        with clock.stage("present"):
            hits = self._hits(SearchRequest(), EngineQuery(), result, products)
        return SearchResponse(
            query_id=uuid.uuid4().hex,
            total=result.total,
            hits=hits,
            page=1,
            page_size=limit,
            took_ms=clock.total_ms(),
            stages=tuple(clock.stages),
        )

    def _hits(
        self, request: SearchRequest, query: EngineQuery, result: EngineResult, products: dict[str, Product]
    ) -> tuple[Hit, ...]:
        candidates = result.candidates
        # A product deleted after the index was read is no longer in the store: it is left out.
        found = [(place, products[id_]) for place, id_ in enumerate(candidates.ids) if id_ in products]
        explanations: Sequence[Explanation | None] = [None] * len(found)
        if request.explain:
            trees = self._engine.explain(query, [product for _, product in found])
            explanations = [_explained(request, place, tree) for (place, _), tree in zip(found, trees, strict=True)]
        terms = frozenset(self._segmenter.terms(query.text))
        return tuple(
            Hit.model_construct(
                id=product.id,
                score=float(candidates.scores[place]),
                product=product,
                variants=int(candidates.variants[place]),
                highlights=self._highlights(product, terms),
                explanation=explanation,
            )
            for (place, product), explanation in zip(found, explanations, strict=True)
        )

    def _highlights(self, product: Product, terms: frozenset[str]) -> dict[str, str]:
        if not terms:
            return {}
        marked = ((field, highlight(getattr(product, field), terms, self._segmenter)) for field in HIGHLIGHTED)
        return {field: text for field, text in marked if text is not None}


def _explained(request: SearchRequest, place: int, lexical: Explanation) -> Explanation:
    position = (request.page - 1) * request.page_size + place + 1
    detail = f"sorted by {request.sort}"
    if request.sort == "relevance" and not request.q.strip():
        detail = "no words: best sold first"
    return Explanation(name="position", value=position, detail=detail, children=(lexical,))


class _Clock:
    """Times the stages of one request, in milliseconds."""

    def __init__(self) -> None:
        self.stages: list[StageTime] = []
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stages.append(StageTime(stage=name, ms=round((time.perf_counter() - start) * 1_000, 3)))

    def fell_back(self, reason: str | None) -> None:
        """Note that the stage that ended last gave up, and why."""
        if reason:
            self.stages[-1] = self.stages[-1].model_copy(update={"fallback": reason})

    def total_ms(self) -> float:
        return round((time.perf_counter() - self._start) * 1_000, 3)
