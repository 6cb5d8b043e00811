"""The blocking client."""

import time
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Self

import httpx

from lingsou.client import calls
from lingsou.client.calls import Call, Label, T, TaskStatus, Written
from lingsou.client.errors import unreachable
from lingsou.core.plan import QueryPlan
from lingsou.core.suggest import SuggestResponse
from lingsou.core.types import (
    Product,
    ProductPatch,
    RankResponse,
    RecommendRequest,
    RecommendResponse,
    SearchRequest,
    SearchResponse,
    ShopperProfile,
)


class Client:
    """A blocking client of one Lingsou service; safe to share between threads.

    Reads, upserts and patches are tried up to three times when the service does not answer or is overloaded. Usable as
    a context manager; else call `close()`.

    Every method raises `LingsouError`: `UnreachableError` without an answer, else the error that the service
    reported, with its field and cure.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8080",
        *,
        api_key: str | None = None,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ):
        """`api_key` is needed for writes only; `timeout` is in seconds; `transport` replaces the network."""
        headers = {"X-API-Key": api_key} if api_key else {}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def search(self, q: str | SearchRequest = "", **options: Any) -> SearchResponse:
        """Search with words, filters and facets; `options` are the fields of `SearchRequest`, such as `page=2`.

        Raises:
            RequestError: an unknown option, field or filter.
        """
        return self._send(calls.search(q, options))

    def rank(self, q: str, ids: Iterable[str], **options: Any) -> RankResponse:
        """Order products of your own list by how well they answer; `options` are the fields of `RankRequest`.

        Raises:
            RequestError: no words, no products, or an unknown option.
        """
        return self._send(calls.rank(q, ids, options))

    def recommend(self, kind: str | RecommendRequest = "for-you", **options: Any) -> RecommendResponse:
        """Products that nobody searched for; `options` are the fields of `RecommendRequest`, such as `items=[…]`.

        Raises:
            RequestError: an unknown kind, option, field or filter.
        """
        return self._send(calls.recommend(kind, options))

    def shopper(self, shopper_id: str, *, session_id: str | None = None, personalise: bool = True) -> ShopperProfile:
        """What a shopper likes, by what they did; without consent (`personalise`) nothing. Needs the API key."""
        return self._send(calls.shopper(shopper_id, session_id, personalise=personalise))

    def similar(self, product_id: str, *, limit: int = 12, filters: Iterable[str] = ()) -> SearchResponse:
        """Products nearest in meaning to one; `filters` in the short form, such as `stock=1..`.

        Raises:
            NotFoundError: the index holds no such product.
        """
        return self._send(calls.similar(product_id, limit, filters))

    def suggest(self, q: str, *, limit: int = 10, user_id: str | None = None) -> SuggestResponse:
        """Completions of what is being typed, in groups."""
        return self._send(calls.suggest(q, limit, user_id))

    def understand(self, q: str, *, explain: bool = False, correct: bool = True) -> QueryPlan:
        """What a query means to this shop, without searching; with `correct` false the words as they are spelt."""
        return self._send(calls.understand(q, explain=explain, correct=correct))

    def understand_all(self, queries: Iterable[str], *, correct: bool = True) -> tuple[QueryPlan, ...]:
        """What each of up to 256 queries means."""
        return self._send(calls.understand_all(queries, correct=correct))

    def labels(self) -> tuple[Label, ...]:
        """What was said of single queries. Needs the API key."""
        return self._send(calls.labels())

    def label(
        self,
        query: str,
        *,
        intent: str | None = None,
        category: str | None = None,
        sentiment: str | None = None,
        entities: Iterable[Mapping[str, Any]] | None = None,
    ) -> Label:
        """Say what a query means; the label in force comes back. Needs the API key.

        Raises:
            NotFoundError: no product is in the category.
            InputError: nothing is said, or it makes no sense.
        """
        spans = None if entities is None else list(entities)
        said = {"intent": intent, "category": category, "sentiment": sentiment, "entities": spans}
        return self._send(calls.label(query, said))

    def forget_label(self, query: str) -> None:
        """Take back all that was said of a query. Needs the API key.

        Raises:
            NotFoundError: nothing was.
        """
        self._send(calls.forget_label(query))

    def product(self, product_id: str) -> Product:
        """One product as it is stored.

        Raises:
            NotFoundError: there is no such product.
        """
        return self._send(calls.product(product_id))

    def upsert(self, products: Iterable[Product | Mapping[str, Any]]) -> Written:
        """Insert or replace products; rows that are not acceptable are in `problems`. Needs the API key."""
        return self._send(calls.upsert(products))

    def patch(self, patches: Iterable[ProductPatch | Mapping[str, Any]]) -> Written:
        """Change price, stock, rating, review count or sales. Needs the API key."""
        return self._send(calls.patch(patches))

    def delete(self, ids: Iterable[str]) -> Written:
        """Delete products by id. Needs the API key."""
        return self._send(calls.delete(ids))

    def task(self, task_id: str) -> TaskStatus:
        """Whether searches show a write yet. Needs the API key."""
        return self._send(calls.task(task_id))

    def _send(self, call: Call[T]) -> T:
        for attempt in count():
            answer: httpx.Response | None = None
            try:
                answer = self._http.send(call.request(self._http))
            except httpx.TransportError as error:
                failure = error
            pause = call.pause(attempt, answer)
            if pause is not None:
                time.sleep(pause)
            elif answer is None:
                raise unreachable(str(self._http.base_url), failure) from failure
            else:
                return call.result(answer)
        raise AssertionError("unreachable")
