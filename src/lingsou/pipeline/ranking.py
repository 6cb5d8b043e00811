"""The ranking stage: the best products by retrieval, reordered by the trained ranker, within its share of the time.

The ranker orders the block by features; then the reranker, where there is one, reads the first few of that order and
permutes them. Without either nothing changes. The order reaches the engine as a lift for each product, chosen so that
the first product gets the highest of the fused scores, the second the next, and so on: the scores of the block stay
what they were, only their owners change. So what lies behind the block stays behind it, every page is cut from the
same order, and rules that lift, bury and pin act on it afterwards as they would on the fused order.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core.errors import LingsouError
from lingsou.core.plan import QueryPlan
from lingsou.core.settings import RankingSettings
from lingsou.core.types import Context, Explanation, Product
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.reranking import Reranking, TextScores
from lingsou.ranking.artefact import current, load
from lingsou.ranking.diversity import diversify
from lingsou.ranking.explain import Asked, explain, language_of, with_reranking
from lingsou.ranking.exploration import explore
from lingsou.ranking.lambdamart import LambdaMart
from lingsou.ranking.ranker import Ranked, Ranker, order_of
from lingsou.ranking.reranker import Reranked, rerank, to_read
from lingsou.retrieval.engine import EngineQuery, EngineResult, MatchedQuery
from lingsou.retrieval.fusion import EXACT_BONUS
from lingsou.text.segment import Segmenter

Floats = NDArray[np.float64]
_GAP = 1e-5
"""Between scores of one block, so that float32 keeps their order."""
_NO_MODEL = LambdaMart((), 1.0, ())


@dataclass(frozen=True)
class Reordered:
    """The block in its new order: `order` [n] are candidates, best first; `scores` [n] fall along it but where variety
    or exploration had their say. `lifts` is what the engine is told.

    `reading` is what the reranker said of the first few, if there is one; `reranked` the order that came of it.
    """

    products: Sequence[Product]
    ranked: Ranked
    reading: TextScores | None
    reranked: Reranked | None
    scores: Floats
    order: NDArray[np.intp]
    lifts: tuple[tuple[int, float], ...]
    propensities: Mapping[str, float]
    plan: QueryPlan | None
    language: str

    def product(self, product_id: str) -> Product | None:
        """A product of the block as it was read for this request."""
        number = self._numbers.get(product_id)
        return None if number is None else self.products[int(self.order[number])]

    def explanations(self, product_ids: Iterable[str]) -> dict[str, Explanation]:
        """Why each stands where it does; products behind the block are left out."""
        numbers = {id_: self._numbers[id_] for id_ in product_ids if id_ in self._numbers}
        asked = []
        for number in numbers.values():
            place, rival = int(self.order[number]), int(self.order[number - 1]) if number else None
            # What was read stands where it does by more than features: nobody knows which would let one pass.
            apart = self._read.isdisjoint((place, rival))
            asked.append(Asked(place, self.products[place], rival if apart else None))
        trees = explain(self.ranked, asked, self.plan, self.language)
        if self.reranked:
            trees = [with_reranking(tree, each.place, self.reranked) for tree, each in zip(trees, asked, strict=True)]
        return dict(zip(numbers, trees, strict=True))

    @cached_property
    def _read(self) -> frozenset[int]:
        return frozenset(self.reranked.read.tolist()) if self.reranked else frozenset()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Id → place in the new order."""
        return {self.products[place].id: number for number, place in enumerate(self.order.tolist())}


