"""One search from request to answer: filters, engine, products, highlights, explanation."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from lingsou.core.types import Explanation, Hit, Product, SearchRequest, SearchResponse, StageTime
from lingsou.pipeline.highlight import highlight
from lingsou.retrieval.engine import EngineQuery, EngineResult, SearchEngine
from lingsou.retrieval.filters import parse_filters
from lingsou.text.segment import Segmenter

HIGHLIGHTED = ("title", "short_description")


class ProductSource(Protocol):
    """Where the products of a page come from: the store."""

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """Products by external id; unknown ids are left out."""
        ...


class SearchPipeline:
    """Composes the stages. Stateless between requests and safe to share between threads."""

    def __init__(self, products: ProductSource, engine: SearchEngine, segmenter: Segmenter):
        self._products = products
        self._engine = engine
        self._segmenter = segmenter

    def search(self, request: SearchRequest) -> SearchResponse:
        """Answer one request.

        Raises:
            RequestError: an unknown field or a malformed filter or facet.
            StorageError: the store cannot be read.
        """
        clock = _Clock()
        with clock.stage("plan"):
            query = EngineQuery(
                text=request.q,
                filters=parse_filters(request.filters, self._engine.fields()),
                facets=request.facets,
                sort=request.sort,
                offset=(request.page - 1) * request.page_size,
                limit=request.page_size,
                collapse=request.collapse,
            )
        with clock.stage("retrieve"):
            result = self._engine.search(query)
        with clock.stage("fetch"):
            products = self._products.get(result.candidates.ids)
        with clock.stage("present"):
            hits = self._hits(request, result, products)
        return SearchResponse(
            query_id=uuid.uuid4().hex,
            total=result.total,
            hits=hits,
            facets=result.facets,
            page=request.page,
            page_size=request.page_size,
            took_ms=clock.total_ms(),
            stages=tuple(clock.stages),
        )

    def _hits(self, request: SearchRequest, result: EngineResult, products: dict[str, Product]) -> tuple[Hit, ...]:
        candidates = result.candidates
        # A product deleted after the index was read is no longer in the store: it is left out.
        found = [(place, products[id_]) for place, id_ in enumerate(candidates.ids) if id_ in products]
        explanations: Sequence[Explanation | None] = [None] * len(found)
        if request.explain:
            trees = self._engine.explain(request.q, [product for _, product in found])
            explanations = [_explained(request, place, tree) for (place, _), tree in zip(found, trees, strict=True)]
        terms = frozenset(self._segmenter.terms(request.q))
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

    def total_ms(self) -> float:
        return round((time.perf_counter() - self._start) * 1_000, 3)
