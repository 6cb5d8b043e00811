"""`/v1/rank`: a list that the caller brings, ordered for a query."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lingsou.core.types import RankRequest, RankResponse
from lingsou.serving.answers import json_response
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

_ERRORS: dict[int | str, dict[str, Any]] = {422: {"model": ProblemDetails, "description": "A field is not acceptable"}}
router = APIRouter(prefix="/v1", tags=["search"])


@router.post("/rank", response_model=RankResponse, responses=_ERRORS)
def rank(request: Request, body: RankRequest) -> Response:
    """Order products for a query, found by search or not."""
    return json_response(worker_of(request).shop.pipeline.rank(body))
