"""The pages in a real browser: two languages, phone and desktop, keyboard alone, without JavaScript."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.console.conftest import has_encoder
from tests.serving.conftest import Service

PHONE, DESKTOP = 390, 1280
pytestmark = [pytest.mark.slow]

_ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8").partition("\n")[2]


@dataclass
class Visit:
    """One browser page, and everything that went wrong in it."""

    page: Any
    lang: str
    width: int
    troubles: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note what the console says and which requests fail."""

        def note(failed: bool, what: str) -> None:
            if failed:
                self.troubles.append(what)

        self.page.on("console", lambda m: note(m.type in ("error", "warning"), m.text))
        self.page.on("pageerror", lambda e: note(True, str(e)))
        self.page.on("response", lambda r: note(r.status >= 400, f"{r.status} {r.url}"))

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        self.check()

    def check(self) -> None:
        assert self.page.evaluate(_ACCESSIBILITY) == []
        assert self.page.locator("html").get_attribute("lang") == ("zh-CN" if self.lang == "zh" else "en")

    def total(self) -> int:
        found = re.search(r"[\d,]+", self.page.locator(".total").inner_text())
        assert found
        return int(found[0].replace(",", ""))

    def say(self, chinese: str, english: str) -> str:
        return chinese if self.lang == "zh" else english

    def chips(self, count: int, selector: str = ".chip") -> None:
        """Wait until the results have been exchanged."""
        self.page.locator(f"#results:not(.busy) {selector}").nth(count - 1).wait_for()
        assert self.page.locator(selector).count() == count

    def open_filters(self) -> None:
        if self.width == PHONE:
            self.page.locator(".drawer > summary").click()


