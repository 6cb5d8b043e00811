"""What the service answers when it refuses, as the errors of `lingsou.core.errors`."""

from collections.abc import Mapping
from typing import Any

import httpx

from lingsou.core.errors import (
    AuthenticationError,
    ConflictError,
    InputError,
    LingsouError,
    LockedError,
    NotFoundError,
    RequestError,
    StorageError,
    StorageFullError,
)


class ServiceError(LingsouError):
    """The service failed, or answered what this client does not know."""


class UnreachableError(LingsouError):
    """No answer came: wrong address, service down, or too slow for the timeout."""

    slug = "unreachable"
    status = 503


_BY_SLUG: Mapping[str, type[LingsouError]] = {
    each.slug: each
    for each in (
        RequestError,
        InputError,
        NotFoundError,
        AuthenticationError,
        ConflictError,
        LockedError,
        StorageError,
        StorageFullError,
    )
}


def error_of(answer: httpx.Response) -> LingsouError:
    """The error that a problem-details answer (RFC 9457) stands for; its `status` is that of the answer."""
    try:
        problem: Any = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    slug = str(problem.get("type", "")).rpartition(":")[2]
    kind = _BY_SLUG.get(slug) or (InputError if 400 <= answer.status_code < 500 else ServiceError)
    error = kind(
        str(problem.get("detail") or f"The service answered {answer.status_code} {answer.reason_phrase}."),
        cure=problem.get("cure"),
        field=problem.get("field"),
    )
    # A subclass of ours may stand for several statuses, such as 413 and 422.
    error.status = answer.status_code  # type: ignore[misc]
    return error


def unreachable(url: str, error: httpx.TransportError) -> UnreachableError:
    """No answer came."""
    what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
    return UnreachableError(f"The service at {url} {what}.", cure="Check the address and that `lingsou serve` runs.")
