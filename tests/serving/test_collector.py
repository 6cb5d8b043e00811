"""The collector for storefronts in a real browser against a real service."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

import lingsou
from lingsou.core.settings import load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection
from lingsou.events.tables import events
from lingsou.testing.events import ALL

from .conftest import Service, make_folder, serving, wait_for

SCRIPT = Path(lingsou.__file__).parent / "console" / "static" / "lingsou-events.js"
PAGE = """<!doctype html><title>shop</title><script src="/collector.js" data-application="test"></script>
<a href="#a" data-lingsou-id="p1" data-lingsou-ordinal="1" data-lingsou-query="q1">cup</a>
<div style="height: 5000px"></div><a href="#b" data-lingsou-id="p2" data-lingsou-ordinal="2">far below</a>"""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(*make_folder(tmp_path_factory.mktemp("collector"))) as service:
        yield service


@pytest.fixture
def running(started: Service) -> Service:
    """The service, without events."""
    with (
        open_behaviour(started.folder, load_settings(started.folder)) as behaviour,
        behaviour.database.write() as connection,
    ):
        connection.execute(delete(events))
    return started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """No page of one test is open in the next."""
    yield chromium
    for context in chromium.contexts:
        context.close()


def visit(service: Service, context: Any) -> Any:
    """A page of the service's own origin with the collector in it."""
    page = context.new_page()
    address = f"{service.client.base_url}/shop"
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=PAGE))
    page.route("**/collector.js", lambda route: route.fulfill(content_type="text/javascript", path=SCRIPT))
    page.goto(address)
    return page


def stored(service: Service) -> list[tuple[str, str | None, str | None]]:
    with open_behaviour(service.folder, load_settings(service.folder)) as behaviour:
        found = behaviour.events.read(ALL)
    return sorted(zip(found.action, found.object_id, found.query_id, strict=True), key=str)


def test_impressions_clicks_and_calls_arrive_once(running: Service, browser: Any) -> None:
    page = visit(running, browser.new_context())
    page.evaluate("lingsou.identify('anna'); lingsou.search('q7', '13800138000'); lingsou.cart('p9', {quantity: 2})")
    page.click("text=cup")
    page.wait_for_timeout(1_500)
    page.evaluate("dispatchEvent(new Event('pagehide')); lingsou.flush()")
    expected = [("cart", "p9", "q7"), ("click", "p1", "q1"), ("impression", "p1", "q1"), ("query", None, "q7")]
    wait_for(running, lambda: len(stored(running)) >= 4)
    assert stored(running) == expected, "each once, although the beacon sent them again; nothing of what was not seen"
    with open_behaviour(running.folder, load_settings(running.folder)) as behaviour:
        assert len(behaviour.events.read(Selection(user_id="anna"))) >= 2
        ((query, *_),) = behaviour.events.pages(Selection(actions=("query",)))
        assert query.message == "[phone]"
    page.wait_for_function("JSON.parse(localStorage['lingsou.queue']).length === 0")


def test_what_could_not_be_sent_is_sent_later(running: Service, browser: Any) -> None:
    page = visit(running, browser.new_context())
    failures: list[str] = []

    def refuse(route: Any) -> None:
        failures.append(route.request.url)
        route.abort() if len(failures) == 1 else route.fulfill(status=503)

    page.route("**/v1/events", refuse)
    page.evaluate("lingsou.track('watch'); lingsou.flush()")
    page.wait_for_timeout(300)
    assert page.evaluate("JSON.parse(localStorage['lingsou.queue']).length") >= 1
    page.unroute("**/v1/events")
    page.evaluate("dispatchEvent(new Event('online'))")
    wait_for(running, lambda: ("other", None, None) in stored(running))
    assert failures


@pytest.mark.parametrize(
    "signal", ["Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
               "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"], ids=["gpc", "dnt"]
)  # fmt: skip
def test_who_does_not_want_to_be_tracked_is_not(running: Service, browser: Any, signal: str) -> None:
    context = browser.new_context()
    context.add_init_script(signal)
    page = visit(running, context)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.click("text=cup")
    page.evaluate("lingsou.track('watch'); lingsou.flush()")
    page.wait_for_timeout(1_500)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert not page.evaluate("lingsou.enabled")
    assert [url for url in sent if "/v1/events" in url] == []
    assert page.evaluate("localStorage.length") == 0
