"""Merchandising rules in a list of recommendations: which hold, and what becomes of the list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from lingsou.core.types import Product, Recommendation, RecommendRequest
from lingsou.pipeline.merchandising import NOTHING, Merchandising, asked_in, filtered_categories
from lingsou.retrieval.engine import EngineQuery, IndexView
from lingsou.retrieval.filters import AllOf, FieldKind, Filter, Terms
from lingsou.rules import RuleIndex, Situation

DEPTH = 60
"""Products, at least, among which boosts and buryings choose."""

_REASON = ("Chosen by the shop", "店铺推荐")


def list_rules(
    rules: RuleIndex | None,
    request: RecommendRequest,
    fields: Mapping[str, FieldKind],
    moment: datetime,
    products: Callable[[Sequence[str]], Mapping[str, Product]],
) -> Merchandising:
    """What the rules ask of a list. It is about the categories of `items`, and those that the request filters by."""
    if not rules or not rules.act_on(request.kind):
        return NOTHING
    about = [" > ".join(each.category) for each in products(request.items).values()] if request.items else []
    context = request.context
    situation = Situation(
        q="",
        moment=moment,
        categories=tuple(dict.fromkeys(filter(None, (*filtered_categories(request.filters), *about)))),
        locale=context.locale,
        device=context.device,
        segments=context.segments,
        list=request.kind,
    )
    return asked_in(rules, situation, fields, rules.segmenter)


def arranged(
    items: Sequence[Recommendation],
    asks: Merchandising,
    request: RecommendRequest,
    index: IndexView,
    limits: tuple[Filter, ...],
    products: Callable[[Sequence[str]], Mapping[str, Product]],
) -> tuple[Recommendation, ...]:
    """The list with boosts and buryings in its order, pinned products at their places, and cut to its length.

    The first of m products counts 1, the next 1 − 1/m and so on: scores of different sources do not compare.
    """
    worth = {each.id: 1 - place / len(items) for place, each in enumerate(items)}
    for boost in asks.boosts:
        for id_ in _passing(index, list(worth), (boost.condition,)):
            worth[id_] += boost.weight
    left_out = {*request.exclude, *request.items}
    wanted = [pin for pin in asks.pins if pin.id not in left_out]
    passing = _passing(index, [pin.id for pin in wanted], limits)
    found = products([id_ for id_ in passing if id_ not in worth])
    known = {each.id: each for each in items} | {id_: _pinned(each, request) for id_, each in found.items()}
    pins = [pin for pin in wanted if pin.id in passing and pin.id in known]
    at_place = {pin.id for pin in pins}
    order = [each for each in sorted(items, key=lambda each: -worth[each.id]) if each.id not in at_place]
    for pin in pins:  # in order of their places
        order.insert(pin.position - 1, known[pin.id])
    return tuple(order[: request.n])


def _passing(index: IndexView, ids: Sequence[str], limits: Iterable[Filter]) -> set[str]:
    if not ids:
        return set()
    query = EngineQuery(filters=AllOf((Terms("id", tuple(ids), ()), *limits)), limit=len(ids), collapse=False)
    return set(index.search(query).candidates.ids)


def _pinned(product: Product, request: RecommendRequest) -> Recommendation:
    chinese = (request.context.locale or "").lower().startswith("zh")
    reason = _REASON[chinese] if request.explain else None
    return Recommendation(id=product.id, score=0.0, product=product, reason=reason)
