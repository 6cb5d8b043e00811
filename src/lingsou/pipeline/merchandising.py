"""Merchandising rules in a search: which hold for a request, and what they ask in the engine's terms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lingsou.core.errors import InputError, RequestError
from lingsou.core.plan import QueryPlan
from lingsou.core.types import Explanation, Frozen, SearchRequest, SearchResponse
from lingsou.retrieval.engine import Boost, EngineQuery, Pin
from lingsou.retrieval.filters import AllOf, FieldKind, parse_filters
from lingsou.rules import Effects, Lift, Rule, RuleIndex, Situation, effects_of
from lingsou.rules.apply import NO_EFFECTS, Restriction
from lingsou.text.segment import Segmenter

_BELIEVED = 0.5


class Preview(Frozen):
    """One request at one moment, answered under the published rules and under others."""

    live: SearchResponse
    draft: SearchResponse


@dataclass(frozen=True)
class Merchandising:
    """What the rules that hold ask of one search."""

    effects: Effects = NO_EFFECTS
    boosts: tuple[Boost, ...] = ()
    pins: tuple[Pin, ...] = ()
    restrictions: tuple[AllOf, ...] = ()
    skipped: tuple[str, ...] = ()
    """Parts of rules that the index of now does not understand: a field that no product has any more."""

    def over(self, query: EngineQuery) -> EngineQuery:
        """The query with all that the rules ask."""
        return replace(
            query,
            expansions=(*self.effects.expansions, *query.expansions),
            boosts=(*query.boosts, *self.boosts),
            pins=self.pins,
            filters=AllOf((query.filters, *self.restrictions)) if self.restrictions else query.filters,
        )

    def explanations(self, product_id: str) -> tuple[Explanation, ...]:
        """Of a pinned product: by which rule. Boosts stand in the engine's own explanation."""
        return tuple(
            Explanation(
                name="pin", value=pin.position, detail=f"rule {pin.rule.id}: {pin.rule.name}".removesuffix(": ")
            )
            for pin in self.effects.pins
            if pin.id == product_id
        )


NOTHING = Merchandising()


def merchandise(
    rules: RuleIndex,
    request: SearchRequest,
    categories: tuple[str, ...],
    moment: datetime,
    fields: Mapping[str, FieldKind],
    segmenter: Segmenter,
) -> Merchandising:
    """What `rules` ask of a search that is about `categories`."""
    context = request.context
    situation = Situation(
        q=request.q,
        moment=moment,
        categories=categories,
        locale=context.locale,
        device=context.device,
        segments=context.segments,
    )
    return asked_in(rules, situation, fields, segmenter)


def asked_in(
    rules: RuleIndex, situation: Situation, fields: Mapping[str, FieldKind], segmenter: Segmenter
) -> Merchandising:
    """What `rules` ask in a situation. A part that cannot be understood is left out: nothing fails by a rule."""
    effects = effects_of(rules.match(situation), segmenter)
    boosts: list[Boost] = []
    restrictions: list[AllOf] = []
    skipped: list[str] = []
    parts: tuple[Restriction | Lift, ...] = (*effects.restrictions, *effects.lifts)
    for part in parts:
        try:
            condition = parse_filters(part.filter, fields)
        except RequestError as error:
            skipped.append(f"rule {part.rule.id}: {error.message}")
            continue
        if isinstance(part, Lift):
            boosts.append(Boost(condition, part.weight, _named(part.rule)))
        else:
            restrictions.append(condition)
    pins = tuple(Pin(pin.id, pin.position) for pin in effects.pins)
    return Merchandising(effects, tuple(boosts), pins, tuple(restrictions), tuple(skipped))


def categories_of(request: SearchRequest, plan: QueryPlan | None) -> tuple[str, ...]:
    """The categories that a search is about: asked for, or more likely than not what the words are about."""
    return tuple(dict.fromkeys([*filtered_categories(request.filters), *_believed(plan)]))


def check_rules(rules: Iterable[Rule], fields: Mapping[str, FieldKind]) -> None:
    """Make sure that the index understands every filter of the rules.

    Raises:
        InputError: names the rule, its field and the cure.
    """
    for rule in rules:
        for place, action in enumerate(rule.then):
            condition: Mapping[str, Any] | None = getattr(action, "filter", None)
            if condition is None:
                continue
            try:
                parse_filters(condition, fields)
            except RequestError as error:
                field = ".".join(filter(None, (f"then.{place}.filter", error.field)))
                raise InputError(f"Rule '{rule.id}': {error.message}", field=field, cure=error.cure) from error


def _named(rule: Rule) -> str:
    return f"rule {rule.id}: {rule.name}" if rule.name else f"rule {rule.id}"


def _believed(plan: QueryPlan | None) -> Sequence[str]:
    """Categories that the words are about: named in them, or more likely than not."""
    if plan is None:
        return ()
    named = (
        value
        for entity in plan.entities
        if entity.kind == "category" and not entity.negated and entity.confidence >= _BELIEVED
        for value in entity.values
    )
    return (*named, *(belief.category for belief in plan.categories if belief.probability >= _BELIEVED))


def filtered_categories(filters: Mapping[str, Any]) -> Sequence[str]:
    """The categories that a request asks for."""
    condition = filters.get("category")
    if isinstance(condition, str):
        return (condition,)
    return [each for each in condition if isinstance(each, str)] if isinstance(condition, list | tuple) else ()
