"""`/v1/similar/{id}`: products nearest in meaning to one."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lingsou.core.types import MAX_ID_LENGTH, SearchResponse
from lingsou.retrieval.filters import parse_filter_arguments
from lingsou.serving.answers import json_response
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["search"])


@router.get(
    "/similar/{product_id:path}",
    response_model=SearchResponse,
    responses={404: {"model": ProblemDetails, "description": "No such product in the index"}},
)
def similar(
    request: Request,
    product_id: Annotated[str, Path(max_length=MAX_ID_LENGTH)],
    filter: Annotated[list[str] | None, Query(examples=[["stock=1.."]])] = None,  # noqa: A002
    limit: Annotated[int, Query(ge=1, le=200)] = 12,
) -> Response:
    """Similar products, its own variants left out. Without an encoder, or before it reached the product: none."""
    response = worker_of(request).shop.pipeline.similar(product_id, parse_filter_arguments(filter or []), limit)
    return json_response(response)
