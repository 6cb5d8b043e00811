"""Recommended rows over HTTP: for whom, with which reasons, and what a slow or broken recommender does to a page."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lingsou.console.app import create_app
from lingsou.console.labels import Labels
from lingsou.console.rows import SHELF, recommended
from lingsou.console.texts import Texts
from lingsou.console.visitor import COOKIE
from lingsou.core.errors import StorageError
from lingsou.core.settings import DataFolder
from lingsou.core.types import Product, Recommendation, RecommendResponse
from lingsou.pipeline.recommending import Recommendations

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
ENGLISH = Labels(Texts("en"), {})


@pytest.fixture(scope="module")
def running(learnt: DataFolder) -> Iterator[TestClient]:
    with TestClient(create_app(learnt.root), headers=AGENT) as client:
        yield client


@pytest.fixture
def browser(running: TestClient) -> TestClient:
    """The shop, and a browser that has never been there."""
    running.cookies.clear()
    return running


def page(browser: TestClient, address: str, lang: str = "en", **headers: str) -> str:
    answer = browser.get(address, headers={"Accept-Language": lang, **headers})
    assert answer.status_code == 200, answer.text[:500]
    return answer.text


def row(text: str, title: str) -> str | None:
    """The HTML of one row."""
    found = re.search(rf'<section aria-labelledby="{title}".*?</section>', text, re.DOTALL)
    return found[0] if found else None


def ids(html: str | None) -> list[str]:
    return re.findall(r'data-lingsou-id="([^"]+)"', html or "")


def look_at(browser: TestClient, *products: str) -> None:
    """What the browser's collector would report, under the name that the pages gave."""
    name = browser.cookies[COOKIE]
    clicks = [
        {
            "action_name": "click",
            "timestamp": datetime.now(UTC).isoformat(),
            "user_id": name,
            "event_attributes": {"object": {"object_id": each}},
        }
        for each in products
    ]
    assert browser.post("/v1/events", json=clicks).json()["accepted"] == len(products)


def soon(browser: TestClient, address: str, title: str, lang: str = "en") -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := row(page(browser, address, lang), title):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no row {title}")


@pytest.mark.parametrize(("lang", "heading"), [("zh", "大家都在看"), ("en", "Popular with shoppers")])
def test_a_newcomer_sees_what_others_look_at(browser: TestClient, lang: str, heading: str) -> None:
    text = page(browser, "/", lang)
    popular = row(text, "popular")
    assert popular
    assert heading in popular
    assert len(ids(popular)) == SHELF
    assert row(text, "newest_products")
    assert row(text, "for_you") is None
    assert row(text, "bestsellers") is None, "only where there is nothing better"
    cookie = browser.get("/", headers={"Cookie": ""}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    ("lang", "heading", "reason"),
    [("zh", "为您推荐", "因为您看过Tea number 7"), ("en", "For you", "Because you looked at Tea number 7")],
)
def test_who_comes_back_sees_what_suits_them_and_why(browser: TestClient, lang: str, heading: str, reason: str) -> None:
    page(browser, "/")
    look_at(browser, "tea7")
    mine = soon(browser, "/", "for_you", lang)
    assert heading in mine
    assert ids(mine)[0] == "tea8"
    assert reason in mine
    assert 'data-source="blend"' in mine
    text = page(browser, "/", lang)
    shown = ids(row(text, "for_you")) + ids(row(text, "popular"))
    assert len(set(shown)) == len(shown), "rows do not repeat each other"


def test_what_is_shown_can_be_learnt_from(browser: TestClient) -> None:
    text = page(browser, "/")
    popular = row(text, "popular") or ""
    marked = re.findall(
        r'data-lingsou-id="[^"]+" data-lingsou-ordinal="(\d+)" data-lingsou-query="([0-9a-f]{32})"', popular
    )
    assert [int(place) for place, _ in marked] == list(range(1, SHELF + 1))
    assert len({query for _, query in marked}) == 1
    assert f'data-shopper="{browser.cookies[COOKIE]}"' in text
    second = page(browser, "/search?page=2")
    assert re.findall(r'data-lingsou-ordinal="(\d+)"', second)[0] == "25"


def test_a_product_page_shows_what_is_like_it_and_what_is_bought_with_it(browser: TestClient) -> None:
    text = page(browser, "/product/tea1")
    similar, bought = row(text, "similar"), row(text, "bought_together")
    assert similar
    assert bought
    assert 'data-source="similar"' in similar
    assert ids(bought) == ["tea11"]
    assert "tea1" not in ids(similar) + ids(bought)
    assert "From what other shoppers bought together" in bought
    assert "Often bought together with" not in bought, "the heading says it"
    assert 'data-lingsou-detail="tea1"' in text
    assert "经常一起购买" in page(browser, "/product/tea1", "zh")
    assert row(page(browser, "/product/bike1"), "bought_together") is None, "nobody bought anything with it"


