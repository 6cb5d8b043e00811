"""`/v1/understand`: what a query means to this shop, without searching."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from lingsou.core.errors import RequestError, StorageError
from lingsou.core.plan import QueryPlan
from lingsou.core.types import MAX_QUERY_LENGTH, Frozen
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["search"])


class UnderstandRequest(Frozen):
    """A query to be understood."""

    q: str = Field(min_length=1, max_length=MAX_QUERY_LENGTH, examples=["蓝色T恤衫 50元到100元"])


@router.get("/understand", response_model=QueryPlan, responses={503: {"model": ProblemDetails}})
def understand(request: Request, q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_LENGTH)]) -> QueryPlan:
    """The plan: limits, wishes, refusals and names, each with its place, source and confidence."""
    if not q.strip():
        raise RequestError("The query is blank.", field="q", cure="Send at least one word.")
    plan = worker_of(request).shop.understanding.understand(q)
    if plan is None:
        raise StorageError("The catalogue's words are still loading.", cure="Ask again in a moment.")
    return plan


@router.post("/understand", response_model=QueryPlan, responses={503: {"model": ProblemDetails}})
def understand_body(request: Request, body: UnderstandRequest) -> QueryPlan:
    """The same with the query in the body."""
    return understand(request, body.q)
