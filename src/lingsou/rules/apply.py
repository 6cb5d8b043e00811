"""What a set of rules asks of one search, contradictions settled: the stronger rule first, hiding before pinning."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lingsou.core.plan import Expansion
from lingsou.core.types import AppliedRule, Banner
from lingsou.rules.match import Matched
from lingsou.rules.schema import (
    Action,
    Boost,
    Bury,
    FilterResults,
    Hide,
    PinProducts,
    Redirect,
    Rule,
    ShowBanner,
    Synonyms,
)
from lingsou.text.segment import Segmenter

MOST_LIFT = 2.0
"""What all boosts of a search, or all its buryings, may add up to: with words and meaning on top still less than an
exact identifier counts."""


@dataclass(frozen=True)
class Lift:
    """Products that pass `filter` (of the request's grammar) score `weight` higher, or lower where it is negative."""

    filter: Mapping[str, Any]
    weight: float
    rule: Rule


@dataclass(frozen=True)
class Restriction:
    """Only products that pass `filter` are shown."""

    filter: Mapping[str, Any]
    rule: Rule


@dataclass(frozen=True)
class PinnedProduct:
    """A product at a 1-based place. No two share a place, and none stands twice."""

    id: str
    position: int
    rule: Rule


@dataclass(frozen=True)
class Effects:
    """What the rules that hold ask of one search."""

    expansions: tuple[Expansion, ...] = ()
    lifts: tuple[Lift, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    pins: tuple[PinnedProduct, ...] = ()
    redirect: str | None = None
    banners: tuple[Banner, ...] = ()
    applied: tuple[AppliedRule, ...] = ()


NO_EFFECTS = Effects()


@dataclass
class _Gathered:
    """Effects while rules are added, the strongest first."""

    expansions: dict[tuple[str, str], Expansion] = field(default_factory=dict)
    lifts: list[Lift] = field(default_factory=list)
    restrictions: list[Restriction] = field(default_factory=list)
    pins: dict[str, PinnedProduct] = field(default_factory=dict)
    redirect: str | None = None
    banners: list[Banner] = field(default_factory=list)

    def pin(self, action: PinProducts, rule: Rule) -> str:
        taken = {pin.position for pin in self.pins.values()}
        position = action.position
        for id_ in action.ids:
            if id_ in self.pins:
                continue
            while position in taken:
                position += 1
            taken.add(position)
            self.pins[id_] = PinnedProduct(id_, position, rule)
        own = [pin for pin in self.pins.values() if pin.rule is rule and pin.id in action.ids]
        return "pin " + ", ".join(f"{pin.id} at {pin.position}" for pin in own) if own else ""

    def expand(self, typed: str, names: Iterable[str], weight: float, rule: Rule, segmenter: Segmenter) -> None:
        for name in names:
            term = " ".join(dict.fromkeys(segmenter.terms(name)))
            known = self.expansions.get((typed, term))
            if term and (known is None or known.weight < weight):
                self.expansions[typed, term] = Expansion(term=term, weight=weight, source=f"rule {rule.id}", of=typed)


def effects_of(matched: Sequence[Matched], segmenter: Segmenter) -> Effects:
    """What the matched rules, strongest first, ask of a search."""
    if not matched:
        return NO_EFFECTS
    gathered = _Gathered()
    applied = tuple(
        AppliedRule(
            id=each.rule.id,
            name=each.rule.name,
            did=tuple(
                said
                for place, action in enumerate(each.rule.then)
                if (said := _add(gathered, action, each.rule, each.heard.get(place, ()), segmenter))
            ),
        )
        for each in matched
    )
    return Effects(
        expansions=tuple(gathered.expansions.values()),
        lifts=_bounded(gathered.lifts),
        restrictions=tuple(gathered.restrictions),
        pins=tuple(sorted(gathered.pins.values(), key=lambda pin: pin.position)),
        redirect=gathered.redirect,
        banners=tuple(gathered.banners),
        applied=applied,
    )


def _add(gathered: _Gathered, action: Action, rule: Rule, heard: Sequence[int], segmenter: Segmenter) -> str:
    """Take up one action; what it did, or nothing."""
    match action:
        case Synonyms(words=words, to=to, weight=weight):
            if not heard:
                return ""
            typed = [words[place] for place in heard]
            others = to or tuple(word for word in words if word not in typed)
            for word in typed:
                gathered.expand(word, others, weight, rule, segmenter)
            return f"synonyms of {', '.join(typed)}: {', '.join(others)}" if others else ""
        case Boost(filter=condition, weight=weight):
            gathered.lifts.append(Lift(condition, weight, rule))
            return f"boost by {weight:g}: {_shown(condition)}"
        case Bury(filter=condition, weight=weight):
            gathered.lifts.append(Lift(condition, -weight, rule))
            return f"bury by {weight:g}: {_shown(condition)}"
        case PinProducts():
            return gathered.pin(action, rule)
        case Hide(ids=ids, filter=condition):
            if ids:
                gathered.restrictions.append(Restriction({"id": {"not": list(ids)}}, rule))
            if condition:
                gathered.restrictions.append(Restriction({"not": condition}, rule))
            return "hide " + ", ".join([*ids, *([_shown(condition)] if condition else [])])
        case FilterResults(filter=condition):
            gathered.restrictions.append(Restriction(condition, rule))
            return f"filter {_shown(condition)}"
        case Redirect(url=url):
            if gathered.redirect:
                return ""
            gathered.redirect = url
            return f"redirect to {url}"
        case ShowBanner():
            banner = Banner(rule=rule.id, text=action.text, url=action.url, image=action.image)
            gathered.banners.append(banner)
            return f"banner: {action.text}"


def _bounded(lifts: Sequence[Lift]) -> tuple[Lift, ...]:
    """The lifts, those of one direction scaled down together where they add up to more than `MOST_LIFT`."""
    sums: dict[bool, float] = defaultdict(float)
    for lift in lifts:
        sums[lift.weight > 0] += abs(lift.weight)
    scale = {up: min(1.0, MOST_LIFT / total) for up, total in sums.items()}
    return tuple(Lift(lift.filter, lift.weight * scale[lift.weight > 0], lift.rule) for lift in lifts)


def _shown(condition: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(condition)).decode()
