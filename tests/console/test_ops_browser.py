"""The console in a real browser: from a query without results to a rule that is live, and back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import Chosen, Proposal, SuggestionStore
from lingsou.core.keys import create_key
from lingsou.core.settings import load_settings
from tests.console.ops import log_searches
from tests.console.test_browser import DESKTOP, PHONE, Visit, visit
from tests.serving.conftest import Service

pytestmark = [pytest.mark.slow]
__all__ = ["visit"]
FOUND = ".card:not([data-source] .card)"
"""Cards of results; a page without any shows rows of recommendations."""
QUERY = "quuxberry"


@pytest.fixture(scope="module")
def key(shop: Service) -> str:
    """A key for the shared demo shop, whose log has searches that found nothing."""
    with Store.of(shop.folder, load_settings(shop.folder)) as store:
        _, plain = create_key(store.database, "anna")
    log_searches(shop.folder, (QUERY, 9, 0, 0), ("夸克莓", 7, 0, 0), ("T-shirt", 25, 40, 2), ("跑步鞋", 30, 12, 11))
    for days in range(1, 9):
        log_searches(shop.folder, ("T-shirt", 10 + days, 40, 8), ("跑步鞋", 5, 12, 3), days_ago=days)
    return plain


@pytest.fixture
def signed_in(visit: Callable[..., Visit], key: str) -> Callable[..., Visit]:
    def start(lang: str = "en", width: int = DESKTOP, *, javascript: bool = True) -> Visit:
        made = visit(lang, width, javascript=javascript)
        made.page.goto("/ops/")
        made.page.get_by_label(made.say("API 密钥", "API key")).fill(key)
        made.page.keyboard.press("Enter")
        made.page.wait_for_url("**/ops/")
        return made

    return start


def press(shop: Visit, chinese: str, english: str, role: Any = "button") -> None:
    shop.page.get_by_role(role, name=shop.say(chinese, english), exact=True).first.click()


@pytest.mark.parametrize(("lang", "width"), [("zh", DESKTOP), ("en", PHONE)])
def test_every_page_is_fit_for_all(signed_in: Callable[..., Visit], lang: str, width: int) -> None:
    shop = signed_in(lang, width)
    shop.check()
    for path in ("/rules", "/rules/new?q=shoes&do=pin&id=p000001", "/rules/history", "/preview?q=T恤", "/analytics",
                 "/analytics/zero", "/quality"):  # fmt: skip
        shop.open(f"/ops{path}")


@pytest.mark.parametrize(("lang", "width"), [("en", DESKTOP), ("zh", PHONE)])
def test_from_a_query_without_results_to_a_live_rule_and_back(
    signed_in: Callable[..., Visit], lang: str, width: int
) -> None:
    shop = signed_in(lang, width)
    page, query = shop.page, shop.say("夸克莓", QUERY)
    page.goto(f"/search?q={query}&literal=1")
    before = page.locator(FOUND).count()
    page.goto("/ops/analytics")
    page.get_by_role("link", name=shop.say(f"为“{query}”新建规则", f"New rule for “{query}”")).click()
    page.wait_for_url("**/ops/rules/new?**")
    assert page.get_by_label(shop.say("第 1 行：词", "Line 1: words")).input_value() == query
    # First with something wrong in it: the error stands at its field, and nothing is lost.
    page.get_by_label(shop.say("优先级", "Priority")).fill("high")
    press(shop, "保存草稿", "Save draft")
    assert page.get_by_label(shop.say("优先级", "Priority")).get_attribute("aria-invalid") == "true"
    shop.check()
    page.get_by_label(shop.say("优先级", "Priority")).fill("")
    page.get_by_label(shop.say("也找（每行一个，可不填）", "Also find, one a line (optional)")).fill("T恤\nT-shirt")
    press(shop, "+ 横幅", "+ Banner")
    page.get_by_label(shop.say("文字", "Text"), exact=True).fill("Try this <3")
    press(shop, "保存并预览", "Save and preview")
    page.wait_for_url("**/ops/preview?**")
    shop.check()
    assert page.locator(".column.draft .hit.new").count() > 0
    assert page.locator(".column.draft .acting").inner_text().count("Try this <3") >= 1
    assert page.locator(".column.live .hit.new").count() == 0
    press(shop, "发布草稿", "Publish draft")
    page.wait_for_url("**/ops/rules/history?**")
    shop.check()
    page.goto(f"/search?q={query}&literal=1")
    assert page.locator(".banner").inner_text() == "Try this <3"
    assert page.locator(FOUND).count() > before
    page.goto("/ops/rules/history")
    press(shop, "撤销最近一次发布", "Undo the last publication")
    page.wait_for_url("**done=undone")
    page.goto(f"/search?q={query}&literal=1")
    assert page.locator(".banner").count() == 0
    assert page.locator(FOUND).count() == before
    # A refused form is answered with 422, which the browser reports.
    assert all("422" in trouble for trouble in shop.troubles)
    shop.troubles.clear()


def test_a_rule_with_the_keyboard_alone(signed_in: Callable[..., Visit]) -> None:
    shop = signed_in("en")
    page, keys = shop.page, shop.page.keyboard
    page.goto("/ops/rules/new?q=T-shirt&do=hide&id=p000001")

    def tab_to(name: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            if name in page.evaluate("[document.activeElement.name, document.activeElement.textContent.trim()]"):
                return
        raise AssertionError(f"{name} is out of reach")

    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to("id")
    keys.press("Control+A")
    keys.type("by-keyboard")
    tab_to("priority")
    keys.press("Enter")  # in a field: saves, and does not press the first of the buttons that change the form
    page.wait_for_url("**/ops/rules?done=saved")
    (rule,) = [each for each in page.locator(".rule.added").all_inner_texts() if "by-keyboard" in each]
    assert "p000001" in rule
    tab_to("Discard changes")
    keys.press("Enter")
    page.wait_for_url("**done=discarded")


def test_the_whole_console_without_javascript(signed_in: Callable[..., Visit]) -> None:
    page = signed_in("en", javascript=False).page
    page.goto("/ops/rules/new?q=T-shirt")
    page.get_by_role("button", name="+ Boost").click()
    page.get_by_label("Line 1: field").select_option("brand")
    page.get_by_label("Line 1: value").fill("none such")
    page.get_by_role("button", name="+ Pin").click()
    page.get_by_label("Product ids, one a line").fill("p000002")
    page.get_by_role("button", name=re.compile("Remove.*Boost")).click()
    page.get_by_role("button", name="Save and preview").click()
    page.wait_for_url("**/ops/preview?**")
    assert "p000002" in page.locator(".column.draft .hit").first.inner_text()
    page.goto("/ops/rules")
    page.get_by_role("button", name="Discard changes").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/ops/login?**")
    page.goto("/ops/rules")
    page.wait_for_url("**/ops/login?**")


@pytest.mark.parametrize(("lang", "width"), [("en", DESKTOP), ("zh", PHONE)])
def test_repairs_are_reviewed(shop: Service, signed_in: Callable[..., Visit], lang: str, width: int) -> None:
    made = [
        Proposal(
            product_id=f"p{number:06}",
            field="attributes.origin",
            old=None,
            new=lang,
            check="origin",
            severity="info",
            problem="no origin",
            evidence="",
            confidence=0.6,
        )
        for number in (1, 2, 3)
    ]
    with Store.of(shop.folder, load_settings(shop.folder)) as store:
        SuggestionStore(store).refuse_all(Chosen(), "before")
        SuggestionStore(store).record(1, made, datetime.now(UTC))
    visitor = signed_in(lang, width)
    page = visitor.page
    visitor.open("/ops/quality")
    page.get_by_label(visitor.say("检查项", "Check"), exact=True).select_option("origin")
    page.get_by_label(visitor.say("置信度不低于", "At least so sure")).select_option("0.5")
    page.get_by_role("button", name=visitor.say("筛选", "Filter"), exact=True).click()
    page.wait_for_url("**min_confidence=0.5**")
    visitor.check()
    assert page.locator(".queue tbody tr").count() == 3
    assert page.locator(".queue ins").first.inner_text() == lang
    # With the keyboard alone: to the first decision, and on.
    page.locator(".queue button").first.focus()
    page.keyboard.press("Tab")
    assert "refuse" in page.evaluate("document.activeElement.form.action")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=quality_refused")
    assert parse_qs(urlsplit(page.url).query)["min_confidence"] == ["0.5"], "the filter stays"
    visitor.check()
    page.get_by_role("button", name=visitor.say("全部写入（2）", "Apply all 2")).click()
    page.wait_for_url("**done=quality_all_applied")
    page.goto("/ops/quality?state=applied&check=origin")
    visitor.check()
    page.locator(".queue button").first.click()
    page.wait_for_url("**done=quality_undone")
    page.get_by_role("button", name=visitor.say("立即检查", "Check now")).click()
    page.wait_for_url("**done=quality_begun")
    for _ in range(100):  # the checks run in the background
        page.goto("/ops/quality")
        if page.locator(".stats").count() and page.get_by_role("button", disabled=True).count() == 0:
            break
        page.wait_for_timeout(100)
    visitor.check()
    page.locator("#checks ~ .scroll summary").first.click()
    assert page.locator(".examples li").first.is_visible()
    assert page.locator(".chart svg").count() == 2
