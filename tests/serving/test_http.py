"""The service over real HTTP: answers, writes, errors, metrics, documents."""

import json
import time
import uuid
from typing import Any

import httpx
import pytest

from .conftest import Service, wait_for


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of an error answer."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"]
    assert body["type"].startswith("urn:lingsou:problem:")
    return body


def test_search_by_post_and_get_agree(service: Service) -> None:
    body = {
        "q": "跑步鞋",
        "filters": {"price": {"gte": 100, "lte": 300}},
        "facets": ["brand", "price"],
        "sort": "price",
    }
    posted = service.client.post("/v1/search", json=body).json()
    query: list[tuple[str, str | int | float | bool | None]] = [
        ("q", "跑步鞋"),
        ("filter", "price=100..300"),
        ("facet", "brand"),
        ("facet", "price"),
        ("sort", "price"),
    ]
    got = service.client.get("/v1/search", params=query).json()
    for answer in (posted, got):
        assert [hit["id"] for hit in answer["hits"]] == ["s2"]
        assert answer["hits"][0]["variants"] == 2
        assert answer["facets"][0] == {"field": "brand", "values": [{"value": "疾风", "count": 1}], "other": 0}
        assert answer["hits"][0]["highlights"]["title"] == "疾风 男士<em>跑步鞋</em> 透气网面 白色"
        assert uuid.UUID(answer["query_id"])
    assert posted["hits"] == got["hits"]


def test_highlights_are_safe_html(service: Service) -> None:
    (hit,) = service.client.get("/v1/search", params={"q": "power bank"}).json()["hits"][:1]
    assert hit["highlights"]["title"].endswith("&amp; <em>power</em> <em>bank</em> &lt;10000 mAh&gt;")


def test_explain_ends_at_the_position(service: Service) -> None:
    hits = service.client.get("/v1/search", params={"q": "黑色 跑步鞋", "explain": True}).json()["hits"]
    for place, hit in enumerate(hits, 1):
        assert hit["explanation"]["value"] == place
        assert hit["explanation"]["children"][0]["value"] == pytest.approx(hit["score"], rel=1e-4)


def test_understand_names_what_it_read(service: Service) -> None:
    def plan_of(q: str) -> dict[str, Any]:
        plan: dict[str, Any] = service.client.post("/v1/understand", json={"q": q}).json()
        return plan

    wait_for(service, lambda: plan_of("黑色").get("entities"))
    plan = plan_of("黑色跑步鞋 100元到300元")
    (constraint,) = plan["constraints"]
    assert (constraint["field"], constraint["hard"], constraint["surface"]) == ("price", True, "100元到300元")
    assert {"黑色"} <= {entity["surface"] for entity in plan["entities"]}
    problem(service.client.get("/v1/understand", params={"q": ""}), 422)


def test_many_queries_are_understood_as_one_is(service: Service) -> None:
    queries = ["黑色跑步鞋 100元到300元", "running shoes", "running shoes"]
    wait_for(service, lambda: service.client.post("/v1/understand", json={"q": "黑色"}).json().get("entities"))
    plans = service.client.post("/v1/understand/batch", json={"queries": queries}).json()["plans"]
    assert plans == [service.client.get("/v1/understand", params={"q": q}).json() for q in queries]
    for queries in ([], ["x"] * 257, ["x" * 513], ["shoes", "  "]):
        problem(service.client.post("/v1/understand/batch", json={"queries": queries}), 422)


def test_labels_need_a_key_and_overrule_at_once(service: Service) -> None:
    address, said = "/v1/understand/labels", {"query": "Running  shoes", "intent": "browse"}
    problem(service.client.post(address, json=said), 401)
    problem(service.client.get(address), 401)
    answers = [service.client.post(address, json=said, headers=service.auth).json() for _ in range(2)]
    assert [answer["changed"] for answer in answers] == [True, False]
    assert answers[0]["label"] == answers[1]["label"]
    (intent,) = service.client.get("/v1/understand", params={"q": "running shoes"}).json()["intents"]
    assert intent == {"intent": "browse", "probability": 1.0, "source": "merchandiser"}
    assert [each["query"] for each in service.client.get(address, headers=service.auth).json()["labels"]] == [
        said["query"]
    ]
    for wrong, status in (({"category": "No > Such"}, 404), ({"intent": "dance"}, 422), ({}, 422)):
        problem(service.client.post(address, json={"query": "shoes", **wrong}, headers=service.auth), status)
    span = {"start": 2, "end": 30, "kind": "brand"}
    problem(service.client.post(address, json={"query": "shoes", "entities": [span]}, headers=service.auth), 422)
    assert service.client.delete(address, params={"q": "RUNNING shoes"}, headers=service.auth).status_code == 204
    problem(service.client.delete(address, params={"q": "running shoes"}, headers=service.auth), 404)


