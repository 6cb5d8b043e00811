"""What a shopper does moves the next search of a running service, and only that shopper's."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.pipeline.test_personalisation import QUERY, trained_shop
from tests.serving.conftest import Service, serving, wait_for

pytest.importorskip("lightgbm")


def test_clicks_move_the_next_search(tmp_path_factory: pytest.TempPathFactory) -> None:
    shop = trained_shop(tmp_path_factory.mktemp("shop"))
    shop.close()
    with serving(shop.folder, "") as service:
        wait_for(service, lambda: halden(service, {"user_id": "anna"}) < 5)
        before = halden(service, {"user_id": "cara"})
        clicks: list[dict[str, Any]] = [
            {
                "action_name": "click",
                "timestamp": datetime.now(UTC).isoformat(),
                "user_id": "cara",
                "event_attributes": {"object": {"object_id": f"Halden-{n}"}},
            }
            for n in range(5)
        ]
        agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
        assert service.client.post("/v1/events", json=clicks, headers=agent).json()["accepted"] == 5
        wait_for(service, lambda: halden(service, {"user_id": "cara"}) > before)
        stranger = halden(service, {"user_id": "dan"})
        assert halden(service, {"user_id": "cara", "personalise": False}) == stranger
        assert halden(service, {"user_id": "cara"}) > stranger


def halden(service: Service, context: dict[str, Any]) -> int:
    """Products of that brand among the first ten. On a busy machine the time to rank may run out: asked again then."""
    body = {"q": QUERY, "page_size": 10, "context": context}
    found: list[dict[str, Any]] = []

    def ranked() -> bool:
        found[:] = [service.client.post("/v1/search", json=body).json()]
        return not any(stage.get("fallback") for stage in found[0]["stages"] if stage["stage"] == "rank")

    wait_for(service, ranked)
    return sum(hit["product"]["brand"] == "Halden" for hit in found[0]["hits"])
