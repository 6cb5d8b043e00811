"""One search from request to answer: plan, vector, filters, engine, products, highlights, explanation."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from lingsou.core.frozen import assembled
from lingsou.core.plan import QueryPlan
from lingsou.core.types import (
    Context,
    Explanation,
    Hit,
    Product,
    RankedItem,
    RankRequest,
    RankResponse,
    SearchRequest,
    SearchResponse,
    StageTime,
)
from lingsou.pipeline.encoding import Encoded, QueryEncoder
from lingsou.pipeline.highlight import highlight
from lingsou.pipeline.merchandising import NOTHING, Merchandising, Preview, categories_of, merchandise
from lingsou.pipeline.personal import Trails, preferences_of, preferred
from lingsou.pipeline.ranking import RankingStage, Reordered
from lingsou.pipeline.understanding import Understanding, boosts_of, filters_of, relaxed_notice, with_categories
from lingsou.retrieval.engine import EngineQuery, EngineResult, IndexView, MatchedQuery, SearchEngine
from lingsou.retrieval.filters import AllOf, parse_filters
from lingsou.rules import RuleBook, RuleIndex
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
        rules: RuleBook | None = None,
        ranking: RankingStage | None = None,
        trails: Trails | None = None,
    ):
        self._products = products
        self._view: Callable[[], IndexView] = engine.view
        self._segmenter = segmenter
        self._encoder = encoder
        self._understanding = understanding
        self._rules = rules
        self._ranking = ranking
        self._trails = trails

    def without(self, *stages: Literal["encoder", "understanding", "ranking"]) -> "SearchPipeline":
        """The same searches without some stages, for comparisons."""
        varied = copy(self)
        for stage in stages:
            setattr(varied, f"_{stage}", None)
        return varied

    def over(self, index: IndexView) -> "SearchPipeline":
        """The same searches over one state of an index, for comparisons."""
        varied = copy(self)
        varied._view = lambda: index
        return varied

    def search(self, request: SearchRequest) -> SearchResponse:
        """Answer one request.

        Raises:
            RequestError: an unknown field or a malformed filter or facet.
            StorageError: the store cannot be read.
        """
        # The service's own clock: a shopper who names another time must not see what is not on sale yet.
        return self._answer(request, self._rules.index if self._rules else None, datetime.now(UTC))

    def preview(self, request: SearchRequest, draft: RuleIndex) -> Preview:
        """Answer one request twice, under the published rules and under `draft`, at `context.time` if it is given.

        Raises:
            RequestError: an unknown field or a malformed filter or facet.
        """
        moment = request.context.time or datetime.now(UTC)
        published = self._rules.index if self._rules else None
        return Preview(live=self._answer(request, published, moment), draft=self._answer(request, draft, moment))

    def _answer(self, request: SearchRequest, rules: RuleIndex | None, moment: datetime) -> SearchResponse:
        clock = _Clock()
        # The engine may move on meanwhile; one request sees one state.
        index = self._view()
        fields = index.fields()
        plan = None
        if self._understanding and request.understand and request.q.strip():
            with clock.stage("understand"):
                plan = self._understanding.plan(request.q, correct=request.correct)
            clock.fell_back("the catalogue's words are loading" if plan is None else None)
        asks, about = NOTHING, categories_of(request, plan)
        if rules:
            with clock.stage("rules"):
                asks = merchandise(rules, request, about, moment, fields, self._segmenter)
        text = request.q if plan is None else plan.text
        encoded = Encoded(None)
        if self._encoder and text.strip():
            with clock.stage("encode"):
                encoded = self._encoder.encode(text)
            clock.fell_back(encoded.fallback)
        likely: Mapping[str, float] = {}
        with clock.stage("plan"):
            if plan and self._understanding:
                plan, likely = self._understanding.learned(plan, encoded.outputs)
            asked = parse_filters(request.filters, fields)
            limits = filters_of(plan, fields) if plan else {}
            own = EngineQuery(
                text=text,
                vector=encoded.vector,
                expansions=plan.expansions if plan else (),
                filters=AllOf((asked, parse_filters(limits, fields))) if limits else asked,
                facets=request.facets,
                sort=request.sort,
                offset=(request.page - 1) * request.page_size,
                limit=request.page_size,
                collapse=request.collapse,
            )
        notices: tuple[str, ...] = ()
        with clock.stage("retrieve"):
            matched = index.match(asks.over(own))
            if plan:
                plan = self._personal(with_categories(plan, matched, likely), request.context, moment)
                own = replace(own, boosts=(*boosts_of(plan, fields), *preferred(plan, fields)))
                # What the words find may tell what they are about, which some rules ask.
                if rules and (known := categories_of(request, plan)) != about and rules.ask_about(known):
                    expansions = asks.effects.expansions
                    asks = merchandise(rules, request, known, moment, fields, self._segmenter)
                    if asks.effects.expansions != expansions:
                        matched = index.match(asks.over(own))
            query = asks.over(own)
            result = matched.answer(query)
            if plan and limits and not result.total:
                query = asks.over(replace(own, filters=asked))
                result = matched.answer(query)
                notices = (relaxed_notice(plan),) if result.total else ()
        clock.fell_back("; ".join(asks.skipped))
        reordered: Reordered | str | None = None
        if self._ranking and self._ranking.active and request.sort == "relevance" and text.strip() and result.total:
            with clock.stage("rank"):
                before_rules = replace(query, boosts=own.boosts)
                reordered = self._ranking.reorder(
                    before_rules, matched, moment=moment, plan=plan, context=request.context
                )
                if isinstance(reordered, Reordered):
                    query = replace(query, lifts=reordered.lifts)
                    result = replace(matched.answer(replace(query, facets=())), facets=result.facets)
            clock.fell_back(reordered if isinstance(reordered, str) else None)
        learned = reordered if isinstance(reordered, Reordered) else None
        if learned and learned.reading:
            clock.told_apart("rerank", learned.reading.ms, learned.reading.fallback)
        with clock.stage("fetch"):
            ids = result.candidates.ids
            products = {id_: product for id_ in ids if learned and (product := learned.product(id_))}
            missing = [id_ for id_ in ids if id_ not in products]
            products |= self._products.get(missing) if missing else {}
        with clock.stage("present"):
            hits = self._hits(request, query, result, products, asks, matched, learned)
        return SearchResponse(
            query_id=uuid.uuid4().hex,
            total=result.total,
            total_is_exact=result.total_is_exact,
            hits=hits,
            facets=result.facets,
            plan=plan,
            notices=notices,
            redirect=asks.effects.redirect,
            banners=asks.effects.banners,
            rules=asks.effects.applied,
            page=request.page,
            page_size=request.page_size,
            took_ms=clock.total_ms(),
            stages=tuple(clock.stages),
        )

    def understand(self, q: str, *, explain: bool = False, correct: bool = True) -> QueryPlan | None:
        """What a search for these words would understand; none before the catalogue's words are learned.

        Args:
            q: as the shopper typed it.
            explain: say what each word does for what heads believe, for a forward pass of the encoder a word.
            correct: false takes the words as they are spelt.
        """
        if self._understanding is None or (plan := self._understanding.plan(q, correct=correct)) is None:
            return None
        encoded = self._encoder.encode(plan.text) if self._encoder else Encoded(None)
        found = self._understood(self._understanding, self._view(), plan, encoded)
        encoder = self._encoder.encoder if self._encoder else None
        return self._understanding.explained(found, encoder) if explain and encoder else found

    def understand_all(self, queries: Sequence[str], *, correct: bool = True) -> list[QueryPlan | None]:
        """As `understand` of each; their texts go through the encoder together, however long that takes."""
        understanding = self._understanding
        if understanding is None:
            return [None] * len(queries)
        plans = [understanding.plan(q, correct=correct) for q in queries]
        texts = [plan.text if plan else "" for plan in plans]
        encoded = self._encoder.encode_all(texts) if self._encoder else [Encoded(None)] * len(texts)
        view = self._view()
        return [
            plan and self._understood(understanding, view, plan, each)
            for plan, each in zip(plans, encoded, strict=True)
        ]

    @staticmethod
    def _understood(understanding: Understanding, view: IndexView, plan: QueryPlan, encoded: Encoded) -> QueryPlan:
        plan, likely = understanding.learned(plan, encoded.outputs)
        query = EngineQuery(text=plan.text, vector=encoded.vector, expansions=plan.expansions)
        return with_categories(plan, view.match(query), likely)

    def rank(self, request: RankRequest) -> RankResponse:
        """Order products that the caller brings by how well they answer a query, whether a search finds them or not.

        Words and limits act as in a search, except that nothing is filtered out; merchandising rules do not act.

        Raises:
            StorageError: the store cannot be read.
        """
        clock = _Clock()
        index, moment = self._view(), datetime.now(UTC)
        fields = index.fields()
        plan = self._understanding.plan(request.q) if self._understanding and request.understand else None
        text = request.q if plan is None else plan.text
        encoded = self._encoder.encode(text) if self._encoder and text.strip() else Encoded(None)
        query = EngineQuery(text=text, vector=encoded.vector, expansions=plan.expansions if plan else ())
        matched = index.match(query)
        if plan and self._understanding:
            plan, likely = self._understanding.learned(plan, encoded.outputs)
            plan = with_categories(plan, matched, likely)
            query = replace(query, boosts=boosts_of(plan, fields))
        ranking = self._ranking or RankingStage.without_model(self._products.get, self._segmenter)
        ids = tuple(dict.fromkeys(request.ids))
        found = ranking.rank(query, matched, ids, moment=moment, plan=plan, context=request.context)
        ordered = [found.products[place] for place in found.order.tolist()]
        why = found.explanations(product.id for product in ordered) if request.explain else {}
        items = tuple(
            RankedItem(
                id=product.id,
                score=float(found.scores[place]),
                explanation=why.get(product.id),
            )
            for place, product in zip(found.order.tolist(), ordered, strict=True)
        )
        known = {item.id for item in items}
        return RankResponse(
            items=items,
            unknown=tuple(id_ for id_ in ids if id_ not in known),
            ranker=ranking.version,
            reranker=found.reranked.version if found.reranked else None,
            took_ms=clock.total_ms(),
        )

    def similar(self, product_id: str, filters: Mapping[str, Any], limit: int) -> SearchResponse:
        """The products nearest in meaning to one.

        Raises:
            NotFoundError: the index holds no such product.
            RequestError: a malformed filter.
        """
        clock = _Clock()
        with clock.stage("retrieve"):
            index = self._view()
            result = index.similar(product_id, parse_filters(filters, index.fields()), limit)
        with clock.stage("fetch"):
            products = self._products.get(result.candidates.ids)
        with clock.stage("present"):
            hits = self._hits(SearchRequest(), EngineQuery(), result, products, NOTHING, None)
        return SearchResponse(
            query_id=uuid.uuid4().hex,
            total=result.total,
            total_is_exact=result.total_is_exact,
            hits=hits,
            page=1,
            page_size=limit,
            took_ms=clock.total_ms(),
            stages=tuple(clock.stages),
        )

    def _personal(self, plan: QueryPlan, context: Context, moment: datetime) -> QueryPlan:
        """The plan with the shopper's own preferences, unless a trained ranker knows better what they are worth."""
        if self._trails is None or self._understanding is None or (self._ranking and self._ranking.version):
            return plan
        if not context.personalise or not (context.user_id or context.session_id):
            return plan
        trail = self._trails(context, moment)
        found = preferences_of(plan, trail, self._understanding.values) if trail else ()
        return plan.model_copy(update={"preferences": found}) if found else plan

    def _hits(
        self,
        request: SearchRequest,
        query: EngineQuery,
        result: EngineResult,
        products: dict[str, Product],
        asks: Merchandising,
        matched: MatchedQuery | None,
        learned: Reordered | None = None,
    ) -> tuple[Hit, ...]:
        candidates = result.candidates
        # A product deleted after the index was read is no longer in the store: it is left out.
        found = [(place, products[id_]) for place, id_ in enumerate(candidates.ids) if id_ in products]
        explanations: Sequence[Explanation | None] = [None] * len(found)
        if request.explain and matched:
            trees = matched.explain(query, [product for _, product in found])
            order = learned.explanations(product.id for _, product in found) if learned else {}
            explanations = [
                _explained(
                    request,
                    place,
                    (tree, *filter(None, (order.get(product.id),)), *asks.explanations(product.id)),
                )
                for (place, product), tree in zip(found, trees, strict=True)
            ]
        terms = frozenset(self._segmenter.terms(query.text))
        return tuple(
            assembled(
                Hit,
                {
                    "id": product.id,
                    "score": float(candidates.scores[place]),
                    "product": product,
                    "variants": int(candidates.variants[place]),
                    "highlights": self._highlights(product, terms),
                    "explanation": explanation,
                    "propensity": learned.propensities.get(product.id) if learned else None,
                },
            )
            for (place, product), explanation in zip(found, explanations, strict=True)
        )

    def _highlights(self, product: Product, terms: frozenset[str]) -> dict[str, str]:
        if not terms:
            return {}
        marked = ((field, highlight(getattr(product, field), terms, self._segmenter)) for field in HIGHLIGHTED)
        return {field: text for field, text in marked if text is not None}


def _explained(request: SearchRequest, place: int, causes: tuple[Explanation, ...]) -> Explanation:
    position = (request.page - 1) * request.page_size + place + 1
    detail = f"sorted by {request.sort}"
    if request.sort == "relevance" and not request.q.strip():
        detail = "no words: best sold first"
    return Explanation(name="position", value=position, detail=detail, children=causes)


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

    def told_apart(self, part: str, ms: float, fallback: str | None) -> None:
        """Make a part of the stage that ended last a stage of its own."""
        whole = self.stages[-1]
        self.stages[-1] = whole.model_copy(update={"ms": round(whole.ms - ms, 3)})
        self.stages.append(StageTime(stage=part, ms=round(ms, 3), fallback=fallback))

    def total_ms(self) -> float:
        return round((time.perf_counter() - self._start) * 1_000, 3)