def test_where_nothing_was_found_there_is_something_to_look_at(browser: TestClient) -> None:
    nothing = "/search?q=tea&max=0.5"
    assert len(ids(row(page(browser, nothing), "popular"))) == SHELF
    look_at(browser, "bike3")
    assert "Because you looked at Bike number 3" in soon(browser, nothing, "for_you")


def test_whoever_wants_to_be_left_alone_is(browser: TestClient) -> None:
    page(browser, "/")
    look_at(browser, "tea7")
    soon(browser, "/", "for_you")
    known = browser.cookies[COOKIE]
    off = page(browser, "/?personal=off")
    assert browser.cookies[COOKIE] == "off"
    for text in (off, page(browser, "/")):
        assert "data-shopper" not in text
        assert row(text, "for_you") is None
        assert "Personal recommendations are off" in text
    assert "data-shopper" in page(browser, "/?personal=on")
    assert browser.cookies[COOKIE] not in ("off", known), "what was noted before stays apart"
    browser.cookies.clear()
    for header in ({"DNT": "1"}, {"Sec-GPC": "1"}):
        assert "data-shopper" not in page(browser, "/?personal=on", **header)
        assert COOKIE not in browser.cookies


def test_the_shop_may_leave_it_out(learnt: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGSOU_CONSOLE__PERSONAL", "false")
    with TestClient(create_app(learnt.root), headers=AGENT) as client:
        text = page(client, "/")
        assert COOKIE not in client.cookies
        assert "data-shopper" not in text
        assert "personal=" not in text
        assert row(text, "popular")


@pytest.mark.parametrize("address", ["/", "/product/tea1", "/search?q=tea&max=0.5"])
def test_a_broken_recommender_costs_a_row_and_no_page(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def broken(*_: Any) -> RecommendResponse:
        raise StorageError("The model is gone.", cure="Train another.")

    monkeypatch.setattr(Recommendations, "answer", broken)
    text = page(browser, address)
    assert row(text, "popular") is None
    assert row(text, "bought_together") is None
    if not address.startswith("/product"):
        assert len(ids(row(text, "bestsellers"))) == SHELF


def test_a_slow_recommender_holds_no_page_up(learnt: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGSOU_CONSOLE__ROWS_BUDGET_MS", "30")
    asked, free = [], threading.Event()

    def slow(self: Recommendations, request: Any, *_: Any) -> RecommendResponse:
        asked.append(request.kind)
        free.wait(60)
        raise StorageError("Too late for anybody.", cure="Wait longer.")

    with TestClient(create_app(learnt.root), headers=AGENT) as client:
        page(client, "/")
        monkeypatch.setattr(Recommendations, "answer", slow)
        start = time.monotonic()
        for _ in range(20):
            assert row(page(client, "/"), "bestsellers")
        assert time.monotonic() - start < 30, "twenty pages, and not even one waited for the answer"
        assert len(asked) < 20, "while much is late nothing more is asked"
        free.set()


def answer(source: str, *items: Recommendation, kind: Any = "similar") -> RecommendResponse:
    return RecommendResponse(query_id="q", kind=kind, source=source, items=items, took_ms=1.0)


def item(id_: str, group: str = "", because: str | None = None, reason: str = "Similar") -> Recommendation:
    product = Product(id=id_, title=id_, group_id=group)
    return Recommendation(id=id_, score=1.0, product=product, because=because, reason=reason)


def test_a_row_leaves_out_what_the_page_shows_already() -> None:
    found = recommended(answer("similar", item("a", "g"), item("b"), item("c")), ENGLISH, without=["b"], group_id="g")
    assert found
    assert [hit.id for hit in found.hits] == ["c"]
    assert recommended(answer("similar", item("a", "g")), ENGLISH, group_id="g") is None
    assert recommended(answer("sales", item("a")), ENGLISH) is None
    assert recommended(None, ENGLISH) is None


def test_reasons_stand_beneath_products_where_they_tell_them_apart() -> None:
    alike = recommended(answer("similar", item("a"), item("b")), ENGLISH)
    assert alike
    assert alike.reasons == {}
    one = recommended(
        answer("blend", item("a", because="z", reason="Because you looked at Z"), kind="for-you"), ENGLISH
    )
    assert one
    assert (one.title, one.reasons) == ("for_you", {"a": "Because you looked at Z"})
    nobody = recommended(answer("blend", item("a", reason="Popular"), kind="for-you"), ENGLISH)
    assert nobody
    assert nobody.title == "popular"
    assert unescape(nobody.note) == "What most shoppers look at"