@pytest.fixture
def visit(browser: Any, shop: Service) -> Iterator[Callable[..., Visit]]:
    contexts = []
    visits = []

    def start(lang: str = "en", width: int = DESKTOP, *, javascript: bool = True) -> Visit:
        context = browser.new_context(
            base_url=str(shop.client.base_url),
            locale="zh-CN" if lang == "zh" else "en-GB",
            viewport={"width": width, "height": 844 if width == PHONE else 900},
            java_script_enabled=javascript,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        made = Visit(context.new_page(), lang, width)
        made.watch()
        visits.append(made)
        return made

    yield start
    for context in contexts:
        context.close()
    assert [trouble for each in visits for trouble in each.troubles] == []


everywhere = pytest.mark.parametrize("width", [PHONE, DESKTOP], ids=["phone", "desktop"])
both = pytest.mark.parametrize("lang", ["zh", "en"])


@both
@everywhere
def test_from_home_to_a_product(visit: Callable[..., Visit], lang: str, width: int) -> None:
    shop = visit(lang, width)
    shop.open("/")
    shop.page.locator("#q").fill("T恤 200元以内" if lang == "zh" else "T-shirt under 200")
    shop.page.locator(".search button").click()
    shop.page.wait_for_url("**/search?q=*")
    shop.check()
    assert shop.total() > 1
    assert shop.page.locator(".card img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    card = shop.page.locator(".card").first
    card.locator("summary").click()
    assert card.locator(".why li").first.is_visible()
    title = card.locator(".title").inner_text()
    card.locator(".title a").click()
    shop.page.wait_for_url("**/product/*")
    shop.check()
    assert shop.page.locator("h1").inner_text() == title
    if has_encoder():
        shop.page.get_by_role("heading", name=shop.say("相似商品", "Similar products")).scroll_into_view_if_needed()
        assert shop.page.locator(".card").count() > 3


@both
@everywhere
def test_facets_price_order_and_pages(visit: Callable[..., Visit], lang: str, width: int) -> None:
    shop = visit(lang, width)
    shop.open("/search")
    everything = shop.total()
    shop.open_filters()
    box = shop.page.locator("input[name=brand]").first
    brand = box.get_attribute("value")
    box.check()
    shop.page.wait_for_url("**brand=*")
    shop.chips(1)
    shop.check()
    assert shop.total() < everything
    chosen = shop.page.locator(f'input[type=checkbox][value="{brand}"]')
    assert chosen.is_checked()
    shop.page.locator(".chip").first.click()
    shop.page.wait_for_url(re.compile(r"/search$"))
    shop.open_filters()
    shop.page.locator("input[name=max]").fill("60")
    shop.page.locator("input[name=max]").press("Enter")
    shop.page.wait_for_url("**max=60*")
    shop.chips(1)
    shop.page.locator("#sort").select_option("-price")
    shop.page.wait_for_url("**sort=-price*")
    shop.page.locator("#results:not(.busy) option[value='-price'][selected]").wait_for(state="attached")
    amounts = [float(text.lstrip("¥")) for text in shop.page.locator(".card .price").all_inner_texts()]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[0] <= 60
    shop.page.locator("a[rel=next]").click()
    shop.page.wait_for_url("**page=2*")
    shop.check()
    assert shop.page.locator(".pages [aria-current]").inner_text() == "2"
    shop.page.go_back()
    shop.page.wait_for_url(re.compile(r"sort=-price$"))


@both
@everywhere
def test_chips_nothing_found_and_errors(visit: Callable[..., Visit], lang: str, width: int) -> None:
    shop = visit(lang, width)
    shop.open("/search?q=T恤+不要黑色+150元以内")
    chips = shop.page.locator(".chip")
    assert chips.count() >= 3
    shop.page.locator(".chip", has_text="150").click()
    shop.page.wait_for_url(lambda url: "150" not in urlsplit(url).query)  # the server's port may hold the digits too
    shop.page.locator(".chip", has_text="黑色").click()
    shop.page.wait_for_url(lambda url: "%E4%B8%8D" not in urlsplit(url).query)
    assert shop.page.locator("#q").input_value() == "T恤"
    shop.open("/search?q=T恤&max=0.5")
    assert shop.page.locator(".empty h2").first.inner_text() == shop.say("没有找到符合的商品", "Nothing matches")
    shop.page.locator(".empty .chip").first.click()
    shop.page.wait_for_url(lambda url: "max" not in urlsplit(url).query)
    assert shop.total() > 0
    assert shop.troubles == []
    shop.open("/product/none-such")
    assert shop.page.locator("h1").inner_text() == shop.say("页面不存在", "This page does not exist")
    assert all("404" in trouble for trouble in shop.troubles)
    shop.troubles.clear()


def test_search_with_the_keyboard_alone(visit: Callable[..., Visit]) -> None:
    shop = visit("en")
    shop.open("/")
    keys, box = shop.page.keyboard, shop.page.locator("#q")
    keys.press("Tab")
    assert shop.page.evaluate("document.activeElement.className") == "skip"
    while shop.page.evaluate("document.activeElement.id") != "q":
        keys.press("Tab")
    keys.type("shi")
    shop.page.locator("#suggestions [role=option]").first.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    keys.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    option = shop.page.locator(f"#{active}")
    assert option.get_attribute("aria-selected") == "true"
    keys.press("ArrowUp")
    assert box.input_value() == "shi"
    keys.press("ArrowDown")
    keys.press("Escape")
    assert box.input_value() == "shi"
    assert box.get_attribute("aria-expanded") == "false"
    keys.press("ArrowDown")
    option.wait_for()
    keys.press("ArrowDown")
    keys.press("Enter")
    shop.page.wait_for_url("**/search?*")
    shop.check()
    # From the results on by keyboard: the skip link, then the first card's link.
    keys.press("Tab")
    keys.press("Enter")
    for _ in range(80):
        keys.press("Tab")
        if shop.page.evaluate("document.activeElement.matches('.title a')"):
            break
    keys.press("Enter")
    shop.page.wait_for_url("**/product/*")


def test_recent_searches_are_kept_here_and_can_be_cleared(visit: Callable[..., Visit]) -> None:
    shop = visit("en")
    shop.open("/search?q=rice+cooker")
    shop.open("/")
    shop.page.locator("#q").click()
    recent = shop.page.locator("#suggestions [role=option]")
    recent.first.wait_for()
    assert recent.first.inner_text() == "rice cooker"
    recent.last.click()
    recent.first.wait_for(state="detached")
    assert shop.page.evaluate("localStorage.getItem('lingsou.recent')") == "[]"


def test_suggestions_that_fail_are_not_missed(visit: Callable[..., Visit]) -> None:
    shop = visit("en")
    shop.page.route("**/v1/suggest**", lambda route: route.fulfill(status=404, json={"detail": "none here"}))
    shop.open("/")
    with shop.page.expect_response("**/v1/suggest**"):
        shop.page.locator("#q").press_sequentially("shirt")
    shop.page.keyboard.press("Enter")
    shop.page.wait_for_url("**/search?q=shirt")
    assert shop.total() > 0
    assert all("404" in trouble for trouble in shop.troubles)
    shop.troubles.clear()


def test_a_filter_keeps_the_focus_and_the_open_drawer(visit: Callable[..., Visit]) -> None:
    shop = visit("en", PHONE)
    shop.open("/search?q=T-shirt")
    shop.open_filters()
    shop.page.locator("#in-stock").focus()
    shop.page.keyboard.press("Space")
    shop.page.wait_for_url("**in_stock=1*")
    shop.chips(1, ".chip:not(.soft)")
    assert shop.page.evaluate("document.activeElement.id") == "in-stock"
    assert shop.page.locator("#in-stock").is_visible()
    assert not shop.page.locator(".apply").is_visible()


@everywhere
def test_without_javascript(visit: Callable[..., Visit], width: int) -> None:
    shop = visit("en", width, javascript=False)
    page = shop.page
    page.goto("/")
    page.locator("#q").fill("shirt")
    page.locator(".search button").click()
    page.wait_for_url("**/search?q=shirt")
    everything = shop.total()
    shop.open_filters()
    page.locator("input[name=brand]").first.check()
    page.locator("input[name=min]").fill("1")
    page.locator(".apply").click()
    page.wait_for_url("**brand=*")
    assert 0 < shop.total() < everything
    page.goto("/search")
    page.locator("#sort").select_option("price")
    page.locator(".sort button").click()
    page.wait_for_url("**sort=price*")
    page.locator("a[rel=next]").click()
    page.wait_for_url("**page=2*")
    assert page.locator(".card").count() > 0
    page.locator(".card .why summary").first.click()
    assert page.locator(".card .why li").first.is_visible()


def test_a_dark_room(browser: Any, shop: Service) -> None:
    context = browser.new_context(base_url=str(shop.client.base_url), color_scheme="dark")
    page = context.new_page()
    page.goto("/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 26)"
    context.close()


def test_the_javascript_client(visit: Callable[..., Visit]) -> None:
    shop = visit("en")
    shop.open("/")
    answer = shop.page.evaluate(
        """async () => {
          const { Lingsou, LingsouError } = await import("/static/lingsou.js");
          const shop = new Lingsou();
          const filters = { price: { lte: 500 } };
          const found = await shop.search({ q: "shirt", filters, facets: ["brand"], page_size: 2 });
          const product = await shop.product(found.hits[0].id);
          const similar = await shop.similar(product.id, { limit: 3, filter: "price=..900" });
          const suggested = await shop.suggest("shi", { limit: 3 });
          const plan = await shop.understand("shirt under 50");
          const refused = await shop.search({ filters: { colour: "x" } }).catch((error) => error);
          const gone = await shop.product("none such/é").catch((error) => error);
          return {
            total: found.total, similar: similar.hits.length, groups: Array.isArray(suggested.groups),
            language: plan.language, field: refused.field, cure: refused.cure, kind: refused instanceof LingsouError,
            slug: gone.slug, status: gone.status,
          };
        }"""
    )
    assert answer["total"] > 0
    assert answer["similar"] == (3 if has_encoder() else 0)
    assert (answer["groups"], answer["language"], answer["kind"]) == (True, "en", True)
    assert (answer["field"], answer["cure"]) == ("colour", "Did you mean attributes.colour?")
    assert (answer["slug"], answer["status"]) == ("not-found", 404)
    shop.troubles.clear()  # the browser reports the two refusals
