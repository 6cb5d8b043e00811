"""Merchandising rules: what is live and what is drafted, the form, publishing, history and undo."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from lingsou.console.labels import Labels
from lingsou.console.ops import rule_words
from lingsou.console.ops.conditions import OPERATORS
from lingsou.console.ops.desk import author_of, desk_of, form_of, labels_of, show, to
from lingsou.console.ops.form_errors import problem_lines
from lingsou.console.ops.rule_form import (
    ACTIONS,
    FILTERED,
    PATTERNS,
    ActionForm,
    Errors,
    RuleForm,
    form_of_fields,
    form_of_rule,
    rule_of,
)
from lingsou.core.errors import ConflictError, InputError, NotFoundError
from lingsou.pipeline.merchandising import check_rules
from lingsou.rules.schema import DAYS, LISTS, Rule
from lingsou.rules.store import RuleSets

router = APIRouter(prefix="/rules", include_in_schema=False)
_PAGE = 50
_ZONES = ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Europe/London", "Europe/Berlin",
          "America/New_York", "America/Los_Angeles", "UTC")  # fmt: skip
_MOST_VALUES = 300


@dataclass(frozen=True)
class Entry:
    """One rule of the list: as it is drafted, and as it is live where that differs."""

    rule: Rule
    state: Literal["live", "added", "changed", "removed"]
    live: Rule | None = None


@router.get("")
def listed(request: Request) -> Response:
    """All rules, those first that publishing would change."""
    sets = desk_of(request).shop.rules.store.sets()
    wanted, page = request.query_params.get("q", "").strip().casefold(), _page(request)
    entries = [each for each in _entries(sets) if wanted in each.rule.model_dump_json().casefold()]
    shown = entries[(page - 1) * _PAGE : page * _PAGE]
    return show(
        request,
        "rules.html",
        sets=sets,
        entries=shown,
        total=len(entries),
        wanted=request.query_params.get("q", ""),
        page=page,
        pages=-(-len(entries) // _PAGE),
        undo=sets.version > 0,
        **_words(labels_of(request)),
    )


@router.get("/history")
def history(request: Request) -> Response:
    """Who published what and when, and the way back."""
    versions = desk_of(request).shop.rules.store.history(200)
    return show(request, "history.html", versions=versions, current=versions[0].version if versions else 0)


@router.get("/new")
def new(request: Request) -> Response:
    """An empty form, or one begun by another page: `q` the query, `do` the action, `id` a product."""
    asked = request.query_params
    q, product = asked.get("q", "").strip()[:200], asked.get("id", "")[:200]
    do = next((each for each in ACTIONS if each == asked.get("do")), None)
    actions = (ActionForm(do, {"words": q} if do == "synonyms" else {"ids": product} if product else {}),) if do else ()
    values = {"id": f"rule-{secrets.token_hex(3)}", "name": q, "timezone": _ZONES[0] if _is_chinese(request) else "UTC"}
    form = RuleForm(values, (("exact", q),) if q else (), actions=actions)
    return _form(request, form, creating=True)


@router.get("/edit")
def edit(request: Request) -> Response:
    """The form of one rule of the draft."""
    wanted = request.query_params.get("id", "")
    sets = desk_of(request).shop.rules.store.sets()
    return _form(request, form_of_rule(_drafted(sets, wanted)), creating=False, sets=sets)


@router.post("/save")
def save(request: Request) -> Response:
    """Keep the rule in the draft; or, by another button, show the form with one part more or less."""
    desk, sent = desk_of(request), form_of(request)
    form, creating, step = form_of_fields(sent), sent.get("creating") == "1", sent.get("step", "save")
    if step not in ("save", "preview"):
        return _form(request, *_stepped(form, step), creating=creating)
    fields, sets = desk.shop.engine.fields(), desk.shop.rules.store.sets()
    rule, errors = rule_of(form, fields)
    if creating and any(each.id == form.values.get("id") for each in (*sets.draft, *sets.published)):
        errors["id"] = ("taken", "")
    if rule is not None and not errors:
        try:
            check_rules([rule], fields)
            desk.shop.rules.store.put([rule], author_of(request), revision=_number(sent.get("revision")))
        except ConflictError as error:
            errors["form"] = ("conflict", error.message)
        except InputError as error:
            place = (error.field or "").split(".")
            errors[f"a.{place[1]}.filter" if place[0] == "then" else "form"] = ("refused", str(error))
    if rule is None or errors:
        return _form(request, form, creating=creating, errors=errors, status=422)
    if step == "preview":
        return to("/preview", q=rule.when.queries[0].text if rule.when.queries else sent.get("preview_q", ""))
    return to("/rules", done="saved")


@router.post("/delete")
def delete(request: Request) -> Response:
    """Take a rule out of the draft; what is live stays until the next publication."""
    sent = form_of(request)
    desk_of(request).shop.rules.store.remove([sent.get("id", "")], author_of(request))
    return to("/rules", done="deleted")


@router.post("/restore")
def restore(request: Request) -> Response:
    """Bring one rule of the draft back to what is live."""
    store, wanted = desk_of(request).shop.rules.store, form_of(request).get("id", "")
    sets = store.sets()
    live = next((rule for rule in sets.published if rule.id == wanted), None)
    if live is None:
        store.remove([wanted], author_of(request), revision=sets.revision)
    else:
        store.put([live], author_of(request), revision=sets.revision)
    return to("/rules", done="restored")


@router.post("/switch")
def switch(request: Request) -> Response:
    """Turn a rule on or off in the draft."""
    store = desk_of(request).shop.rules.store
    sets = store.sets()
    rule = _drafted(sets, form_of(request).get("id", ""))
    store.put([rule.model_copy(update={"enabled": not rule.enabled})], author_of(request), revision=sets.revision)
    return to("/rules", done="saved")


@router.post("/discard")
def discard(request: Request) -> Response:
    """Throw the whole draft away: back to what is live."""
    store = desk_of(request).shop.rules.store
    sets = store.sets()
    store.put(sets.published, author_of(request), revision=_number(form_of(request).get("revision")), replace=True)
    return to("/rules", done="discarded")


@router.post("/publish")
def publish(request: Request) -> Response:
    """Put the draft in force."""
    rules, sent = desk_of(request).shop.rules, form_of(request)
    check_rules(rules.store.sets().draft, desk_of(request).shop.engine.fields())
    note = sent.get("note", "").strip()[:500]
    rules.store.publish(author_of(request), note=note, revision=_number(sent.get("revision")))
    rules.refresh()
    return to("/rules/history", done="published")


@router.post("/undo")
def undo(request: Request) -> Response:
    """Put an older version in force again."""
    rules, sent = desk_of(request).shop.rules, form_of(request)
    rules.store.undo(author_of(request), to=_number(sent.get("to")), version=_number(sent.get("version")))
    rules.refresh()
    return to("/rules/history", done="undone")


def _entries(sets: RuleSets) -> list[Entry]:
    changes = {each.id: each.change for each in sets.changes}
    live = {rule.id: rule for rule in sets.published}
    entries = [Entry(rule, changes.get(rule.id, "live"), live.get(rule.id)) for rule in sets.draft]
    entries += [Entry(live[id_], "removed", live[id_]) for id_, change in changes.items() if change == "removed"]
    return sorted(entries, key=lambda each: (each.state == "live", each.rule.strength))


def _drafted(sets: RuleSets, wanted: str) -> Rule:
    found = next((rule for rule in sets.draft if rule.id == wanted), None)
    if found is None:
        raise NotFoundError(f"The draft has no rule '{wanted}'.", cure="Look at the list of rules.")
    return found


def _stepped(form: RuleForm, step: str) -> tuple[RuleForm, int]:
    """The form after a button that adds or removes a part, and how many empty pattern rows it shows."""
    what, _, which = step.partition("-")
    if what == "add" and which in ACTIONS:
        return form.with_action(ActionForm(which)), 1
    if what == "remove" and which.isdecimal():
        return form.without_action(int(which)), 1
    return form, 3 if what == "patterns" else 1


def _form(
    request: Request,
    form: RuleForm,
    blank: int = 1,
    *,
    creating: bool,
    errors: Errors | None = None,
    sets: RuleSets | None = None,
    status: int = 200,
) -> Response:
    desk, labels = desk_of(request), labels_of(request)
    shop, sent = desk.shop, getattr(request.state, "form", None)
    conflict = bool(errors and "form" in errors and errors["form"][0] == "conflict")
    kept = sent.get("revision") if sent is not None and not conflict else None
    shown_rows = replace(form, queries=(*form.queries, *[("words", "")] * blank))
    return show(
        request,
        "rule.html",
        status,
        form=shown_rows,
        errors=problem_lines(errors or {}, labels.text),
        creating=creating,
        revision=kept or (sets or shop.rules.store.sets()).revision,
        fields=_field_choices(desk.shop.engine.fields(), labels),
        suggested=_values(request),
        titles=_titles(request, form),
        kinds=ACTIONS,
        patterns=PATTERNS,
        operators=OPERATORS,
        filtered=FILTERED,
        days=DAYS,
        lists=LISTS,
        zones=_ZONES,
    )


def _field_choices(fields: Mapping[str, Any], labels: Labels) -> list[tuple[str, str]]:
    """(field, shown name), plain fields before attributes, by name."""
    return sorted(
        ((name, labels.field(name)) for name in fields),
        key=lambda each: (each[0].startswith("attributes."), each[0]),
    )


def _values(request: Request) -> list[str]:
    """Brands and categories that the shop has, offered while a value is typed."""
    contents = desk_of(request).shop.engine.contents()
    return [*contents.values.get("brand", ()), *contents.values.get("category", ())][:_MOST_VALUES]


def _titles(request: Request, form: RuleForm) -> dict[str, str]:
    """What the products are called that the form names by id; those that do not exist are missing."""
    named = {line.strip() for action in form.actions for line in action.values.get("ids", "").splitlines()}
    found = desk_of(request).shop.store.get(sorted(named - {""})[:200])
    return {id_: product.title for id_, product in found.items()}


def _words(labels: Labels) -> dict[str, Any]:
    """How templates say what a rule does."""
    return {
        "conditions": lambda rule: rule_words.conditions(rule, labels),
        "actions": lambda rule: rule_words.actions(rule, labels),
    }


def _is_chinese(request: Request) -> bool:
    return labels_of(request).language == "zh"


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def _page(request: Request) -> int:
    return max(_number(request.query_params.get("page")) or 1, 1)
