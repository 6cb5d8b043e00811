"""Every call of the API as data: what to send, whether it may be sent twice, how to read the answer.

`Client` and `AsyncClient` only carry calls to the service and answers back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lingsou.client.errors import ServiceError, error_of
from lingsou.core.errors import RequestError
from lingsou.core.plan import QueryPlan
from lingsou.core.suggest import SuggestResponse
from lingsou.core.types import (
    Product,
    ProductPatch,
    RankRequest,
    RankResponse,
    RecommendRequest,
    RecommendResponse,
    SearchRequest,
    SearchResponse,
    ShopperProfile,
)

T = TypeVar("T")
_Model = TypeVar("_Model", bound=BaseModel)
RETRIED_STATUSES = frozenset({502, 503, 504})
PAUSES_S = (0.1, 0.4)
"""Waits before the second and the third attempt of a call that is safe to repeat."""


class Answer(BaseModel):
    """Base of answers that only clients know. Keys of a newer service are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Written(Answer):
    """The answer to a write; `sequence` and `task_id` tell when searches show it."""

    task_id: str
    sequence: int
    accepted: int
    rejected: int
    quarantined: int = Field(0, description="products that the quality gate held back")
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: tuple[str, ...] = ()
    problems: tuple[Mapping[str, Any], ...] = Field(
        (), description="of rows rejected or held back: row, field, reason, cure"
    )


class TaskStatus(Answer):
    """Whether searches show a write: `indexing`, then `succeeded`."""

    id: str
    status: str
    sequence: int


class Label(Answer):
    """What a merchandiser said of a query; what is none is left to understanding."""

    query: str
    intent: str | None = None
    category: str | None = None
    sentiment: str | None = None
    entities: tuple[Mapping[str, Any], ...] | None = Field(None, description="each with start, end and kind")
    at: datetime


class _Plans(Answer):
    plans: tuple[QueryPlan, ...]


class _Labels(Answer):
    labels: tuple[Label, ...]


class _Labelled(Answer):
    label: Label


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how its answer is read."""

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = True

    def request(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request as httpx sends it."""
        headers = {"Content-Type": "application/json"} if self.body is not None else {}
        return client.build_request(
            self.method, self.path, params=self.params or None, content=self.body, headers=headers
        )

    def result(self, answer: httpx.Response) -> T:
        """What the answer says.

        Raises:
            LingsouError: the service refused or failed, or the answer is not what this client knows.
        """
        if not answer.is_success:
            raise error_of(answer)
        try:
            return self.read(answer.content)
        except ValidationError as error:
            raise ServiceError(
                f"The answer of {self.method} {self.path} cannot be read: {error.errors()[0]['msg']}.",
                cure="Use a client of the service's version.",
            ) from error

    def pause(self, attempt: int, answer: httpx.Response | None) -> float | None:
        """Seconds until the next attempt after the `attempt`-th (from 0) got no or this answer; none: no more."""
        failed = answer is None or answer.status_code in RETRIED_STATUSES
        return PAUSES_S[attempt] if failed and self.repeatable and attempt < len(PAUSES_S) else None


def search(q: str | SearchRequest, options: Mapping[str, Any]) -> Call[SearchResponse]:
    """`POST /v1/search`.

    Raises:
        RequestError: an option that a search does not have, or a value that it cannot take.
    """
    try:
        request = q if isinstance(q, SearchRequest) else SearchRequest(q=q, **options)
    except ValidationError as error:
        raise _refused(error) from error
    body = request.model_dump_json(exclude_defaults=True).encode()
    return Call("POST", "/v1/search", _reader(SearchResponse), body=body)


def rank(q: str, ids: Iterable[str], options: Mapping[str, Any]) -> Call[RankResponse]:
    """`POST /v1/rank`.

    Raises:
        RequestError: no words, no products, or an option that ranking does not have.
    """
    try:
        request = RankRequest(q=q, ids=tuple(ids), **options)
    except ValidationError as error:
        raise _refused(error) from error
    body = request.model_dump_json(exclude_defaults=True).encode()
    return Call("POST", "/v1/rank", _reader(RankResponse), body=body)


def recommend(kind: str | RecommendRequest, options: Mapping[str, Any]) -> Call[RecommendResponse]:
    """`POST /v1/recommend`.

    Raises:
        RequestError: a kind or an option that recommending does not have, or a value that it cannot take.
    """
    try:
        request = (
            kind if isinstance(kind, RecommendRequest) else RecommendRequest.model_validate({"kind": kind, **options})
        )
    except ValidationError as error:
        raise _refused(error) from error
    body = request.model_dump_json(exclude_defaults=True).encode()
    return Call("POST", "/v1/recommend", _reader(RecommendResponse), body=body)


