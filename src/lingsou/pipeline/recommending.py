"""One recommendation from request to answer: history, source, filters, products, reasons."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core.errors import LingsouError
from lingsou.core.types import (
    Context,
    Product,
    Recommendation,
    RecommendKind,
    RecommendRequest,
    RecommendResponse,
    ShopperProfile,
)
from lingsou.features.events_view import Trail
from lingsou.features.live import LiveEvents
from lingsou.pipeline.recommended_rules import DEPTH, arranged, list_rules
from lingsou.ranking.diversity import diversify
from lingsou.recommend.artefact import Artefact, current, load
from lingsou.recommend.freshness import freshen
from lingsou.recommend.interactions import IdMap, Interactions, Ints, interactions
from lingsou.recommend.model import Model
from lingsou.recommend.profile import profile_of
from lingsou.recommend.recommender import Recommended, recommend
from lingsou.recommend.shoppers import kinds_of, steps
from lingsou.retrieval.engine import EngineQuery, IndexView
from lingsou.retrieval.filters import AllOf, Filter, Not, Range, Terms, parse_filters
from lingsou.rules import RuleBook

Products = Callable[[Sequence[str]], Mapping[str, Product]]
_CHOICE = 3
"""So many times more than asked for are there to choose a varied and fresh list from."""
_MORE, _AT_LEAST = 4, 60
"""So many times more than asked for are looked at, and so many beyond that, before filters are worked out in full."""
_REASONS: Mapping[str, tuple[str, str]] = {
    "for-you": ("Because you looked at {title}", "因为您看过{title}"),
    "session": ("Because you looked at {title}", "因为您看过{title}"),
    "similar": ("Similar to {title}", "与{title}相似"),
    "bought-together": ("Often bought together with {title}", "常与{title}一起购买"),
    "replenish": ("You bought it before and may need it again", "您曾购买，可能又需要了"),
    "trending": ("Sought more than usual just now", "近期热度上升"),
    "popularity": ("Popular with other shoppers", "大家都在看"),
    "sales": ("Sells well", "热销商品"),
}
_ON_SALE = Not(Range("stock", high=0.0))
"""In stock, or not counted."""


@dataclass(frozen=True)
class _Answer:
    source: str
    found: Recommended
    because: Ints
    notices: tuple[str, ...] = ()


class Recommendations:
    """Holds the recommender in force. Safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        products: Products,
        view: Callable[[], IndexView],
        live: LiveEvents,
        diversity: float = 0.0,
        freshness: float = 0.0,
        rules: RuleBook | None = None,
    ):
        self._folder = folder
        self._diversity = diversity
        self._freshness = freshness
        self._rules = rules
        self._products = products
        self._view = view
        self._live = live
        self._artefact: Artefact | None = None
        self._version: str | None = None
        self._changing = threading.Lock()
        self.refresh()

    @property
    def version(self) -> str | None:
        """The recommender's version; none: answers are the shop's best sellers."""
        return self._artefact.version if self._artefact else None

    def refresh(self) -> bool:
        """Take up the recommender in force; whether it was another. One that cannot be read leaves the one before."""
        with self._changing:
            try:
                version = current(self._folder)
                if version == self._version:
                    return False
                self._version = version
                self._artefact = load(self._folder, version) if version else None
            except (LingsouError, OSError) as error:
                log = structlog.get_logger("lingsou.recommend")
                log.error("the recommender cannot be used: the one before stays", error=str(error))
            return True

    def answer(self, request: RecommendRequest) -> RecommendResponse:
        """Answer one request.

        Raises:
            RequestError: an unknown field or a malformed filter.
            StorageError: the store cannot be read.
        """
        start = time.perf_counter()
        index = self._view()
        fields = index.fields()
        asks = list_rules(
            self._rules.index if self._rules else None, request, fields, datetime.now(UTC), self._products
        )
        limits = (_ON_SALE, *parse_filters(request.filters, fields).children, *asks.restrictions)
        listed = request.model_copy(update={"n": max(request.n, DEPTH)}) if asks.boosts else request
        artefact = self._artefact
        why = "the recommender cannot be read" if self._version else "no recommender was trained yet"
        notices: tuple[str, ...] = (f"{why}: lingsou train recommend",)
        items: tuple[Recommendation, ...] = ()
        source, version = "sales", None
        if artefact is not None:
            version = artefact.version
            answer = self._asked(artefact.model, listed, index, limits)
            source, notices = answer.source, answer.notices
            items = self._shown(artefact.model, listed, answer)
        if not items and request.kind not in ("replenish", "bought-together"):
            if artefact is not None:
                notices = (*notices, "nothing is known to recommend: best sellers instead")
            source, items = "sales", self._best_sellers(listed, index, limits)
        if asks.boosts or asks.pins:
            source = source if items else "rules"
            items = arranged(items, asks, request, index, limits, self._products)
        return RecommendResponse(
            query_id=uuid.uuid4().hex,
            kind=request.kind,
            source=source,
            items=items,
            model=version,
            notices=notices,
            rules=asks.effects.applied,
            took_ms=(time.perf_counter() - start) * 1_000,
        )

    def shopper(self, context: Context) -> ShopperProfile:
        """What is known of a shopper, and what comes of the running session; without consent nothing is.

        Raises:
            StorageError: the store cannot be read.
        """
        now, artefact = datetime.now(UTC), self._artefact
        trail = self._trail(context, now)
        known = ShopperProfile(events=0, notices=("nothing is known of the shopper",))
        if trail is not None:
            chances, notices = _chances(artefact.model if artefact else None, trail.session(), now)
            told = {name: None if np.isnan(chance) else chance for name, chance in chances.items()}
            known = profile_of(trail, self._products([facts.id for facts in trail.facts]))
            known = known.model_copy(update={**told, "notices": notices})
        names = {"user_id": context.user_id, "session_id": context.session_id, "model": self.version}
        return known.model_copy(update=names)

    def _asked(self, model: Model, request: RecommendRequest, index: IndexView, limits: tuple[Filter, ...]) -> _Answer:
        history, notices = self._history(model, request)
        # What the shopper has is no news, but what is needed again is nothing else.
        seen = request.kind == "replenish"
        excluded = model.products.find(request.exclude)
        allowed = np.ones(history.n_items, np.bool_)
        allowed[excluded[excluded >= 0]] = False
        source = _SOURCES[request.kind]
        if source == "session" and model.session.model is None:
            source, notices = "blend", (*notices, "too few sessions were known at the training: as for you")
        elif source == "session":
            allowed[history.items[-1:]] = False  # it is what the shopper looks at already
        if request.kind == "trending" and not model.sources["trending"].score(history).any():
            source, notices = "popularity", (*notices, "nothing trends just now: what is popular instead")

        blend = {"blend": model.blend, "session": model.session}.get(source)

        def best(count: int, available: NDArray[np.bool_]) -> Recommended:
            if blend is not None:
                return blend.recommend(history, count, available=available)
            return recommend(model.sources[source], history, count, available=available, seen=seen)

        wanted = _CHOICE * request.n if self._chosen_from(source) else request.n
        found = self._filtered(best(_MORE * request.n + _AT_LEAST, allowed), model, wanted, index, limits)
        if len(found.items[0]) < request.n:
            found = best(wanted, allowed & _passing(model, index, limits))
            found = _cut(found, found.items[0] >= 0, wanted)
        speaker = blend or model.sources[source]
        return _Answer(source, found, speaker.because(history, found.items), notices)

    def _filtered(
        self, found: Recommended, model: Model, n: int, index: IndexView, limits: tuple[Filter, ...]
    ) -> Recommended:
        ids = [str(model.products.names[item]) for item in found.items[0].tolist() if item >= 0]
        if not ids:
            return _cut(found, found.items[0] >= 0, n)
        passed = set(_ids(index, (Terms("id", tuple(ids), ()), *limits), len(ids)))
        kept = np.zeros(found.items.shape[1], np.bool_)
        kept[: len(ids)] = [id_ in passed for id_ in ids]
        return _cut(found, kept, n)

    def _history(self, model: Model, request: RecommendRequest) -> tuple[Interactions, tuple[str, ...]]:
        """What this shopper did, and then looked at in the request itself; products unknown to the model left out."""
        now = datetime.now(UTC)
        trail = None if request.kind in _ABOUT_ITEMS and request.items else self._trail(request.context, now)
        if trail and request.kind == "session":
            trail = trail.session()
        moment = round(now.timestamp() * 1_000)
        ids = [facts.id for facts in trail.facts] if trail else []
        items = model.products.find([*ids, *request.items])
        rows = interactions(
            np.zeros(len(items), np.int64),
            np.maximum(items, 0),
            np.concatenate([_times(trail, moment), np.full(len(request.items), moment)]),
            np.concatenate([kinds_of(trail.actions if trail else ()), np.zeros(len(request.items), np.int8)]),
            n_users=1,
            n_items=len(model.products),
        )
        known = rows.where(items >= 0)
        notices = ("nothing is known of the shopper",) if not len(known.items) and request.kind not in _FOR_ALL else ()
        own = replace(known, now=moment)
        return (own if request.kind == "replenish" else steps(own)), notices

    def _trail(self, context: Context, now: datetime) -> Trail | None:
        if not context.personalise or not (context.user_id or context.session_id):
            return None
        view = self._live.view((), "", context, now)
        return view.trail if view else None

    def _shown(self, model: Model, request: RecommendRequest, answer: _Answer) -> tuple[Recommendation, ...]:
        names = model.products.names
        ids = [str(names[item]) for item in answer.found.items[0].tolist()]
        reasons = [str(names[item]) if item >= 0 else None for item in answer.because[0].tolist()]
        products = self._products([*ids, *(each for each in reasons if each)])
        kept = [
            place for place, id_ in enumerate(ids) if id_ in products
        ]  # some may be deleted since the index was read
        scores = answer.found.scores[0].astype(np.float64)[kept]
        order = np.arange(len(kept))
        if self._chosen_from(answer.source):
            candidates = [products[ids[place]] for place in kept]
            order = diversify(order, scores, candidates, self._diversity)
            order = freshen(order, candidates, datetime.now(UTC), request.n, self._freshness)
        return tuple(
            Recommendation(
                id=ids[place],
                score=float(answer.found.scores[0, place]),
                product=products[ids[place]],
                because=reasons[place] if request.explain else None,
                reason=_reason(request, answer.source, products.get(reasons[place] or "")) if request.explain else None,
            )
            for place in (kept[number] for number in order[: request.n].tolist())
        )

    def _chosen_from(self, source: str) -> bool:
        """Whether a list is chosen from a longer one. Beside a product or a cart likeness is what is asked for."""
        return source in ("blend", "session") and max(self._diversity, self._freshness) > 0

    def _best_sellers(
        self, request: RecommendRequest, index: IndexView, limits: tuple[Filter, ...]
    ) -> tuple[Recommendation, ...]:
        without = {*request.exclude, *request.items}
        count = request.n + len(without)
        found = index.search(EngineQuery(filters=AllOf(limits), sort="sales", limit=count)).candidates.ids
        ids = [id_ for id_ in found if id_ not in without][: request.n]
        products = self._products(ids)
        reason = _reason(request, "sales", None) if request.explain else None
        return tuple(
            Recommendation(id=id_, score=0.0, product=products[id_], reason=reason) for id_ in ids if id_ in products
        )


