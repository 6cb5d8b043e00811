"""`/v1/rank` over HTTP."""

from .conftest import Service


def test_a_list_is_ordered_for_a_query(service: Service) -> None:
    answer = service.client.post(
        "/v1/rank", json={"q": "running shoes", "ids": ["g1", "s3", "nobody"], "explain": True}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert [item["id"] for item in body["items"]] == ["s3", "g1"]
    assert body["items"][0]["score"] > body["items"][1]["score"]
    assert body["items"][0]["explanation"]["name"] == "learned ranking"
    assert body["unknown"] == ["nobody"]
    assert "ranker" not in body
    assert body["took_ms"] >= 0


def test_what_is_wrong_is_named(service: Service) -> None:
    for body, field in (({"q": "", "ids": ["a"]}, "q"), ({"q": "a", "ids": []}, "ids"), ({"q": "a", "idz": []}, "idz")):
        answer = service.client.post("/v1/rank", json=body)
        assert answer.status_code == 422
        assert field in answer.text