class RankingStage:
    """Holds the ranker in force. Safe to share between threads."""

    def __init__(
        self,
        folder: Path | None,
        settings: RankingSettings,
        candidates: CandidateFeatures,
        products: Callable[[Sequence[str]], Mapping[str, Product]],
        reranking: Reranking | None = None,
    ):
        self._reranking = reranking or Reranking(None, settings)
        self._folder = folder
        self._settings = settings
        self._candidates = candidates
        self._products = products
        self._ranker: Ranker | None = None
        self._version: str | None = None
        self._changing = threading.Lock()
        self._take_up()

    @classmethod
    def without_model(
        cls, products: Callable[[Sequence[str]], Mapping[str, Product]], segmenter: Segmenter
    ) -> "RankingStage":
        """A stage that leaves the fused order as it is."""
        return cls(None, RankingSettings(), CandidateFeatures(segmenter), products)

    @property
    def version(self) -> str | None:
        """The ranker's version; none: searches are not reordered by one."""
        return self._ranker.version if self._ranker else None

    def refresh(self) -> bool:
        """Take up the ranker in force, and begin to open such a reranker; whether it was another ranker."""
        self._reranking.refresh()
        return self._take_up()

    def warm_up(self) -> None:
        """Open the reranker in force, which takes seconds; searches do without until then."""
        self._reranking.warm_up()

    def close(self) -> None:
        """Release the reranker."""
        self._reranking.close()

    def _take_up(self) -> bool:
        """One that cannot be read is as none."""
        if self._folder is None or not self._settings.enabled:
            return False
        with self._changing:
            ranker: Ranker | None = None
            try:
                version = current(self._folder)
                if version == self._version:
                    return False
                self._version = version
                ranker = Ranker(load(self._folder, version).model, version) if version else None
            except (LingsouError, OSError) as error:
                log = structlog.get_logger("lingsou.ranking")
                log.error("the ranker cannot be used: results stay in the fused order", error=str(error))
            self._ranker = ranker
            return True

    @property
    def active(self) -> bool:
        """Whether there is anything to do, or to tell."""
        return self._reorders or self._reranking.reason is not None

    @property
    def _reorders(self) -> bool:
        chosen = self._settings.diversity > 0 or self._settings.exploration > 0
        return chosen or self._ranker is not None or self._reranking.model is not None

    def reorder(
        self,
        query: EngineQuery,
        matched: MatchedQuery,
        *,
        moment: datetime,
        plan: QueryPlan | None,
        context: Context,
    ) -> Reordered | str:
        """Reorder the best products of `query`, whose page, pins and facets do not count; a reason if it cannot be."""
        if not self._reorders:
            return self._reranking.reason or ""
        deadline = time.perf_counter() + self._settings.budget_ms / 1_000
        found = matched.answer(
            replace(query, sort="relevance", pins=(), facets=(), offset=0, limit=self._settings.depth, collapse=False)
        )
        products = self._products(found.candidates.ids)
        if len(products) < len(found.candidates.ids):
            return "products changed meanwhile"
        block = [products[id_] for id_ in found.candidates.ids]
        # Products met for the first time are cut into words; those that are done stay known for the next search.
        if not self._candidates.know(block, deadline):
            return "out of time"
        try:
            ranked = self._rank(query.text, matched, found, block, moment=moment, plan=plan, context=context)
        except Exception as error:  # noqa: BLE001 (whatever a plug-in's feature raises, the fused order stands)
            structlog.get_logger("lingsou.ranking").error("ranking failed", error=str(error))
            return "ranking failed"
        if time.perf_counter() > deadline:
            return "out of time"
        reading, reranked = self._reread(query.text, ranked, block)
        scores, order = _decided(ranked, reranked)
        order = diversify(order, scores, block, self._settings.diversity)
        shopper = context.session_id or context.user_id or ""
        explored = explore(order, self._settings.exploration, f"{moment:%Y-%m-%d} {shopper} {query.text}")
        lifts = _targets(found.candidates.scores) - found.candidates.scores[explored.order]
        numbers = found.candidates.numbers[explored.order]
        return Reordered(
            products=block,
            ranked=ranked,
            reading=reading,
            reranked=reranked,
            scores=scores,
            order=explored.order,
            lifts=tuple(zip(numbers.tolist(), lifts.tolist(), strict=True)),
            propensities={block[place].id: chance for place, chance in explored.propensities.items()},
            plan=plan,
            language=language_of(plan, context.locale),
        )

    def rank(
        self,
        query: EngineQuery,
        matched: MatchedQuery,
        ids: Sequence[str],
        *,
        moment: datetime,
        plan: QueryPlan | None,
        context: Context,
    ) -> Reordered:
        """Rank the given products for a query, whether they match or not; unknown ones are left out."""
        found = matched.score(query, ids)
        products = self._products(found.candidates.ids)
        block = [products[id_] for id_ in found.candidates.ids if id_ in products]
        if len(block) < len(found.candidates.ids):
            return self.rank(query, matched, [each.id for each in block], moment=moment, plan=plan, context=context)
        ranked = self._rank(query.text, matched, found, block, moment=moment, plan=plan, context=context)
        reading, reranked = self._reread(query.text, ranked, block)
        scores, order = _decided(ranked, reranked)
        language = language_of(plan, context.locale)
        return Reordered(block, ranked, reading, reranked, scores, order, (), {}, plan, language)

    def _rank(
        self,
        text: str,
        matched: MatchedQuery,
        found: EngineResult,
        block: Sequence[Product],
        *,
        moment: datetime,
        plan: QueryPlan | None,
        context: Context,
    ) -> Ranked:
        ranker = self._ranker or Ranker(_NO_MODEL)
        batch = self._candidates.batch(text, matched, found, block, time=moment, plan=plan, context=context)
        return ranker.rank(batch, found.candidates.scores)

    def _reread(self, text: str, ranked: Ranked, block: Sequence[Product]) -> tuple[TextScores | None, Reranked | None]:
        """What the reranker says of the first few, and the order that comes of it; an exact identifier stays."""
        order = order_of(ranked.scores)
        read = to_read(order, ranked.base > EXACT_BONUS / 2, self._settings.rerank_depth)
        reading = self._reranking.score(text, [block[place] for place in read.tolist()]) if len(read) > 1 else None
        if reading is None or reading.scores is None:
            return reading, None
        weight = self._settings.rerank_weight
        return reading, rerank(order, ranked.scores, read, reading.scores, weight=weight, version=reading.version)


def _decided(ranked: Ranked, reranked: Reranked | None) -> tuple[Floats, NDArray[np.intp]]:
    """Scores and order, by the last who had a say."""
    return (reranked.scores, reranked.order) if reranked else (ranked.scores, order_of(ranked.scores))


def _targets(scores: Floats) -> Floats:
    """The scores of a block, best first, each at least `_GAP` above the next, and the last above what follows."""
    steps = _GAP * np.arange(len(scores))
    ascending = np.sort(scores)
    return np.asarray((np.maximum.accumulate(ascending - steps) + steps + _GAP)[::-1])
