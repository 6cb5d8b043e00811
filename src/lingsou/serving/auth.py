"""API keys on requests: `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

from typing import Annotated

from fastapi import Depends, Header, Request

from lingsou.core.errors import AuthenticationError
from lingsou.core.keys import ApiKey, verify_key
from lingsou.serving.worker import worker_of

_CURE = "Send 'Authorization: Bearer KEY' with the key that `lingsou init` printed."


def require_write_key(
    request: Request,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    x_api_key: Annotated[str | None, Header(description="an API key with scope `write`")] = None,
) -> ApiKey:
    """Let the request pass only with a valid key of scope `write`, and say which.

    Raises:
        AuthenticationError: no key, an unknown or revoked one, or one that may not write.
    """
    scheme, _, token = (authorization or "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else x_api_key
    if not key:
        raise AuthenticationError("This request needs an API key.", cure=_CURE)
    known = verify_key(worker_of(request).shop.store.database, key)
    if not known.allows("write"):
        raise AuthenticationError("This API key may not write.", cure="Use a key with the scope `write`.")
    return known


WriteKey = Depends(require_write_key)
Writer = Annotated[ApiKey, WriteKey]
"""For routes that keep who did something."""
