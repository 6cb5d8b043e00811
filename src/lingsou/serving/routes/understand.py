"""`/v1/understand`: what queries mean to this shop, without searching, and what they should mean instead."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from lingsou.core.errors import RequestError, StorageError
from lingsou.core.plan import QueryPlan
from lingsou.core.types import MAX_QUERY_LENGTH, Frozen
from lingsou.pipeline.labelling import categories_of, checked_label
from lingsou.query.labels import LabelledSpan, QueryLabel, new_label
from lingsou.serving.answers import json_response
from lingsou.serving.auth import WriteKey
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["search"])
_MOST = 256
_LEARNING: dict[int | str, dict[str, Any]] = {503: {"model": ProblemDetails}}
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key"},
    404: {"model": ProblemDetails, "description": "No product is in the category, or the query has no label"},
    422: {"model": ProblemDetails, "description": "The label makes no sense"},
}
Words = Annotated[str, Field(min_length=1, max_length=MAX_QUERY_LENGTH)]


class UnderstandRequest(Frozen):
    """A query to be understood."""

    q: str = Field(min_length=1, max_length=MAX_QUERY_LENGTH, examples=["蓝色T恤衫 50元到100元"])
    explain: bool = Field(False, description="say what each word does for what learned heads believe")
    correct: bool = Field(True, description="false: take the words as they are spelt")


class UnderstandBatch(Frozen):
    """Queries to be understood."""

    queries: tuple[Words, ...] = Field(min_length=1, max_length=_MOST)
    correct: bool = Field(True, description="false: take the words as they are spelt")


class Plans(Frozen):
    """The plans, in the order of the queries."""

    plans: tuple[QueryPlan, ...]


class LabelRequest(Frozen):
    """What a query means. What is not said is left to understanding."""

    query: Words
    intent: str | None = Field(None, description="one of the nine of docs/understanding.md")
    category: str | None = Field(None, min_length=1, description="path joined by ` > `")
    sentiment: str | None = Field(None, min_length=1)
    entities: tuple[LabelledSpan, ...] | None = Field(
        None, description="every one of the query, in order; an empty list: nothing is named"
    )


class LabelAnswer(Frozen):
    """What is in force of the query now."""

    changed: bool
    label: QueryLabel


class LabelsAnswer(Frozen):
    """Every query that somebody said something of."""

    labels: tuple[QueryLabel, ...]


@router.get("/understand", response_model=QueryPlan, responses=_LEARNING)
def understand(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_LENGTH)],
    explain: bool = False,
    correct: bool = True,
) -> QueryPlan:
    """The plan: limits, wishes, refusals, names and what is wanted, each with its source and confidence."""
    _refuse_blank((q,), "q")
    plan = worker_of(request).shop.pipeline.understand(q, explain=explain, correct=correct)
    return _plans([plan])[0]


@router.post("/understand", response_model=QueryPlan, responses=_LEARNING)
def understand_body(request: Request, body: UnderstandRequest) -> QueryPlan:
    """The same with the query in the body."""
    return understand(request, body.q, body.explain, body.correct)


@router.post("/understand/batch", response_model=Plans, responses=_LEARNING)
def understand_batch(request: Request, body: UnderstandBatch) -> Response:
    """The plans of many queries; they go through the encoder together."""
    _refuse_blank(body.queries, "queries")
    plans = worker_of(request).shop.pipeline.understand_all(body.queries, correct=body.correct)
    return Response(Plans(plans=_plans(plans)).model_dump_json(), media_type="application/json")


@router.get("/understand/labels", response_model=LabelsAnswer, responses=_ERRORS, dependencies=[WriteKey])
def labels(request: Request) -> Response:
    """What merchandisers said of queries."""
    known = worker_of(request).shop.labels
    known.refresh()
    return json_response(LabelsAnswer(labels=tuple(known.all())))


@router.post("/understand/labels", response_model=LabelAnswer, responses=_ERRORS, dependencies=[WriteKey])
def label(request: Request, body: LabelRequest) -> Response:
    """Say what a query means: it holds at once, and is an example for training."""
    shop = worker_of(request).shop
    said = {name: getattr(body, name) for name in ("intent", "category", "sentiment", "entities")}
    made = checked_label(lambda: categories_of(shop.engine), body.query, **said)
    changed = shop.labels.add(made)
    return json_response(LabelAnswer(changed=changed, label=shop.labels.of(body.query) or made))


@router.delete("/understand/labels", status_code=204, responses=_ERRORS, dependencies=[WriteKey])
def forget(request: Request, q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_LENGTH)]) -> Response:
    """Take back all that was said of a query."""
    worker_of(request).shop.labels.add(new_label(q, forget=True))
    return Response(status_code=204)


def _refuse_blank(queries: Sequence[str], field: str) -> None:
    if not all(q.strip() for q in queries):
        raise RequestError("A query is blank.", field=field, cure="Send at least one word.")


def _plans(plans: Sequence[QueryPlan | None]) -> tuple[QueryPlan, ...]:
    found = tuple(plan for plan in plans if plan is not None)
    if len(found) < len(plans):
        raise StorageError("The catalogue's words are still loading.", cure="Ask again in a moment.")
    return found
