"""Recommended rows in a real browser: what a shopper sees and clicks is noted, and changes what comes next."""

from collections.abc import Iterator
from typing import Any

import pytest

from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection
from tests.console.test_browser import DESKTOP, PHONE, Visit
from tests.serving.conftest import Service, serving, wait_for

pytestmark = [pytest.mark.slow]
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
"""Headless browsers name themselves as such, and what they do does not count. What is sent while a page closes still
has their own name: the test looks at events of robots too."""


@pytest.fixture(scope="module")
def shop(learnt: DataFolder) -> Iterator[Service]:
    with serving(learnt, "") as running:
        yield running


def visit(browser: Any, shop: Service, lang: str, width: int, **options: Any) -> Visit:
    context = browser.new_context(
        base_url=str(shop.client.base_url),
        locale="zh-CN" if lang == "zh" else "en-GB",
        viewport={"width": width, "height": 900},
        user_agent=AGENT,
        **options,
    )
    context.set_default_timeout(30_000)
    made = Visit(context.new_page(), lang, width)
    made.watch()
    return made


def noted(shop: Service, shopper: str) -> set[tuple[str, str | None, str | None]]:
    """(action, product, query) of all that was reported under a name."""
    with open_behaviour(shop.folder, load_settings(shop.folder)) as behaviour:
        found = behaviour.events.read(Selection(user_id=shopper, bots=True))
    return set(zip(found.action, found.object_id, found.query_id, strict=True))


@pytest.mark.parametrize(("lang", "width"), [("zh", PHONE), ("en", DESKTOP)])
def test_from_a_row_to_a_product_and_back_to_a_row_of_ones_own(
    browser: Any, shop: Service, lang: str, width: int
) -> None:
    own = visit(browser, shop, lang, width)
    own.open("/")
    shopper = own.page.locator("body").get_attribute("data-shopper")
    card = own.page.locator("section[aria-labelledby=popular] .card").first
    product, query = card.get_attribute("data-lingsou-id"), card.get_attribute("data-lingsou-query")
    card.scroll_into_view_if_needed()
    wait_for(shop, lambda: ("impression", product, query) in noted(shop, shopper))
    card.locator(".title a").click()
    own.page.wait_for_url("**/product/*")
    own.page.wait_for_load_state("networkidle")
    own.check()
    assert own.page.locator("section[aria-labelledby=similar] .card").count() > 3
    wait_for(shop, lambda: ("click", product, query) in noted(shop, shopper))
    wait_for(shop, lambda: ("detail", product, None) in noted(shop, shopper))

    def has_own_row() -> bool:
        own.open("/")
        return bool(own.page.locator("section[aria-labelledby=for_you]").count())

    wait_for(shop, has_own_row)
    row = own.page.locator("section[aria-labelledby=for_you]")
    assert row.locator("h2").inner_text() == own.say("为您推荐", "For you")
    assert row.locator(".small", has_text=own.say("因为您看过", "Because you looked at")).count() > 3
    own.page.locator(".foot a").click()
    own.page.wait_for_load_state("networkidle")
    own.check()
    assert own.page.locator("section[aria-labelledby=for_you]").count() == 0
    assert own.page.evaluate("Object.keys(localStorage)") == []
    assert own.troubles == []
    own.page.context.close()


def test_whoever_does_not_want_to_be_tracked_is_not(browser: Any, shop: Service) -> None:
    own = visit(browser, shop, "en", DESKTOP, extra_http_headers={"DNT": "1"})
    sent: list[str] = []
    own.page.on("request", lambda request: sent.append(request.url))
    own.open("/")
    own.page.locator(".card .title a").first.click()
    own.page.wait_for_url("**/product/*")
    own.page.wait_for_load_state("networkidle")
    assert not [url for url in sent if "/v1/events" in url or "lingsou-events" in url]
    assert own.page.context.cookies() == []
    assert own.troubles == []
    own.page.context.close()
