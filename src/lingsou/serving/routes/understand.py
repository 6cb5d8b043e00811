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
    explain: bool = Field(False, description="say what each word does for what learned heads believe")
    correct: bool = Field(True, description="false: take the words as they are spelt")


@router.get("/understand", response_model=QueryPlan, responses={503: {"model": ProblemDetails}})
def understand(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY_LENGTH)],
    explain: bool = False,
    correct: bool = True,
) -> QueryPlan:
    """The plan: limits, wishes, refusals, names and what is wanted, each with its source and confidence."""
    if not q.strip():
        raise RequestError("The query is blank.", field="q", cure="Send at least one word.")
    plan = worker_of(request).shop.pipeline.understand(q, explain=explain, correct=correct)
    if plan is None:
        raise StorageError("The catalogue's words are still loading.", cure="Ask again in a moment.")
    return plan


@router.post("/understand", response_model=QueryPlan, responses={503: {"model": ProblemDetails}})
def understand_body(request: Request, body: UnderstandRequest) -> QueryPlan:
    """The same with the query in the body."""
    return understand(request, body.q, body.explain, body.correct)
