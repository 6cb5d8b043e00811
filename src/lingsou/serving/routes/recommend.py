"""`/v1/recommend`: products for a shopper, a session, a product or a cart."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lingsou.core.types import RecommendRequest, RecommendResponse
from lingsou.serving.answers import json_response
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemDetails, "description": "A filter is not understood"},
    422: {"model": ProblemDetails, "description": "A field is not acceptable"},
}
router = APIRouter(prefix="/v1", tags=["recommend"])


@router.post("/recommend", response_model=RecommendResponse, responses=_ERRORS)
def recommend(request: Request, body: RecommendRequest) -> Response:
    """Recommend products. Whoever is unknown, or asks before anything was trained, gets what sells."""
    return json_response(worker_of(request).shop.recommendations.answer(body))
