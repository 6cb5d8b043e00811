"""The ranking stage: the best products by retrieval, reordered by the trained ranker, within its share of the time.

Nothing is reordered without a ranker. What it decides reaches the engine as a lift for each product, chosen so that
the ranker's first product gets the highest of the fused scores, its second the next, and so on: the scores of the block
stay what they were, only their owners change. So what lies behind the block stays behind it, every page is cut from
the same order, and rules that lift, bury and pin act on it afterwards as they would on the fused order.
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
from lingsou.ranking.artefact import current, load
from lingsou.ranking.diversity import diversify
from lingsou.ranking.explain import Asked, explain, language_of
from lingsou.ranking.exploration import explore
from lingsou.ranking.lambdamart import LambdaMart
from lingsou.ranking.ranker import Ranked, Ranker, order_of
from lingsou.retrieval.engine import EngineQuery, EngineResult, MatchedQuery
from lingsou.text.segment import Segmenter

Floats = NDArray[np.float64]
_GAP = 1e-5
"""Between scores of one block, so that float32 keeps their order."""
_NO_MODEL = LambdaMart((), 1.0, ())


@dataclass(frozen=True)
class Reordered:
    """The block in its new order: `order` [n] are candidates, best first. `lifts` is what the engine is told."""

    products: Sequence[Product]
    ranked: Ranked
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
            asked.append(Asked(place, self.products[place], rival))
        return dict(zip(numbers, explain(self.ranked, asked, self.plan, self.language), strict=True))

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
    ):
        self._folder = folder
        self._settings = settings
        self._candidates = candidates
        self._products = products
        self._ranker: Ranker | None = None
        self._version: str | None = None
        self._changing = threading.Lock()
        self.refresh()

    @classmethod
    def without_model(
        cls, products: Callable[[Sequence[str]], Mapping[str, Product]], segmenter: Segmenter
    ) -> "RankingStage":
        """A stage that leaves the fused order as it is."""
        return cls(None, RankingSettings(), CandidateFeatures(segmenter), products)

    @property
    def version(self) -> str | None:
        """The version that searches are ordered by; none: they are not reordered by a model."""
        return self._ranker.version if self._ranker else None

    def refresh(self) -> bool:
        """Take up the version in force; whether it was another. One that cannot be read is as none."""
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
        """Whether there is anything to do."""
        return self._ranker is not None or self._settings.diversity > 0 or self._settings.exploration > 0

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
        order = diversify(order_of(ranked.scores), ranked.scores, block, self._settings.diversity)
        shopper = context.session_id or context.user_id or ""
        explored = explore(order, self._settings.exploration, f"{moment:%Y-%m-%d} {shopper} {query.text}")
        lifts = _targets(found.candidates.scores) - found.candidates.scores[explored.order]
        numbers = found.candidates.numbers[explored.order]
        return Reordered(
            products=block,
            ranked=ranked,
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
        order = order_of(ranked.scores)
        return Reordered(block, ranked, order, (), {}, plan, language_of(plan, context.locale))

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


def _targets(scores: Floats) -> Floats:
    """The scores of a block, best first, each at least `_GAP` above the next, and the last above what follows."""
    steps = _GAP * np.arange(len(scores))
    ascending = np.sort(scores)
    return np.asarray((np.maximum.accumulate(ascending - steps) + steps + _GAP)[::-1])
