"""A rule in the words of those who run the shop: when it holds, and what it then does."""

from collections.abc import Mapping
from typing import Any

import orjson

from lingsou.console.labels import Labels
from lingsou.console.ops.conditions import Condition, rows_of
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

_MOST = 4


def conditions(rule: Rule, labels: Labels) -> list[str]:
    """When the rule holds, a sentence for each kind of condition."""
    text, when = labels.text, rule.when
    said: list[str] = []
    if when.queries:
        named = [text(f"is_{pattern.kind}", words=pattern.text) for pattern in when.queries]
        said.append(_some(named, labels, text("or")))
    elif all(isinstance(action, Synonyms) for action in rule.then):
        said.append(text("when_heard"))
    if when.categories:
        said.append(text("when_category", names=_some([labels.value(each) for each in when.categories], labels)))
    if time := when.time:
        if time.starts or time.ends:
            bounds = [f"{each:%Y-%m-%d %H:%M}" if each else "" for each in (time.starts, time.ends)]
            said.append(text("when_dates", starts=bounds[0] or "…", ends=bounds[1] or "…"))
        if time.days:
            said.append(text("and").join(text(f"day_{day}") for day in time.days))
        if time.hours:
            said.append(text("when_hours", starts=f"{time.hours[0]:%H:%M}", ends=f"{time.hours[1]:%H:%M}"))
    if when.lists != ("search",):
        said.append(text("when_lists", names=_some([text(f"list_{each}") for each in when.lists], labels)))
    if audience := when.audience:
        everyone = [*audience.locales, *audience.devices, *audience.segments]
        if everyone:
            said.append(text("when_audience", names=_some(everyone, labels)))
    return said or [text("when_always")]


def actions(rule: Rule, labels: Labels) -> list[tuple[str, str]]:
    """(name of the action, what it does) of each."""
    return [(action.do, _action(action, labels)) for action in rule.then]


def _action(action: Action, labels: Labels) -> str:
    text = labels.text
    match action:
        case Synonyms(words=words, to=to):
            return f"{_some(list(words), labels)} → {_some(list(to), labels)}" if to else " = ".join(words[:_MOST])
        case Boost(filter=condition, weight=weight):
            return f"+{weight:g} · {filter_words(condition, labels)}"
        case Bury(filter=condition, weight=weight):
            return f"−{weight:g} · {filter_words(condition, labels)}"
        case PinProducts(ids=ids, position=position):
            return text("does_pin", ids=_some(list(ids), labels), position=position)
        case Hide(ids=ids, filter=condition):
            parts = [_some(list(ids), labels)] if ids else []
            return " · ".join([*parts, *([filter_words(condition, labels)] if condition else [])])
        case FilterResults(filter=condition):
            return filter_words(condition, labels)
        case Redirect(url=url):
            return url
        case ShowBanner(text=words):
            return words


def filter_words(condition: Mapping[str, Any], labels: Labels) -> str:
    """A filter as it would be said; as JSON where that would be too long a sentence."""
    rows = rows_of(condition)
    if rows is None:
        return orjson.dumps(dict(condition)).decode()
    return labels.text("and").join(_row(row, labels) for row in rows)


def _row(row: Condition, labels: Labels) -> str:
    text = labels.text
    name = labels.field(row.field)
    values = text("or").join(labels.value(each) for each in row.value.split("|"))
    return text(f"row_{row.operator}", name=name, value=values)


def _some(names: list[str], labels: Labels, joint: str = "") -> str:
    shown = (joint or labels.text("and")).join(names[:_MOST])
    return labels.text("and_more", names=shown, count=len(names) - _MOST) if len(names) > _MOST else shown
