"""What the service understood and what the shopper chose, as chips: each is a link to the view without it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lingsou.console.browsing import Browse
from lingsou.console.labels import Labels
from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.text.negation import find_negations

_JOINT = re.compile(r"\s*(?:和|与|跟|或者?|、|,|，|/|and\b|or\b)\s*", re.IGNORECASE)
_JOINT_BEFORE = re.compile(rf"{_JOINT.pattern}$", re.IGNORECASE)
_LEAST_CONFIDENCE = 0.5
"""Of names; the service lets weaker ones lift nothing either."""


@dataclass(frozen=True)
class Chip:
    """One condition, and the address without it."""

    label: str
    url: str
    hard: bool = True
    """Whether it keeps products out, or only lifts those that have it."""


def understood(plan: QueryPlan | None, browse: Browse, labels: Labels, currency: str) -> list[Chip]:
    """A chip for each limit, refusal and name read from the words; where readings overlap, the surest one."""
    if plan is None:
        return []
    taken: list[tuple[int, int]] = []
    chips = []
    for belief in sorted(_beliefs(plan), key=lambda each: (isinstance(each, Entity), -each.confidence)):
        if any(belief.start < end and start < belief.end for start, end in taken):
            continue
        taken.append((belief.start, belief.end))
        label = _entity(belief, labels) if isinstance(belief, Entity) else _constraint(belief, labels, currency)
        hard = isinstance(belief, Constraint) and belief.hard
        target = browse.but(q=without_span(plan.read, belief.start, belief.end))
        chips.append((belief.start, Chip(label, target.url, hard)))
    return [chip for _, chip in sorted(chips, key=lambda each: each[0])]


def chosen(browse: Browse, labels: Labels, currency: str) -> list[Chip]:
    """A chip for each filter of the address."""
    text = labels.text
    chips = [
        Chip(f"{labels.field(field)}: {labels.value(value)}", browse.without_value(field, value).url)
        for field, value in browse.chosen
    ]
    if browse.low is not None or browse.high is not None:
        bounds = {"gte": browse.low, "lte": browse.high}
        label = _bounds(text.field("price") or "", bounds, labels, currency)
        chips.append(Chip(label, browse.but(low=None, high=None).url))
    if browse.in_stock:
        chips.append(Chip(text("in_stock_only"), browse.but(in_stock=False).url))
    return chips


def without_span(raw: str, start: int, end: int) -> str:
    """The words without one piece; what refused it (`不要`, `without`) goes with it."""
    negations = find_negations(raw)
    for negation in negations:
        if negation.start < end and start < negation.end:
            start, end = min(start, negation.start), max(end, negation.end)
            if sum(each.cue_start == negation.cue_start for each in negations) == 1:
                start = negation.cue_start
            elif joint := _JOINT.match(raw, end):  # of several refusals the others stay refused
                end = joint.end()
            elif joint := _JOINT_BEFORE.search(raw, 0, start):
                start = joint.start()
            break
    apart = " " if raw[:start][-1:].isascii() and raw[end : end + 1].isascii() else ""
    return " ".join(f"{raw[:start]}{apart}{raw[end:]}".split())


def _beliefs(plan: QueryPlan) -> Iterator[Constraint | Entity]:
    yield from plan.constraints
    yield from (each for each in plan.entities if each.values and each.confidence >= _LEAST_CONFIDENCE)


def _entity(entity: Entity, labels: Labels) -> str:
    name = entity.surface if entity.kind != "category" else labels.value(entity.values[0])
    label = f"{labels.field(entity.field)}: {name}"
    return labels.text("not", name=label) if entity.negated else label


def _constraint(constraint: Constraint, labels: Labels, currency: str) -> str:
    name = labels.field(constraint.field)
    condition = constraint.condition
    if "not" in condition:
        return labels.text("not", name=constraint.surface)
    if condition.keys() & {"gt", "gte", "lt", "lte"}:
        return _bounds(name, condition, labels, currency if constraint.field == "price" else None)
    return f"{name}: {constraint.surface}"


def _bounds(name: str, condition: Mapping[str, Any], labels: Labels, currency: str | None) -> str:
    def shown(bound: Any) -> str:
        if bound is None:
            return ""
        return labels.money(Decimal(str(bound)), currency) if currency is not None else f"{float(bound):g}"

    low = shown(condition.get("gte", condition.get("gt")))
    high = shown(condition.get("lte", condition.get("lt")))
    key = "between" if low and high else "at_least" if low else "at_most"
    return labels.text(key, name=name, low=low, high=high)
