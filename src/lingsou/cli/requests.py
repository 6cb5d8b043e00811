"""What a verb was given, as the request that the service would take."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lingsou.core.errors import RequestError

R = TypeVar("R", bound=BaseModel)


def request_of(kind: type[R], values: Mapping[str, Any], verb: str) -> R:
    """The request.

    Raises:
        RequestError: a value is not allowed; the message names the first.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestError(first["msg"], field=where, cure=f"See: lingsou {verb} --help") from error
