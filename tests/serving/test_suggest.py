"""`/v1/suggest` over real HTTP."""

from typing import Any

from .conftest import Service, wait_for
from .test_http import problem


def suggest(service: Service, **params: Any) -> dict[str, list[dict[str, Any]]]:
    answer = service.client.get("/v1/suggest", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["q"] == params.get("q", "")
    assert body["took_ms"] >= 0
    return {group["kind"]: group["items"] for group in body["groups"]}


def test_suggestions_complete_what_is_typed(service: Service) -> None:
    wait_for(service, lambda: suggest(service, q="疾"))
    assert suggest(service, q="jif")["brand"] == [
        {
            "text": "疾风",
            "kind": "brand",
            "id": None,
            "filters": {"brand": "疾风"},
            "highlight": "<em>疾风</em>",
            "count": suggest(service, q="疾风")["brand"][0]["count"],
        }
    ]
    found = service.client.get("/v1/search", params={"filter": "brand=疾风", "collapse": False}).json()
    assert found["total"] == suggest(service, q="疾风")["brand"][0]["count"]
    (product, *_) = suggest(service, q="疾风 男")["product"]
    assert service.client.get(f"/v1/products/{product['id']}").json()["title"] == product["text"]
    assert product["highlight"].startswith("<em>疾风 男</em>")


def test_highlights_are_safe_html(service: Service) -> None:
    wait_for(service, lambda: suggest(service, q="power b"))
    assert any("&lt;10000 mAh&gt;" in item["highlight"] for item in suggest(service, q="power b")["product"])


def test_limit_counts_all_groups_and_is_checked(service: Service) -> None:
    wait_for(service, lambda: suggest(service, q="s"))
    assert sum(map(len, suggest(service, q="s", limit=2).values())) == 2
    for limit in (0, 51, "many"):
        assert problem(service.client.get("/v1/suggest", params={"limit": limit}), 422)["field"] == "limit"
    assert problem(service.client.get("/v1/suggest", params={"q": "x" * 513}), 422)["field"] == "q"


def test_only_what_is_nobodys_own_may_be_cached(service: Service) -> None:
    wait_for(service, lambda: suggest(service, q="s"))
    for params, expected in [({"q": "s"}, "public, max-age=60"), ({"q": "s", "user_id": "u1"}, "private, no-store")]:
        assert service.client.get("/v1/suggest", params=params).headers["cache-control"] == expected


def test_own_searches_come_back(service: Service) -> None:
    context = {"user_id": "suggest-test", "personalise": True}
    service.client.post("/v1/search", json={"q": "红色跑步鞋", "context": context}).raise_for_status()
    wait_for(service, lambda: "recent" in suggest(service, q="", user_id="suggest-test"))
    (own,) = suggest(service, q="hongs", user_id="suggest-test")["recent"]
    assert own["text"] == "红色跑步鞋"
    assert "recent" not in suggest(service, q="hongs")
    assert "recent" not in suggest(service, q="hongs", user_id="somebody else")
