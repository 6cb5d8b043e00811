"""`/v1/products`: writes in bulk, acknowledged when they are in the store; the task says when searches show them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from lingsou.catalog.quarantine import Held
from lingsou.catalog.tasks import KEPT_PROBLEMS, Problem
from lingsou.catalog.writes import WriteResult
from lingsou.core.errors import InputError, NotFoundError
from lingsou.core.types import MAX_ID_LENGTH, Product, ProductPatch
from lingsou.serving.auth import WriteKey
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import Worker, worker_of

router = APIRouter(prefix="/v1", tags=["products"])
MAX_ROWS = 10_000
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key"},
    413: {"model": ProblemDetails, "description": "Body too large"},
    422: {"model": ProblemDetails, "description": "Not a list, or no row is acceptable"},
    507: {"model": ProblemDetails, "description": "The disk is full; nothing was kept"},
}
_Model = TypeVar("_Model", bound=BaseModel)
SOURCE = "http"
"""Of products in quarantine that did not come from a feed."""


class Accepted(BaseModel):
    """The answer to a write: what is now in the store, and the task to ask whether it is searchable."""

    task_id: str
    sequence: int = Field(description="searches show this write once the index has reached this sequence number")
    accepted: int
    rejected: int
    quarantined: int = Field(0, description="products that the quality gate held back")
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: list[str] = Field([], description="ids that a patch or delete did not find; the first 100")
    problems: list[Problem] = Field(
        [], description="of the first 100 rows that were rejected or held back; `row` counts from 1"
    )


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    rows = {"type": "array", "items": schema, "maxItems": MAX_ROWS}
    content = {"application/json": {"schema": rows, "example": example}, "application/x-ndjson": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/products",
    status_code=202,
    response_model=Accepted,
    responses=_ERRORS,
    dependencies=[WriteKey],
    openapi_extra=_body(
        {"$ref": "#/components/schemas/Product"},
        [{"id": "sku-1", "title": "云栖 纯棉T恤", "brand": "云栖", "price": 59, "attributes": {"colour": "蓝色"}}],
    ),
)
async def upsert(request: Request) -> Response:
    """Insert or replace products. Rows that are not acceptable, or held back, are reported; the others are stored."""
    return await _write(request, Product, _upsert, "upsert")


def _upsert(worker: Worker, rows: Sequence[tuple[int, Product]]) -> "_Done":
    gate = worker.gate()
    passing: list[Product] = []
    held: dict[str, Held] = {}
    for row, product in rows:
        held.pop(product.id, None)  # of two rows with one id the last holds
        reasons = gate(row, product)
        if reasons:
            held[product.id] = Held(product, reasons, SOURCE, row)
        else:
            passing.append(product)
    released = worker.shop.store.quarantine.released_before(held.values())
    passing += [held.pop(each).product for each in released]
    back = tuple(held.values())
    return worker.shop.store.upsert(passing, back), back


@router.patch(
    "/products",
    status_code=202,
    response_model=Accepted,
    responses=_ERRORS,
    dependencies=[WriteKey],
    openapi_extra=_body({"$ref": "#/components/schemas/ProductPatch"}, [{"id": "sku-1", "price": 49.9, "stock": 12}]),
)
async def patch(request: Request) -> Response:
    """Change price, stock, rating, review count or sales of products that exist; nothing else is touched."""

    def change(worker: Worker, rows: Sequence[tuple[int, ProductPatch]]) -> _Done:
        return worker.shop.store.patch([each for _, each in rows]), ()

    return await _write(request, ProductPatch, change, "patch")


class _Deletion(BaseModel):
    id: str = Field(min_length=1, max_length=MAX_ID_LENGTH)


@router.delete(
    "/products",
    status_code=202,
    response_model=Accepted,
    responses=_ERRORS,
    dependencies=[WriteKey],
    openapi_extra=_body({"type": "string"}, ["sku-1", "sku-2"]),
)
async def delete(request: Request) -> Response:
    """Delete products by id."""

    def remove(worker: Worker, rows: Sequence[tuple[int, _Deletion]]) -> _Done:
        return worker.shop.store.delete([each.id for _, each in rows]), ()

    return await _write(request, _Deletion, remove, "delete", bare_key="id")


@router.get("/products/{product_id:path}", response_model=Product, responses={404: {"model": ProblemDetails}})
def get(request: Request, product_id: str = Path(max_length=MAX_ID_LENGTH)) -> Product:
    """One product as it is in the store."""
    found = worker_of(request).shop.store.get([product_id])
    if product_id not in found:
        raise NotFoundError(f"There is no product '{product_id}'.", field="product_id", cure="Check the id.")
    return found[product_id]


_Done = tuple[WriteResult, Sequence[Held]]
"""What was written, and what was held back."""


async def _write(
    request: Request,
    model: type[_Model],
    write: Callable[[Worker, Sequence[tuple[int, _Model]]], _Done],
    kind: str,
    bare_key: str | None = None,
) -> Response:
    body = await request.body()
    ndjson = request.headers.get("content-type", "").startswith("application/x-ndjson")
    return await run_in_threadpool(_write_rows, worker_of(request), body, ndjson, model, write, kind, bare_key)


def _write_rows(
    worker: Worker,
    body: bytes,
    ndjson: bool,
    model: type[_Model],
    write: Callable[[Worker, Sequence[tuple[int, _Model]]], _Done],
    kind: str,
    bare_key: str | None,
) -> Response:
    rows = _rows(body, ndjson)
    accepted: list[tuple[int, _Model]] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        value = {bare_key: row} if bare_key and isinstance(row, str) else row
        try:
            if isinstance(value, _Malformed):
                raise InputError(value.reason, cure="Send one JSON object a line.")
            accepted.append((number, model.model_validate(value)))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or None
            problems.append(Problem(row=number, field=field, reason=first["msg"], cure="See the schema at /docs."))
        except InputError as error:
            problems.append(Problem(row=number, reason=error.message, cure=error.cure))
    if not accepted:
        first_problem = problems[0]
        raise InputError(
            f"None of the {len(rows)} rows is acceptable; row {first_problem.row}: {first_problem.reason}",
            field=first_problem.field,
            cure=first_problem.cure,
        )
    result, held = write(worker, accepted)
    rejected = len(problems)
    problems = sorted([*problems, *map(_problem, held)], key=lambda each: each.row or 0)[:KEPT_PROBLEMS]
    task = worker.shop.store.create_task(
        kind,
        accepted=len(accepted) - len(held),
        rejected=rejected,
        quarantined=len(held),
        sequence=result.sequence,
        problems=problems,
    )
    answer = Accepted(
        task_id=task.id,
        sequence=result.sequence,
        accepted=task.accepted,
        rejected=rejected,
        quarantined=len(held),
        added=result.added,
        updated=result.updated,
        unchanged=result.unchanged,
        deleted=result.deleted,
        missing=list(result.missing[:100]),
        problems=problems,
    )
    return JSONResponse(answer.model_dump(), 202, {"Location": f"/v1/tasks/{task.id}"})


def _problem(held: Held) -> Problem:
    first = held.reasons[0]
    reason = f"held back by {first.check}: {first.problem}: {first.evidence}"
    return Problem(row=held.row, field=first.field, reason=reason, cure=first.repair)


class _Malformed(BaseModel):
    reason: str


def _rows(body: bytes, ndjson: bool) -> list[Any]:
    if ndjson:
        rows = [_parsed_line(line) for line in body.splitlines() if line.strip()]
    else:
        try:
            rows = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InputError(f"The body is not JSON: {error}.", cure="Send a JSON list.") from error
        if not isinstance(rows, list):
            raise InputError("The body is not a list.", cure="Send a JSON list, also for one row: [{…}].")
    if not rows:
        raise InputError("The list is empty.", cure="Send at least one row.")
    if len(rows) > MAX_ROWS:
        raise InputError(f"{len(rows)} rows are more than {MAX_ROWS}.", cure="Send smaller batches.")
    return rows


def _parsed_line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _Malformed(reason=f"not JSON: {error}")