def shopper(shopper_id: str, session_id: str | None, *, personalise: bool) -> Call[ShopperProfile]:
    """`GET /v1/shoppers/{shopper_id}`."""
    params = ({"session_id": session_id} if session_id else {}) | ({} if personalise else {"personalise": "false"})
    return Call("GET", f"/v1/shoppers/{quote(shopper_id, safe='/')}", _reader(ShopperProfile), params)


def _refused(error: ValidationError) -> RequestError:
    first = error.errors(include_url=False)[0]
    return RequestError(first["msg"], field=".".join(map(str, first["loc"])), cure="See docs/http.md.")


def similar(product_id: str, limit: int, filters: Iterable[str]) -> Call[SearchResponse]:
    """`GET /v1/similar/{product_id}`."""
    params = {"limit": limit, "filter": list(filters)}
    return Call("GET", f"/v1/similar/{quote(product_id, safe='/')}", _reader(SearchResponse), params)


def suggest(q: str, limit: int, user_id: str | None) -> Call[SuggestResponse]:
    """`GET /v1/suggest`."""
    params = {"q": q, "limit": limit} | ({"user_id": user_id} if user_id else {})
    return Call("GET", "/v1/suggest", _reader(SuggestResponse), params)


def product(product_id: str) -> Call[Product]:
    """`GET /v1/products/{product_id}`."""
    return Call("GET", f"/v1/products/{quote(product_id, safe='/')}", _reader(Product))


def understand(q: str, *, explain: bool, correct: bool) -> Call[QueryPlan]:
    """`GET /v1/understand`."""
    params = {"q": q} | ({"explain": "true"} if explain else {}) | ({} if correct else {"correct": "false"})
    return Call("GET", "/v1/understand", _reader(QueryPlan), params)


def understand_all(queries: Iterable[str], *, correct: bool) -> Call[tuple[QueryPlan, ...]]:
    """`POST /v1/understand/batch`."""
    body = orjson.dumps({"queries": list(queries), "correct": correct})
    return Call("POST", "/v1/understand/batch", lambda content: _Plans.model_validate_json(content).plans, body=body)


def labels() -> Call[tuple[Label, ...]]:
    """`GET /v1/understand/labels`."""
    return Call("GET", "/v1/understand/labels", lambda content: _Labels.model_validate_json(content).labels)


def label(query: str, said: Mapping[str, Any]) -> Call[Label]:
    """`POST /v1/understand/labels`. Repeating it changes nothing, so it is repeatable."""
    body = orjson.dumps({"query": query} | {name: value for name, value in said.items() if value is not None})
    return Call(
        "POST", "/v1/understand/labels", lambda content: _Labelled.model_validate_json(content).label, body=body
    )


def forget_label(query: str) -> Call[None]:
    """`DELETE /v1/understand/labels`. Not repeated: the second answer would be that there is none."""
    return Call("DELETE", "/v1/understand/labels", lambda _: None, {"q": query}, repeatable=False)


def upsert(products: Iterable[Product | Mapping[str, Any]]) -> Call[Written]:
    """`POST /v1/products`. Repeating it stores the same, so it is repeatable."""
    return Call("POST", "/v1/products", _reader(Written), body=_rows(products))


def patch(patches: Iterable[ProductPatch | Mapping[str, Any]]) -> Call[Written]:
    """`PATCH /v1/products`."""
    return Call("PATCH", "/v1/products", _reader(Written), body=_rows(patches))


def delete(ids: Iterable[str]) -> Call[Written]:
    """`DELETE /v1/products`. Not repeated: the second answer would call the deleted ids missing."""
    return Call("DELETE", "/v1/products", _reader(Written), body=orjson.dumps(list(ids)), repeatable=False)


def task(task_id: str) -> Call[TaskStatus]:
    """`GET /v1/tasks/{task_id}`."""
    return Call("GET", f"/v1/tasks/{quote(task_id, safe='')}", _reader(TaskStatus))


def _reader(model: type[_Model]) -> Callable[[bytes], _Model]:
    # Fields of a newer service are no error for an older client.
    return lambda content: model.model_validate_json(content, extra="ignore")


def _rows(rows: Iterable[BaseModel | Mapping[str, Any]]) -> bytes:
    return orjson.dumps(
        [row.model_dump(mode="json", exclude_unset=True) if isinstance(row, BaseModel) else dict(row) for row in rows],
        default=str,
    )