def test_similar_without_vectors_is_empty_and_unknown_is_404(service: Service) -> None:
    assert service.client.get("/v1/similar/t1").json()["hits"] == []
    problem(service.client.get("/v1/similar/nothing"), 404)


def test_a_year_beyond_the_calendar_is_one_rejected_row(service: Service) -> None:
    rows = [{"id": "late", "title": "x", "created_at": "9999-12-31T23:59:59-12:00"}]
    assert problem(service.client.post("/v1/products", json=rows, headers=service.auth), 422)["field"] == "created_at"


def test_a_page_far_beyond_the_end_is_empty(service: Service) -> None:
    answer = service.client.get("/v1/search", params={"page": 10**9}).json()
    assert answer["hits"] == []
    assert answer["total"] > 0


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"q": "x" * 1000}, 422),
        ({"page": 0}, 422),
        ({"page": 10**10}, 422),
        ({"page_size": 201}, 422),
        ({"sort": "random"}, 422),
        ({"filter": "colour=red"}, 400),
        ({"filter": "price=cheap"}, 400),
        ({"filter": "nonsense"}, 400),
        ({"facet": "nothing"}, 400),
    ],
)
def test_bad_searches_name_the_cure(service: Service, parameters: dict[str, Any], status: int) -> None:
    assert problem(service.client.get("/v1/search", params=parameters), status)["cure"]


@pytest.mark.parametrize(
    "q",
    [
        "'; DROP TABLE products; --",
        '" OR 1=1',
        "<script>alert(1)</script>",
        "{{7*7}} ${jndi:ldap://x}",
        "\x00\x1f\x7f",
        "😀" * 100,
        "a" * 512,
        "\u202e\u200b",
        "(((((",
        "*",
        "\ud83d".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
)
def test_strange_queries_are_only_words(service: Service, q: str) -> None:
    response = service.client.post("/v1/search", json={"q": q, "explain": True, "facets": ["brand"]})
    assert response.status_code == 200
    marked = [text for hit in response.json()["hits"] for text in hit["highlights"].values()]
    assert "<script>" not in "".join(marked), "the query itself is data; what pages insert is escaped"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"q": 5}',
        b'{"qq": "x"}',
        b'{"filters": []}',
        b'{"facets": [{"size": 3}]}',
        b"\xff\xfe",
    ],
)
def test_bad_bodies_are_refused(service: Service, body: bytes) -> None:
    response = service.client.post("/v1/search", content=body, headers={"content-type": "application/json"})
    problem(response, 422)


def test_unknown_routes_and_methods(service: Service) -> None:
    problem(service.client.get("/v1/nothing"), 404)
    problem(service.client.put("/v1/search"), 405)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer ls_x_y"}, {"X-API-Key": "no"}, {"Authorization": "x"}]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_writes_need_a_key(service: Service, method: str, headers: dict[str, str]) -> None:
    response = service.client.request(method, "/v1/products", json=[{"id": "evil", "title": "x"}], headers=headers)
    body = problem(response, 401)
    assert body["cure"]
    assert response.headers["www-authenticate"] == "Bearer"
    assert service.client.get("/v1/products/evil").status_code == 404


def write(service: Service, method: str, rows: Any) -> dict[str, Any]:
    """A write, waited for until searches show it."""
    response = service.client.request(method, "/v1/products", json=rows, headers=service.auth)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    task = response.headers["location"]

    def done() -> bool:
        return bool(service.client.get(task, headers=service.auth).json()["status"] == "succeeded")

    seconds = wait_for(service, done)
    assert seconds <= 1, f"visible after {seconds:.2f} s"
    return answer


def total(service: Service, q: str, **parameters: Any) -> int:
    return int(service.client.get("/v1/search", params={"q": q, **parameters}).json()["total"])


