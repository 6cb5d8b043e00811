"""`/v1/events`: what shoppers do, acknowledged when it is safe on disk."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from lingsou.core.errors import InputError
from lingsou.events.bots import is_bot_agent
from lingsou.events.schema import Event
from lingsou.events.wire import from_wire
from lingsou.serving.auth import require_write_key
from lingsou.serving.problems import FieldProblem, ProblemDetails, problem_response
from lingsou.serving.worker import Worker, worker_of

router = APIRouter(prefix="/v1", tags=["events"])
MAX_ROWS = 5_000
MAX_BODY_MB = 4
KEPT_PROBLEMS = 100
_EXAMPLE = {
    "action_name": "click",
    "timestamp": "2026-05-01T09:30:00Z",
    "query_id": "a21ae18d2f0c4af7bb02c40afe0dcc40",
    "client_id": "browser-1",
    "event_attributes": {"object": {"object_id": "s3", "object_id_field": "id"}, "position": {"ordinal": 1}},
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key, where events.key_required asks for one"},
    413: {"model": ProblemDetails, "description": "More than 4 MiB"},
    422: {"model": ProblemDetails, "description": "Not JSON, or no event is acceptable; each is named"},
    507: {"model": ProblemDetails, "description": "The disk is full; nothing was kept"},
}


class Received(BaseModel):
    """What became of the events of one request."""

    accepted: int = Field(description="new, and safe on disk")
    duplicates: int = Field(description="known already")
    rejected: int
    problems: list[FieldProblem] = Field([], description="of the first 100 rejected events; `row` counts from 1")


@router.post(
    "/events",
    response_model=Received,
    responses=_ERRORS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {}, "example": [_EXAMPLE]},
                "application/x-ndjson": {"schema": {"type": "object"}},
            },
        }
    },
)
async def receive(request: Request) -> Response:
    """Take one event, a list of events, or one a line. Bad ones are reported; the others are kept."""
    worker = worker_of(request)
    if int(request.headers.get("content-length") or 0) > MAX_BODY_MB << 20:
        return _too_large()
    body = await request.body()
    if len(body) > MAX_BODY_MB << 20:
        return _too_large()
    return await run_in_threadpool(_receive, worker, request, body)


def _receive(worker: Worker, request: Request, body: bytes) -> Response:
    headers = request.headers
    if worker.shop.settings.events.key_required:
        require_write_key(request, headers.get("authorization"), headers.get("x-api-key"))
    rows = _rows(body, ndjson=headers.get("content-type", "").startswith("application/x-ndjson"))
    accepted: list[Event] = []
    problems: list[FieldProblem] = []
    for number, row in enumerate(rows, 1):
        try:
            accepted.append(from_wire(_parsed(row)))
        except InputError as error:
            problems.append(FieldProblem(row=number, field=error.field, reason=error.message, cure=error.cure))
    count = worker.telemetry.count_events
    if not accepted:
        count(rejected=len(problems))
        detail = f"None of the {len(rows)} events is acceptable."
        return problem_response(
            422, "invalid-input", detail, cure="See docs/events.md.", problems=problems[:KEPT_PROBLEMS]
        )
    stored = worker.shop.behaviour.events.append(accepted, bot=is_bot_agent(headers.get("user-agent", "")))
    count(accepted=stored.accepted, duplicates=stored.duplicates, rejected=len(problems))
    answer = Received(
        accepted=stored.accepted,
        duplicates=stored.duplicates,
        rejected=len(problems),
        problems=problems[:KEPT_PROBLEMS],
    )
    return JSONResponse(answer.model_dump(exclude_none=True))


def _rows(body: bytes, *, ndjson: bool) -> list[Any]:
    """JSON values, or lines as bytes."""
    if ndjson:
        rows: Any = [line for line in body.splitlines() if line.strip()]
    else:
        # Whatever the content type: browsers may send `text/plain` across origins without asking first.
        try:
            rows = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InputError(f"The body is not JSON: {error}.", cure="Send an event or a list of events.") from error
        rows = rows if isinstance(rows, list) else [rows]
    if not rows:
        raise InputError("There is no event.", cure="Send at least one.")
    if len(rows) > MAX_ROWS:
        raise InputError(f"{len(rows)} events are more than {MAX_ROWS}.", cure="Send smaller batches.")
    return list(rows)


def _parsed(row: Any) -> Any:
    if not isinstance(row, bytes):
        return row
    try:
        return orjson.loads(row)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}", cure="Send one JSON object a line.") from error


def _too_large() -> Response:
    return problem_response(
        413, "too-large", f"Events take at most {MAX_BODY_MB} MiB a request.", cure="Send smaller batches."
    )
