"""A rule as a form that needs no script: from a rule to fields, from fields to a rule or to what is wrong in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import ValidationError

from lingsou.console.ops.conditions import OPERATORS, Condition, Operator, filter_of, rows_of
from lingsou.console.ops.forms import Form
from lingsou.core.errors import InputError
from lingsou.retrieval.filters import FieldKind
from lingsou.rules.schema import DAYS, LISTS, Action, Audience, Rule, TimeWindow

ACTIONS = ("synonyms", "boost", "bury", "pin", "hide", "filter", "redirect", "banner")
PATTERNS = ("exact", "prefix", "phrase", "words")
FILTERED = frozenset({"boost", "bury", "hide", "filter"})
_LISTS, _LINES = ("locales", "devices", "segments"), ("words", "to", "ids")
_ACTION_FIELDS: Mapping[str, tuple[str, ...]] = {
    "synonyms": ("words", "to", "weight"),
    "boost": ("weight",),
    "bury": ("weight",),
    "pin": ("ids", "position"),
    "hide": ("ids",),
    "filter": (),
    "redirect": ("url",),
    "banner": ("text", "url", "image"),
}
_MOST = 200


@dataclass(frozen=True)
class ActionForm:
    """One action: its own fields, and the rows of its filter."""

    do: str
    values: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    json: str = ""
    """The filter in the grammar of docs/http.md, where rows cannot say it."""


@dataclass(frozen=True)
class RuleForm:
    """What stands in the form. Errors name its fields `name`, `q.0`, `a.1.weight`, `a.1.filter` and the like."""

    values: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[tuple[str, str], ...] = ()
    """(kind, text) of each pattern."""
    days: tuple[str, ...] = ()
    actions: tuple[ActionForm, ...] = ()
    enabled: bool = True
    lists: tuple[str, ...] = ("search",)

    def with_action(self, action: ActionForm) -> "RuleForm":
        """One more action."""
        return replace(self, actions=(*self.actions, action))

    def without_action(self, place: int) -> "RuleForm":
        """One less."""
        return replace(self, actions=self.actions[:place] + self.actions[place + 1 :])


def form_of_rule(rule: Rule) -> RuleForm:
    """The form that shows a rule."""
    time, audience = rule.when.time or TimeWindow(), rule.when.audience or Audience()
    zone = ZoneInfo(time.timezone)
    values = {
        "id": rule.id,
        "name": rule.name,
        "priority": str(rule.priority),
        "categories": "\n".join(rule.when.categories),
        "timezone": time.timezone,
        **{name: ", ".join(getattr(audience, name)) for name in _LISTS},
    }
    for name, bound in (("starts", time.starts), ("ends", time.ends)):
        if bound:
            values[name] = time.moment(bound).astimezone(zone).replace(tzinfo=None).isoformat()
    if time.hours:
        values["from"], values["until"] = (each.isoformat() for each in time.hours)
    return RuleForm(
        values,
        tuple((pattern.kind, pattern.text) for pattern in rule.when.queries),
        time.days,
        tuple(_action_form(action) for action in rule.then),
        rule.enabled,
        rule.when.lists,
    )


def _action_form(action: Action) -> ActionForm:
    plain = action.model_dump(mode="json", exclude_none=True)
    values = {
        name: "\n".join(plain[name]) if name in _LINES else str(plain[name])
        for name in _ACTION_FIELDS[action.do]
        if name in plain
    }
    condition = plain.get("filter") or {}
    rows = rows_of(condition)
    if rows is None:
        return ActionForm(action.do, values, (), orjson.dumps(condition, option=orjson.OPT_INDENT_2).decode())
    return ActionForm(action.do, values, tuple(rows))


def form_of_fields(sent: Form) -> RuleForm:
    """The form as the browser sent it; empty pattern rows fall away."""
    places = range(min(_MOST, len(sent)))
    queries = tuple(
        (sent.get(f"q.{place}.kind", "words"), text.strip())
        for place in places
        if (text := sent.get(f"q.{place}.text", "")).strip()
    )
    actions = [_action_fields(sent, place) for place in places if sent.get(f"a.{place}.do") in ACTIONS]
    return RuleForm(
        {name: value.strip() for name, value in sent.items() if "." not in name},
        queries,
        tuple(day for day in DAYS if day in sent.getlist("days")),
        tuple(actions),
        "enabled" in sent,
        tuple(each for each in LISTS if each in sent.getlist("lists")) or ("search",),
    )


def _action_fields(sent: Form, place: int) -> ActionForm:
    do, start = sent[f"a.{place}.do"], f"a.{place}"
    values = {name: sent.get(f"{start}.{name}", "").strip() for name in _ACTION_FIELDS[do]}
    rows = [_condition_fields(sent, f"{start}.c.{row}") for row in range(_MOST) if f"{start}.c.{row}.field" in sent]
    return ActionForm(do, values, tuple(row for row in rows if not row.blank), sent.get(f"{start}.json", "").strip())


def _condition_fields(sent: Form, start: str) -> Condition:
    operator: Operator = next((each for each in OPERATORS if each == sent.get(f"{start}.op")), "is")
    return Condition(sent[f"{start}.field"].strip(), operator, sent.get(f"{start}.value", "").strip())


Errors = dict[str, tuple[str, str]]
"""Name of a field → (kind of error, what it says in English); kinds are those of pydantic, and our own."""


def rule_of(form: RuleForm, fields: Mapping[str, FieldKind]) -> tuple[Rule | None, Errors]:
    """The rule, or what is wrong, by field."""
    values, errors = form.values, Errors()
    raw: dict[str, Any] = {name: values[name] for name in ("id", "name", "priority") if values.get(name)}
    raw["enabled"] = form.enabled
    raw["then"] = [_raw_action(f"a.{place}", action, fields, errors) for place, action in enumerate(form.actions)]
    raw["when"] = _raw_conditions(form, errors)
    try:
        rule = Rule.model_validate(raw)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False):
            if each["loc"] == ("then",) and form.actions:
                continue  # counts only the actions that are right
            errors.setdefault(_field_of(each["loc"]), (each["type"], each["msg"].removeprefix("Value error, ")))
        return None, errors
    return (None if errors else rule), errors


def _raw_conditions(form: RuleForm, errors: Errors) -> dict[str, Any]:
    values = form.values
    when: dict[str, Any] = {
        "queries": [{kind: text} for kind, text in form.queries],
        "categories": _parts(values.get("categories", ""), "\n"),
    }
    if form.lists != ("search",):
        when["lists"] = form.lists
    time: dict[str, Any] = {name: values[name] for name in ("starts", "ends") if values.get(name)}
    if form.days:
        time["days"] = form.days
    hours = values.get("from", ""), values.get("until", "")
    if all(hours):
        time["hours"] = hours
    elif any(hours):
        errors["until" if hours[0] else "from"] = ("missing", "")
    if time:
        when["time"] = time | {"timezone": values.get("timezone") or "UTC"}
    audience = {name: _parts(values.get(name, ""), ",") for name in _LISTS if values.get(name)}
    if audience:
        when["audience"] = audience
    return when


def _raw_action(start: str, action: ActionForm, fields: Mapping[str, FieldKind], errors: Errors) -> dict[str, Any]:
    raw: dict[str, Any] = {"do": action.do}
    for name, text in action.values.items():
        if text:
            raw[name] = _parts(text, "\n") if name in _LINES else text
    if action.do not in FILTERED:
        return raw
    try:
        condition = orjson.loads(action.json) if action.json else filter_of(action.conditions, fields)
    except orjson.JSONDecodeError as error:
        errors[f"{start}.filter"] = ("json_invalid", str(error))
        condition = {"-": "-"}  # only so that nothing else is said of it
    except InputError as error:
        errors[f"{start}.filter"] = (error.message, "")
        condition = {"-": "-"}
    if condition or action.do != "hide":
        raw["filter"] = condition
    return raw


def _parts(text: str, separator: str) -> list[str]:
    """Lines, or what stands between commas of any kind."""
    if separator == ",":
        text = text.replace(",", ",").replace("、", ",")
    return [part for each in text.split(separator) if (part := each.strip())]


def _field_of(loc: tuple[int | str, ...]) -> str:
    """The form's name for a place in a rule, such as ('then', 0, 'boost', 'weight')."""
    match loc:
        case ("when", "queries", int(place), *_):
            return f"q.{place}"
        case ("when", "categories", *_):
            return "categories"
        case ("when", "time", str(name), *_):
            return "from" if name == "hours" else name
        case ("when", "time"):
            return "ends"
        case ("when", "audience", str(name), *_):
            return name
        case () | ("when",) | ("when", "lists", *_):
            return "lists"
        case ("then", int(place), _, str(name), *_):
            return f"a.{place}.{name}"
        case ("then", int(place), do, *_):
            return f"a.{place}.{'words' if do == 'synonyms' else 'ids'}"
        case ("then", *_):
            return "actions"
        case _:
            return str(loc[0])