def test_upsert_patch_delete_show_within_a_second(service: Service) -> None:
    answer = write(service, "POST", [{"id": "new-1", "title": "Zeppelin kite", "price": 10}])
    assert (answer["accepted"], answer["added"]) == (1, 1)
    assert total(service, "zeppelin") == 1
    assert write(service, "PATCH", [{"id": "new-1", "price": "12.50", "stock": 3}, {"id": "no"}])["rejected"] == 1
    assert total(service, "zeppelin", filter="price=12.5") == 1
    stored = service.client.get("/v1/products/new-1").json()
    assert (stored["price"], stored["stock"]) == ("12.50", 3)
    assert write(service, "PATCH", [{"id": "absent", "price": 1}])["missing"] == ["absent"]
    assert write(service, "DELETE", ["new-1"])["deleted"] == 1
    assert total(service, "zeppelin") == 0


def test_one_bad_row_never_sinks_the_others(service: Service) -> None:
    rows = [{"id": "ok-1", "title": "Quadrant lamp"}, {"id": "bad", "title": "x", "price": -5}, {"title": "no id"}, 7]
    answer = write(service, "POST", rows)
    assert (answer["accepted"], answer["rejected"]) == (1, 3)
    assert [(each["row"], each.get("field")) for each in answer["problems"]] == [(2, "price"), (3, "id"), (4, None)]
    assert total(service, "quadrant") == 1
    lines = b'{"id": "ok-2", "title": "Quadrant chair"}\n{"id": broken\n\n{"id": "ok-3", "title": "Quadrant desk"}\n'
    headers = {**service.auth, "content-type": "application/x-ndjson"}
    answer = service.client.post("/v1/products", content=lines, headers=headers).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 1)
    write(service, "DELETE", ["ok-1", "ok-2", "ok-3"])


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"[1, 2]", b'[{"id": ""}]', b"not json", b"[" * 100_000])
def test_bad_writes_are_refused_whole(service: Service, body: bytes) -> None:
    assert problem(service.client.post("/v1/products", content=body, headers=service.auth), 422)["cure"]


def test_large_bodies_are_refused(service: Service) -> None:
    big = b'[{"id": "x", "title": "' + b"x" * (3 * 2**20) + b'"}]'
    problem(service.client.post("/v1/products", content=big, headers=service.auth), 413)

    def chunks() -> Any:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    problem(service.client.post("/v1/products", content=chunks(), headers=service.auth), 413)


def test_tasks_are_for_key_holders(service: Service) -> None:
    problem(service.client.get(f"/v1/tasks/{uuid.uuid4()}"), 401)
    problem(service.client.get(f"/v1/tasks/{uuid.uuid4()}", headers=service.auth), 404)


def test_health_ready_and_metrics(service: Service) -> None:
    assert service.client.get("/health").json() == {"status": "ok"}
    assert service.client.get("/ready").json()["ready"] is True
    total(service, "跑步鞋")
    text = service.client.get("/metrics").text
    assert 'lingsou_requests_total{method="GET",route="/v1/search",status="200"}' in text
    assert 'lingsou_search_stage_seconds_count{stage="retrieve"}' in text


def test_logs_hold_no_query_and_no_key(service: Service) -> None:
    total(service, "confidentialwords")
    service.client.get("/v1/tasks/x", headers=service.auth)
    time.sleep(0.2)
    log = (service.folder.root / "service.log").read_text(encoding="utf-8")
    assert "confidentialwords" not in log
    assert service.key not in log
    assert any(json.loads(line).get("event") == "request" for line in log.splitlines() if line.startswith("{"))


def test_the_openapi_document_has_schemas_and_examples(service: Service) -> None:
    document = service.client.get("/openapi.json").json()
    assert {"/v1/search", "/v1/products", "/v1/tasks/{task_id}", "/health", "/ready", "/metrics"} <= set(
        document["paths"]
    )
    assert {"Product", "ProductPatch", "SearchRequest", "ProblemDetails", "Attribute"} <= set(
        document["components"]["schemas"]
    )
    content = document["paths"]["/v1/search"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert service.client.post("/v1/search", json=example["value"]).status_code == 200
    for example in (
        document["paths"]["/v1/products"]["post"]["requestBody"]["content"]["application/json"]["example"],
    ):
        write(service, "POST", example)
        write(service, "DELETE", [row["id"] for row in example])
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], f"dangling reference {name}"
