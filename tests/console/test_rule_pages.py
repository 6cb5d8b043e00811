"""What rules show on the storefront beside an order of products: banners, and the way to another page."""

import json
from collections.abc import Iterator
from html import escape

import httpx
import pytest

from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import load_settings
from tests.serving.conftest import Service, wait_for

SALE = "Spring sale: 20 % off <today>"
RULES = [
    {
        "id": "sale",
        "name": "Spring sale",
        "when": {"queries": [{"words": "shirt"}]},
        "then": [{"do": "banner", "text": SALE, "url": "https://shop.example/sale"}],
    },
    {
        "id": "help",
        "name": "Returns",
        "when": {"queries": [{"words": "return policy"}]},
        "then": [{"do": "redirect", "url": "/help/returns"}],
    },
]


@pytest.fixture(scope="module")
def ruled(shop: Service) -> Iterator[Service]:
    """The shop while the rules are published."""
    with Store.of(shop.folder, load_settings(shop.folder)) as store:
        _, key = create_key(store.database, "merchandiser")
    headers = {"X-API-Key": key, "content-type": "application/json"}

    def call(method: str, path: str, body: object = None) -> None:
        content = None if body is None else json.dumps(body)
        shop.client.request(method, f"/v1/rules{path}", content=content, headers=headers).raise_for_status()

    call("PUT", "", {"rules": RULES})
    call("POST", "/publish", {})
    wait_for(shop, lambda: shop.client.get("/v1/search", params={"q": "shirt"}).json().get("banners"))
    yield shop
    call("POST", "/undo", {})


def get(shop: Service, q: str, **more: str) -> httpx.Response:
    return httpx.get(f"{shop.client.base_url}/search", params={"q": q, **more})


def test_a_banner_stands_above_the_results_of_its_query_alone(ruled: Service) -> None:
    page = get(ruled, "shirt").text
    assert f'<a href="https://shop.example/sale">{escape(SALE)}</a>' in page
    assert page.index("https://shop.example/sale") < page.index('class="card"')
    assert "shop.example" not in get(ruled, "laptop").text


def test_a_redirect_leads_away_from_the_first_page(ruled: Service) -> None:
    answer = get(ruled, "return policy")
    assert (answer.status_code, answer.headers["location"]) == (302, "/help/returns")
    assert get(ruled, "return policy", page="2").status_code == 200
    assert get(ruled, "shirt").status_code == 200
