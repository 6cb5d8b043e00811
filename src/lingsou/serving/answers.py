"""Answers as bytes."""

from pydantic import BaseModel
from starlette.responses import Response


def json_response(answer: BaseModel) -> Response:
    """The answer as JSON, fields without a value left out.

    Straight from the model to bytes: to have FastAPI validate our own answer again would cost more than the search,
    and plain dictionaries on the way a third more.
    """
    content = answer.__pydantic_serializer__.to_json(answer, exclude_none=True)
    return Response(content, media_type="application/json")