_SOURCES: Mapping[RecommendKind, str] = {
    "for-you": "blend",
    "session": "session",
    "similar": "similar",
    "bought-together": "bought-together",
    "trending": "trending",
    "replenish": "replenish",
}
_ABOUT_ITEMS = ("similar", "bought-together")
_FOR_ALL = ("trending",)


def _times(trail: Trail | None, moment: int) -> Ints:
    """When each action was, in milliseconds like the moment."""
    return np.zeros(0, np.int64) if trail is None else moment - np.rint(trail.age_s * 1_000).astype(np.int64)


def _chances(model: Model | None, session: Trail, now: datetime) -> tuple[dict[str, float], tuple[str, ...]]:
    """`will_buy` and `will_leave` of a running session, NaN where nobody can tell, and why not."""
    nothing = {"will_buy": float("nan"), "will_leave": float("nan")}
    if model is None or not model.behaviour.known:
        return nothing, ("too few sessions were known at the training: lingsou train recommend",)
    if not len(session):
        return nothing, ("no session is running",)
    places = IdMap().add([facts.id for facts in session.facts])
    times = _times(session, round(now.timestamp() * 1_000))
    running = interactions(np.zeros(len(places), np.int64), places, times, kinds_of(session.actions))
    found = model.behaviour.chances(running)
    notices = ("too few sessions bought to tell who will",) if np.isnan(found.buys[0]) else ()
    return {"will_buy": float(found.buys[0]), "will_leave": float(found.leaves[0])}, notices


def _reason(request: RecommendRequest, source: str, because: Product | None) -> str:
    chinese = (request.context.locale or "").lower().startswith("zh")
    key: str = request.kind if because or request.kind in ("replenish", "trending") else "popularity"
    if source in ("sales", "popularity"):
        key = source
    return _REASONS[key][chinese].format(title=because.title if because else "")


def _ids(index: IndexView, limits: tuple[Filter, ...], most: int) -> tuple[str, ...]:
    return index.search(EngineQuery(filters=AllOf(limits), limit=most, collapse=False)).candidates.ids


def _passing(model: Model, index: IndexView, limits: tuple[Filter, ...]) -> NDArray[np.bool_]:
    """Which of the model's items pass the filters."""
    items = model.products.find(_ids(index, limits, len(model.products) * 2 + 1_000))
    passed = np.zeros(len(model.products), np.bool_)
    passed[items[items >= 0]] = True
    return passed


def _cut(found: Recommended, kept: NDArray[np.bool_], n: int) -> Recommended:
    """The first n of one user's list that are kept."""
    places = np.flatnonzero(kept)[:n]
    return Recommended(found.items[:, places], found.scores[:, places])
