"""`/v1/search`: the query as parameters (GET) or as JSON (POST)."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from lingsou.core.types import MAX_QUERY_LENGTH, SearchRequest, SearchResponse, Sort
from lingsou.retrieval.filters import parse_filter_arguments
from lingsou.serving.answers import json_response
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["search"])
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemDetails, "description": "Unknown field, malformed filter"},
    422: {"model": ProblemDetails, "description": "A parameter is not acceptable"},
}
_EXAMPLES = {
    "words": {"summary": "Words only", "value": {"q": "蓝色T恤"}},
    "filtered": {
        "summary": "Filters, facets, cheapest first",
        "value": {
            "q": "running shoes",
            "filters": {"price": {"gte": 50, "lt": 300}, "stock": {"gt": 0}, "attributes.colour": {"not": ["black"]}},
            "facets": ["brand", "category", {"field": "price", "ranges": [{"lt": 100}, {"gte": 100}]}],
            "sort": "price",
        },
    },
}


@router.post("/search", response_model=SearchResponse, responses=_ERRORS)
def search(request: Request, body: Annotated[SearchRequest, Body(openapi_examples=_EXAMPLES)]) -> Response:
    """Search with words, filters and facets."""
    return _answer(request, body)


@router.get("/search", response_model=SearchResponse, responses=_ERRORS)
def search_by_parameters(
    request: Request,
    q: Annotated[str, Query(max_length=MAX_QUERY_LENGTH, examples=["toner black"])] = "",
    filter: Annotated[list[str] | None, Query(examples=[["brand=HP|Dell", "price=50..100"]])] = None,  # noqa: A002
    facet: Annotated[list[str] | None, Query(examples=[["brand", "price"]])] = None,
    sort: Sort = "relevance",
    page: Annotated[int, Query(ge=1, le=10**9)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 20,
    collapse: bool = True,
    explain: bool = False,
    understand: bool = True,
    correct: bool = True,
) -> Response:
    """The same by URL: `?q=toner&filter=brand=HP|Dell&filter=price=50..100&facet=brand`."""
    body = SearchRequest.model_validate(
        {
            "q": q,
            "filters": parse_filter_arguments(filter or []),
            "facets": facet or [],
            "sort": sort,
            "page": page,
            "page_size": page_size,
            "collapse": collapse,
            "explain": explain,
            "understand": understand,
            "correct": correct,
        }
    )
    return _answer(request, body)


def _answer(request: Request, body: SearchRequest) -> Response:
    worker = worker_of(request)
    response = worker.shop.pipeline.search(body)
    worker.shop.behaviour.searches.record(body, response)
    worker.telemetry.observe_search({stage.stage: stage.ms for stage in response.stages}, response.total)
    return json_response(response)
