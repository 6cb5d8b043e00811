"""`/v1/quality`: what the checks found in the store, scores, and repairs to be applied, refused and undone."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lingsou.catalog.suggestions import Chosen, State, Suggestion, SuggestionStore
from lingsou.core.types import MAX_ID_LENGTH, Frozen
from lingsou.pipeline.quality import is_running
from lingsou.quality.runs import ProductQuality, QualityRun, RunPoint, RunStore
from lingsou.serving.auth import WriteKey, Writer
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.quality_runs import begin_run
from lingsou.serving.worker import worker_of

_UNAUTHENTICATED: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key"},
}
_ABSENT: dict[int | str, dict[str, Any]] = {404: {"model": ProblemDetails, "description": "There is no such thing"}}
_DECIDING: dict[int | str, dict[str, Any]] = {
    **_ABSENT,
    409: {"model": ProblemDetails, "description": "The product has changed, or this was decided before"},
}
router = APIRouter(prefix="/v1/quality", tags=["quality"], responses=_UNAUTHENTICATED, dependencies=[WriteKey])

SuggestionId = Annotated[str, Path(max_length=64)]


class SuggestionCount(Frozen):
    """How many suggestions of one check are in one state."""

    check: str
    state: State
    count: int


class Quality(Frozen):
    """What the last run found, and what waits for a decision."""

    running: bool = Field(description="a run is under way")
    run: QualityRun | None = Field(description="the last one; none before the first")
    trend: tuple[RunPoint, ...] = Field(description="the latest runs, newest first")
    suggestions: tuple[SuggestionCount, ...]


class SuggestionPage(Frozen):
    """Some suggestions, the surest first."""

    total: int
    page: int
    page_size: int
    suggestions: tuple[Suggestion, ...]


class ProductReport(ProductQuality):
    """What the last run says of one product, and its suggestions."""

    suggestions: tuple[Suggestion, ...]


class AskRun(Frozen):
    """How to check the store."""

    deep: bool = Field(False, description="let audits take part, which learn from the whole catalogue; takes longer")


class RunBegun(Frozen):
    """The checks run."""

    task_id: str


class Many(Frozen):
    """Which open suggestions are meant; what is left out limits nothing."""

    check: str | None = Field(None, max_length=100)
    field: str | None = Field(None, max_length=120)
    product_id: str | None = Field(None, max_length=MAX_ID_LENGTH)
    min_confidence: float = Field(0.0, ge=0, le=1)


class Decided(Frozen):
    """What became of many suggestions."""

    applied: int = 0
    refused: int = 0
    stale: int = Field(0, description="not applied: the field no longer had the old value")


@router.get("", response_model=Quality)
def read(request: Request, limit: Annotated[int, Query(ge=0, le=100, description="runs of the trend")] = 30) -> Quality:
    """The last run, the trend, and how many suggestions there are."""
    shop = worker_of(request).shop
    runs = RunStore(shop.store.database)
    counts = SuggestionStore(shop.store).counts()
    return Quality(
        running=is_running(shop.folder, shop.store.database),
        run=runs.last(),
        trend=tuple(runs.trend(limit)),
        suggestions=tuple(
            SuggestionCount(check=check, state=state, count=number) for (check, state), number in sorted(counts.items())
        ),
    )


@router.post(
    "/runs",
    status_code=202,
    response_model=RunBegun,
    responses={409: {"model": ProblemDetails, "description": "A run is under way"}},
)
def run(request: Request, key: Writer, body: AskRun | None = None) -> Response:
    """Check the store in the background. The task is `running`, then as that of a write; or `failed`."""
    task = begin_run(worker_of(request), key.name, deep=(body or AskRun()).deep)
    return JSONResponse(RunBegun(task_id=task.id).model_dump(), 202, {"Location": f"/v1/tasks/{task.id}"})


@router.get("/suggestions", response_model=SuggestionPage)
def suggestions(
    request: Request,
    state: Annotated[State | None, Query()] = None,
    check: Annotated[str | None, Query(max_length=100)] = None,
    field: Annotated[str | None, Query(max_length=120)] = None,
    product_id: Annotated[str | None, Query(max_length=MAX_ID_LENGTH)] = None,
    min_confidence: Annotated[float, Query(ge=0, le=1)] = 0.0,
    page: Annotated[int, Query(ge=1, le=10**9)] = 1,
    page_size: Annotated[int, Query(ge=1, le=500)] = 50,
) -> SuggestionPage:
    """Suggestions, the surest first."""
    chosen = Chosen(state=state, check=check, field=field, product_id=product_id, min_confidence=min_confidence)
    total, found = _store(request).listed(chosen, page=page, size=page_size)
    return SuggestionPage(total=total, page=page, page_size=page_size, suggestions=tuple(found))


@router.post("/suggestions/apply", response_model=Decided)
def apply_many(request: Request, body: Many, key: Writer) -> Decided:
    """Apply every open suggestion that the body describes; an empty object describes all of them."""
    return Decided.model_validate(_store(request).apply_all(Chosen(**body.model_dump()), key.name))


@router.post("/suggestions/refuse", response_model=Decided)
def refuse_many(request: Request, body: Many, key: Writer) -> Decided:
    """Refuse every open suggestion that the body describes."""
    return Decided.model_validate(_store(request).refuse_all(Chosen(**body.model_dump()), key.name))


@router.post("/suggestions/{suggestion_id}/apply", response_model=Suggestion, responses=_DECIDING)
def apply(request: Request, suggestion_id: SuggestionId, key: Writer) -> Suggestion:
    """Write the new value, if the field still has the old one; else an open suggestion is stale from now on."""
    return _store(request).apply(suggestion_id, key.name)


@router.post("/suggestions/{suggestion_id}/refuse", response_model=Suggestion, responses=_DECIDING)
def refuse(request: Request, suggestion_id: SuggestionId, key: Writer) -> Suggestion:
    """Keep the old value; no run will suggest this again."""
    return _store(request).refuse(suggestion_id, key.name)


@router.post("/suggestions/{suggestion_id}/undo", response_model=Suggestion, responses=_DECIDING)
def undo(request: Request, suggestion_id: SuggestionId, key: Writer) -> Suggestion:
    """Bring the old value back, if nobody has changed the field since; what was refused is open again."""
    return _store(request).undo(suggestion_id, key.name)


@router.get("/products/{product_id:path}", response_model=ProductReport, responses=_ABSENT)
def product(request: Request, product_id: Annotated[str, Path(max_length=MAX_ID_LENGTH)]) -> ProductReport:
    """Score, findings and suggestions of one product."""
    found = RunStore(worker_of(request).shop.store.database).product(product_id)
    _, own = _store(request).listed(Chosen(product_id=product_id), size=200)
    return ProductReport(**dict(found), suggestions=tuple(own))


def _store(request: Request) -> SuggestionStore:
    return SuggestionStore(worker_of(request).shop.store)
