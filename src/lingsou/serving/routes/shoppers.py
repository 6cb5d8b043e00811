"""`/v1/shoppers/{id}`: what the event log says of one shopper's tastes. Personal, so it needs a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lingsou.core.types import ShopperProfile
from lingsou.serving.answers import json_response
from lingsou.serving.auth import WriteKey
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

_MOST_OF_A_NAME = 256
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key"},
}
router = APIRouter(prefix="/v1", tags=["recommend"], dependencies=[WriteKey])


@router.get("/shoppers/{shopper_id:path}", response_model=ShopperProfile, responses=_ERRORS)
def shopper(
    request: Request,
    shopper_id: Annotated[str, Path(min_length=1, max_length=_MOST_OF_A_NAME)],
    session_id: Annotated[str | None, Query(max_length=_MOST_OF_A_NAME)] = None,
    personalise: Annotated[bool, Query(description="consent; without it nothing is told")] = True,
) -> Response:
    """The profile of a user, with what the session did besides; or of a session, by its id alone.

    Whoever is unknown, or was erased, has an empty profile.
    """
    response = json_response(worker_of(request).profile(shopper_id, session_id, personalise=personalise))
    response.headers["Cache-Control"] = "no-store"
    return response
