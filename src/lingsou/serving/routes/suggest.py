"""`/v1/suggest`: completions while the shopper types."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lingsou.core.suggest import SuggestResponse
from lingsou.core.types import MAX_QUERY_LENGTH
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["search"])


@router.get("/suggest", response_model=SuggestResponse)
def suggest(
    request: Request,
    q: Annotated[str, Query(max_length=MAX_QUERY_LENGTH, examples=["lianyi", "run"])] = "",
    limit: Annotated[int, Query(ge=1, le=50, description="over all groups")] = 10,
    user_id: Annotated[str | None, Query(max_length=256, description="whose own searches come first")] = None,
) -> Response:
    """Searches, categories, brands and products that complete `q`; the popular ones where `q` is empty."""
    suggestions = worker_of(request).shop.suggestions
    answer = suggestions.suggest(q, limit, user_id)
    # The same letters give the same answer to everybody for a while; not so what is one shopper's own.
    shared = suggestions.index is not None and user_id is None
    return Response(
        orjson.dumps(answer.model_dump(mode="json")),
        media_type="application/json",
        headers={"Cache-Control": "public, max-age=60" if shared else "private, no-store"},
    )
