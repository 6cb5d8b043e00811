"""`/v1/quality/quarantine`: products that the quality gate held back, listed, released, dropped."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from lingsou.catalog.quarantine import Entry, Page, ReasonCount, State
from lingsou.core.types import Frozen
from lingsou.serving.auth import WriteKey, Writer
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

_ERRORS: dict[int | str, dict[str, Any]] = {401: {"model": ProblemDetails, "description": "No valid API key"}}
_CLOSING: dict[int | str, dict[str, Any]] = {
    404: {"model": ProblemDetails, "description": "There is no such entry"},
    409: {"model": ProblemDetails, "description": "It is no longer held"},
}
router = APIRouter(prefix="/v1/quality/quarantine", tags=["quality"], responses=_ERRORS, dependencies=[WriteKey])
Number = Annotated[int, Path(ge=1, lt=2**63, description="id of the entry, not of the product")]


class QuarantinePage(Page):
    """Some entries, and what holds products back."""

    problems: tuple[ReasonCount, ...]


class Closed(Frozen):
    """What became of an entry."""

    entry: Entry
    sequence: int | None = Field(None, description="of a release: searches show it once the index has reached this")


@router.get("", response_model=QuarantinePage)
def read(
    request: Request,
    state: State = "held",
    check: Annotated[str | None, Query(max_length=200, description="only what this check held back")] = None,
    after: Annotated[int, Query(ge=0, lt=2**63, description="begin behind this entry")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> QuarantinePage:
    """What is held back, oldest first, page by page."""
    quarantine = worker_of(request).shop.store.quarantine
    page = quarantine.page(state=state, check=check, after=after, limit=limit)
    return QuarantinePage(entries=page.entries, total=page.total, next=page.next, problems=quarantine.counts())


@router.post("/{entry_id}/release", response_model=Closed, responses=_CLOSING)
def release(request: Request, entry_id: Number, key: Writer) -> Closed:
    """Load the product as it is, whatever is wrong with it."""
    quarantine = worker_of(request).shop.store.quarantine
    written = quarantine.release([entry_id], key.name)
    return Closed(entry=quarantine.get(entry_id), sequence=written.sequence)


@router.post("/{entry_id}/drop", response_model=Closed, responses=_CLOSING)
def drop(request: Request, entry_id: Number, key: Writer) -> Closed:
    """Forget the product; what the store has of it stays."""
    quarantine = worker_of(request).shop.store.quarantine
    quarantine.drop([entry_id], key.name)
    return Closed(entry=quarantine.get(entry_id))
