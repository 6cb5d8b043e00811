"""Errors as RFC 9457 problem details: what was wrong, in which field, and the cure."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from lingsou.core.errors import LingsouError

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """One thing that is wrong in a request."""

    field: str | None = None
    row: int | None = Field(None, description="1-based place in the list that was sent")
    reason: str
    cure: str | None = None


class ProblemDetails(BaseModel):
    """The body of every error answer (RFC 9457)."""

    type: str = Field(examples=["urn:lingsou:problem:invalid-request"])
    title: str
    status: int
    detail: str
    field: str | None = None
    cure: str | None = None
    problems: list[FieldProblem] = Field([], description="each wrong field, when there are several")


def problem_response(status: int, slug: str, detail: str, **more: Any) -> Response:
    """A problem-details answer."""
    problem = ProblemDetails(
        type=f"urn:lingsou:problem:{slug}",
        title=slug.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        **more,
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(problem.model_dump(exclude_none=True, exclude_defaults=False), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every exception into problem details."""
    app.add_exception_handler(LingsouError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, LingsouError)
    if error.status >= 500:
        structlog.get_logger("lingsou.serving").error("request failed", path=request.url.path, error=str(error))
    return problem_response(error.status, error.slug, error.message, field=error.field, cure=error.cure)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        FieldProblem(field=".".join(str(part) for part in each["loc"][1:]) or None, reason=str(each["msg"]))
        for each in error.errors()[:100]
    ]
    first = problems[0]
    return problem_response(
        422,
        "invalid-input",
        f"{first.field}: {first.reason}" if first.field else first.reason,
        field=first.field,
        cure=f"See the schema of {request.method} {request.url.path} at /docs.",
        problems=problems,
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
    return problem_response(error.status_code, slug.get(error.status_code, "http-error"), str(error.detail))


async def _unexpected(request: Request, error: Exception) -> Response:
    structlog.get_logger("lingsou.serving").exception("unexpected error", path=request.url.path, exc_info=error)
    return problem_response(500, "internal-error", "Something went wrong here.", cure="The service's log says what.")
