"""How a query is understood, and a form to say what it means instead."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lingsou.console.ops.desk import desk_of, form_of, labels_of, show, to
from lingsou.console.ops.forms import Form
from lingsou.core.errors import InputError, NotFoundError
from lingsou.core.plan import QueryPlan
from lingsou.core.types import MAX_QUERY_LENGTH
from lingsou.pipeline.labelling import categories_of, checked_label
from lingsou.query.intents import INTENTS
from lingsou.query.labels import QueryLabel, new_label
from lingsou.retrieval.engine import SearchEngine

router = APIRouter(prefix="/understand", include_in_schema=False)
_MOST_BELIEFS = 3
_MOST_SUGGESTED, _MOST_LABELS = 300, 200
_EMPTY_NAMES = 3
_KINDS = ("brand", "category", "product", "model")


class Belief(NamedTuple):
    """One line of the plan; `what` names the text of its kind."""

    what: str
    told: str
    source: str
    confidence: float
    negated: bool = False


class Named(NamedTuple):
    """Some words of the query, and what they are."""

    words: str
    kind: str


@router.get("")
def ask(request: Request) -> Response:
    """The plan of a query with the form; without a query, what was said so far."""
    q = request.query_params.get("q", "").strip()[:MAX_QUERY_LENGTH]
    return _page(request, q)


@router.post("")
async def say(request: Request) -> Response:
    """Keep what the form says of a query, or take it back."""
    return await run_in_threadpool(_say, request, form_of(request))


def _say(request: Request, form: Form) -> Response:
    q = form.get("q", "").strip()[:MAX_QUERY_LENGTH]
    labels = desk_of(request).shop.labels
    if not q:
        return to("/understand")
    if form.get("do") == "forget":
        labels.add(new_label(q, forget=True))
        return to("/understand", q=q, done="label_forgotten")
    engine = desk_of(request).shop.engine
    said: dict[str, Any] = {name: form.get(name, "").strip() or None for name in ("intent", "category", "sentiment")}
    try:
        if form.get("names"):
            said["entities"] = spans_of(q, named_in(form))
        changed = labels.add(checked_label(lambda: categories_of(engine), q, **said))
    except WordsError as error:
        told = labels_of(request).text("teach_words_wrong", words=error.message)
        return _page(request, q, form, {"names": told}, 422)
    except (InputError, NotFoundError) as error:
        field = error.field if error.field in ("intent", "category", "sentiment") else "names"
        return _page(request, q, form, {field: f"{error.message} {error.cure}"}, 422)
    return to("/understand", q=q, done="label_kept" if changed else "label_same")


class WordsError(InputError):
    """Words that the query does not have, or not there; they are the message."""


def named_in(form: Form) -> list[Named]:
    """The names that a form lists; those without words are left out."""
    pairs = zip(form.getlist("words"), form.getlist("kind"), strict=False)
    return [Named(words.strip(), kind) for words, kind in pairs if words.strip()]


def spans_of(q: str, names: list[Named]) -> list[dict[str, Any]]:
    """Where the words of each name stand in the query, each behind the one before.

    Raises:
        WordsError: they do not.
    """
    place, found = 0, []
    for words, kind in names:
        start = q.find(words, place)
        if start < 0:
            raise WordsError(words, field="names", cure="Words as they stand in the query, from left to right.")
        place = start + len(words)
        found.append({"start": start, "end": place, "kind": kind})
    return found


def _page(
    request: Request, q: str, form: Form | None = None, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    shop = desk_of(request).shop
    shop.labels.refresh()
    plan = shop.pipeline.understand(q) if q else None
    label = shop.labels.of(q) if q else None
    categories = sorted(categories_of(shop.engine))
    return show(
        request,
        "understand.html",
        status,
        q=q,
        plan=plan,
        beliefs=list(beliefs(plan)) if plan else [],
        values=_values(label) if form is None else {name: form.get(name, "") for name in _values(None)},
        names=[*(_names(plan, label) if form is None else named_in(form)), *[Named("", "brand")] * _EMPTY_NAMES],
        kinds=kinds_of(shop.engine),
        intents=INTENTS,
        categories=categories[:_MOST_SUGGESTED],
        errors=errors or {},
        label=label,
        labels_said=[(each, _names(None, each)) for each in shop.labels.all()[:_MOST_LABELS]],
    )


def beliefs(plan: QueryPlan) -> Iterator[Belief]:
    """What is believed of a query, line by line, the likeliest first."""
    for intent in plan.intents[:_MOST_BELIEFS]:
        yield Belief("intent", intent.intent, intent.source, intent.probability)
    for category in plan.categories[:_MOST_BELIEFS]:
        yield Belief("category", category.category, category.source, category.probability)
    for sentiment in plan.sentiment[:_MOST_BELIEFS]:
        yield Belief("sentiment", sentiment.sentiment, sentiment.source, sentiment.probability)
    for entity in plan.entities:
        field = entity.field.removeprefix("attributes.")
        values = " | ".join(entity.values[:_MOST_BELIEFS])
        told = f"{entity.surface} → {f'{field}: ' if entity.kind == 'attribute' else ''}{values}".removesuffix(" → ")
        yield Belief(entity.kind, told, entity.source, entity.confidence, entity.negated)
    for limit in plan.constraints:
        kind = "limit" if limit.hard else "wish"
        yield Belief(kind, f"{limit.surface} → {limit.field}", limit.source, limit.confidence)
    for name in plan.expansions:
        yield Belief("also", f"{name.of} → {name.term}".removeprefix(" → "), name.source, name.weight)


def kinds_of(engine: SearchEngine) -> list[str]:
    """What words of a query can be."""
    return [*_KINDS, *sorted(field for field in engine.contents().values if field.startswith("attributes."))]


def _values(label: QueryLabel | None) -> dict[str, str]:
    names = ("intent", "category", "sentiment")
    said = {name: (getattr(label, name) or "") if label else "" for name in names}
    return {**said, "names": "1" if label and label.entities is not None else ""}


def _names(plan: QueryPlan | None, label: QueryLabel | None) -> list[Named]:
    """What was said that the query names; else what was understood, of overlapping names the longer one."""
    if label is not None and label.entities is not None:
        return [Named(label.query[span.start : span.end], span.kind) for span in label.entities]
    found: list[Named] = []
    end = 0
    for each in sorted(plan.entities if plan else (), key=lambda each: (each.start, -each.end, -each.confidence)):
        if each.start >= end and not each.negated:
            found.append(Named(each.surface, each.field if each.kind == "attribute" else each.kind))
            end = each.end
    return found
