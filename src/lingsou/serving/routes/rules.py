"""`/v1/rules`: merchandising rules from draft to preview, published, with their history, and undone."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from lingsou.core.types import Frozen, SearchRequest
from lingsou.pipeline.merchandising import Preview, check_rules
from lingsou.rules.schema import Rule, parse_rules
from lingsou.rules.store import PublishedVersion, RuleSets
from lingsou.serving.auth import WriteKey, Writer
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import Worker, worker_of

_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDetails, "description": "No valid API key"},
    409: {"model": ProblemDetails, "description": "Someone else was there before, or there is nothing to do"},
    422: {"model": ProblemDetails, "description": "A rule is not acceptable"},
}
router = APIRouter(prefix="/v1/rules", tags=["rules"], responses=_ERRORS, dependencies=[WriteKey])

RawRules = Annotated[
    list[Any],
    Field(max_length=5_000, json_schema_extra={"items": {"$ref": "#/components/schemas/Rule"}}),
]
Revision = Annotated[int | None, Field(description="of the draft that you saw; another one is a conflict")]


class PutRules(Frozen):
    """Rules to add to the draft; those with a known id replace it."""

    rules: RawRules
    replace: bool = Field(False, description="the draft becomes exactly these rules")
    revision: Revision = None


class DeleteRules(Frozen):
    """Rules to take out of the draft."""

    ids: tuple[str, ...] = Field(min_length=1, max_length=5_000)
    revision: Revision = None


class Publish(Frozen):
    """Put the draft in force."""

    note: str = Field("", max_length=500, description="for the history")
    revision: Revision = None


class Undo(Frozen):
    """Put an older version in force again."""

    to: int | None = Field(None, ge=0, description="default: the version before; 0 is the empty set")
    version: int | None = Field(None, description="the one that you saw in force; another one is a conflict")


class AskPreview(Frozen):
    """A search to be answered under the published rules and under a draft."""

    request: SearchRequest
    draft: RawRules | None = Field(None, description="default: the stored draft")


class History(Frozen):
    """The latest versions, newest first."""

    versions: tuple[PublishedVersion, ...]


@router.get("", response_model=RuleSets)
def read(request: Request) -> Response:
    """The published rules, the draft, and how they differ."""
    return _json(worker_of(request).shop.rules.store.sets())


@router.put("", response_model=RuleSets)
def put(request: Request, body: PutRules, key: Writer) -> Response:
    """Add or replace rules of the draft; searches do not change before it is published."""
    worker = worker_of(request)
    rules = _checked(worker, body.rules)
    return _json(worker.shop.rules.store.put(rules, key.name, revision=body.revision, replace=body.replace))


@router.delete("", response_model=RuleSets)
def delete(request: Request, body: DeleteRules, key: Writer) -> Response:
    """Take rules out of the draft."""
    return _json(worker_of(request).shop.rules.store.remove(body.ids, key.name, revision=body.revision))


@router.post("/publish", response_model=PublishedVersion)
def publish(request: Request, key: Writer, body: Publish | None = None) -> PublishedVersion:
    """Put the draft in force. This worker follows at once, others within `index.poll_ms`."""
    worker = worker_of(request)
    check_rules(worker.shop.rules.store.sets().draft, worker.shop.engine.fields())
    body = body or Publish()
    published = worker.shop.rules.store.publish(key.name, note=body.note, revision=body.revision)
    worker.shop.rules.refresh()
    return published


@router.post("/undo", response_model=PublishedVersion)
def undo(request: Request, key: Writer, body: Undo | None = None) -> PublishedVersion:
    """Put an older version in force again, as a new version."""
    rules = worker_of(request).shop.rules
    body = body or Undo()
    published = rules.store.undo(key.name, to=body.to, version=body.version)
    rules.refresh()
    return published


@router.get("/history", response_model=History)
def history(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> History:
    """Who published what and when."""
    return History(versions=tuple(worker_of(request).shop.rules.store.history(limit)))


@router.post("/preview", response_model=Preview)
def preview(request: Request, body: AskPreview) -> Response:
    """One search answered twice: as it is live, and as publishing the draft would make it."""
    worker = worker_of(request)
    shop = worker.shop
    draft = shop.rules.store.sets().draft if body.draft is None else _checked(worker, body.draft)
    shop.rules.refresh()
    answers = shop.pipeline.preview(body.request, shop.rules.index_of(draft))
    return Response(orjson.dumps(answers.model_dump(mode="json", exclude_none=True)), media_type="application/json")


def _checked(worker: Worker, raw: Sequence[Any]) -> tuple[Rule, ...]:
    rules = parse_rules(raw)
    check_rules(rules, worker.shop.engine.fields())
    return rules


def _json(sets: RuleSets) -> Response:
    # Rules as they were written: what is as by default stays out.
    answer = sets.model_dump(mode="json", exclude={"published", "draft"})
    for name in ("published", "draft"):
        answer[name] = [rule.model_dump(mode="json", exclude_defaults=True) for rule in getattr(sets, name)]
    return Response(orjson.dumps(answer), media_type="application/json")
