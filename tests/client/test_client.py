"""The Python client against a real service, and against a network that fails."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from lingsou.client import AsyncClient, Client, ServiceError, UnreachableError, Written, calls
from lingsou.core.errors import (
    AuthenticationError,
    InputError,
    LingsouError,
    NotFoundError,
    RequestError,
    StorageError,
)
from lingsou.core.types import ProductPatch, SearchRequest
from lingsou.serving.routes.products import Accepted
from tests.serving.conftest import Service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(str(service.client.base_url), api_key=service.key) as opened:
        yield opened


def over(handler: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://shop.test", transport=httpx.MockTransport(handler))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAUSES_S", (0.0, 0.0))


def test_reads_are_typed(client: Client) -> None:
    answer = client.search("running shoes", filters={"price": {"lt": 600}}, facets=["brand"], page_size=1)
    assert answer.hits[0].product.title == "Kestrel trail running shoes"
    assert answer.facets[0].field == "brand"
    assert client.search(SearchRequest(q="running shoes", page_size=1)).total == client.search("running shoes").total
    assert client.product("s3").brand == "Kestrel"
    assert client.understand("running shoes", correct=False).language == "en"
    assert [plan.language for plan in client.understand_all(["running shoes", "跑步鞋"])] == ["en", "zh"]
    assert client.similar("s3").hits == ()  # no encoder here
    ranked = client.rank("running shoes", ["g1", "s3", "nobody"], explain=True)
    assert ([item.id for item in ranked.items], ranked.unknown) == (["s3", "g1"], ("nobody",))
    assert ranked.items[0].explanation is not None
    recommended = client.recommend("trending", n=2, filters={"brand": ["Kestrel"]})
    assert (recommended.source, [item.id for item in recommended.items]) == ("sales", ["s3"])
    with pytest.raises(RequestError, match="for-you"):
        client.recommend("psychic")
    with pytest.raises(RequestError) as refused:
        client.rank("running shoes", [])
    assert refused.value.field == "ids"


def test_labels_go_in_and_out(client: Client) -> None:
    """The second one adds to what the first one said; taking back ends both."""
    assert client.label("Kestrel shoes", intent="find").entities is None
    spans = [{"start": 0, "end": 7, "kind": "brand"}]
    assert client.label("kestrel  shoes", entities=spans).intent == "find"
    (label,) = client.labels()
    assert label.entities == tuple(spans)
    named = [each for each in client.understand("kestrel  shoes").entities if each.source.endswith("merchandiser")]
    assert {each.surface for each in named} <= {"kestrel"}
    client.forget_label("kestrel  shoes")
    assert client.labels() == ()
    with pytest.raises(NotFoundError):
        client.forget_label("kestrel  shoes")
    with pytest.raises(InputError):
        client.label("kestrel", intent="dance")


def test_ids_may_hold_anything(client: Client) -> None:
    product = {"id": "a/b?c#d é%20", "title": "Odd one"}
    written = client.upsert([product])
    assert (written.accepted, written.added) == (1, 1)
    wait_for_task(client, written)
    assert client.product(product["id"]).id == product["id"]
    assert client.delete([product["id"]]).deleted == 1
    with pytest.raises(NotFoundError):
        client.product(product["id"])


def test_writes(client: Client) -> None:
    written = client.upsert([{"id": "new", "title": "Freshly added"}, {"id": "bad"}])
    assert (written.accepted, written.rejected, written.problems[0]["field"]) == (1, 1, "title")
    wait_for_task(client, written)
    assert client.search("freshly").hits[0].id == "new"
    patched = client.patch([ProductPatch(id="new", stock=3)])
    assert (patched.accepted, client.product("new").stock, client.product("new").price) == (1, 3, None)
    client.delete(["new"])


def wait_for_task(client: Client, written: Written) -> None:
    deadline = time.monotonic() + 60
    while client.task(written.task_id).status != "succeeded":
        assert time.monotonic() < deadline, "not searchable yet"
        time.sleep(0.02)


def test_errors_carry_field_and_cure(client: Client, service: Service) -> None:
    with pytest.raises(RequestError) as found:
        client.search("shoes", filters={"colour": "blue"})
    assert (found.value.field, found.value.cure) == ("colour", "Did you mean attributes.colour?")
    with pytest.raises(RequestError, match="page"):
        client.search("shoes", page=0)
    with pytest.raises(RequestError, match="pages"):
        client.search("shoes", pages=3)
    with pytest.raises(NotFoundError, match="nothing-here"):
        client.product("nothing-here")
    with Client(str(service.client.base_url)) as keyless, pytest.raises(AuthenticationError) as refused:
        keyless.upsert([{"id": "x", "title": "x"}])
    assert refused.value.status == 401


def test_the_awaiting_client_answers_the_same(service: Service) -> None:
    async def ask() -> tuple[int, str]:
        async with AsyncClient(str(service.client.base_url)) as client:
            answer, product = await asyncio.gather(client.search("running shoes"), client.product("s3"))
            return answer.total, product.title

    with Client(str(service.client.base_url)) as client:
        assert asyncio.run(ask()) == (client.search("running shoes").total, client.product("s3").title)


def test_both_clients_have_the_same_methods() -> None:
    def signatures(kind: type) -> dict[str, str]:
        public = inspect.getmembers(kind, inspect.isfunction)
        return {name: str(inspect.signature(each)) for name, each in public if name[0] != "_" and "close" not in name}

    assert signatures(Client) == signatures(AsyncClient)


def test_the_receipt_has_the_fields_of_the_route() -> None:
    assert Written.model_fields.keys() == Accepted.model_fields.keys()


def test_an_overloaded_service_is_asked_again() -> None:
    answers = iter([503, 502, 200])
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(next(answers), json={"query_id": "q", "total": 0, "hits": [], **_page, "later": 1})

    with over(handler) as client:
        assert client.search("x").total == 0
    assert seen == [b'{"q":"x"}'] * 3


_page = {"page": 1, "page_size": 20, "took_ms": 1}


def test_it_gives_up_after_three_attempts_and_says_what_the_service_said() -> None:
    attempts = []

    def handler(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        problem = {"type": "urn:lingsou:problem:storage", "detail": "The store is away.", "cure": "Start it."}
        return httpx.Response(503, json=problem)

    with over(handler) as client, pytest.raises(StorageError, match=r"The store is away\. Cure: Start it\."):
        client.product("a")
    assert len(attempts) == 3


def test_deletes_are_sent_once() -> None:
    attempts = []

    def handler(request: httpx.Request) -> httpx.Response:
        attempts.append(request)
        raise httpx.ReadTimeout("slow")

    with over(handler) as client, pytest.raises(UnreachableError, match="did not answer in time"):
        client.delete(["a"])
    assert len(attempts) == 1


def test_no_service_at_all() -> None:
    with Client("http://127.0.0.1:9", timeout=2) as client, pytest.raises(UnreachableError, match="cannot be reached"):
        client.search("x")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, b"<html>", ServiceError),
        (413, b'{"type": "urn:lingsou:problem:too-large"}', InputError),
        (418, b"[]", InputError),
        (200, b'{"hits": 3}', ServiceError),
        (200, b"not json", ServiceError),
    ],
)
def test_strange_answers_are_errors_of_ours(status: int, body: bytes, expected: type[LingsouError]) -> None:
    with over(lambda _: httpx.Response(status, content=body)) as client, pytest.raises(expected) as found:
        client.search("x")
    assert found.value.status == (500 if status == 200 else status)
