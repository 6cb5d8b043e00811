"""Make the pictures of docs/storefront.md and docs/console.md.

    python docs/make_screenshots.py [FOLDER]      FOLDER: of a demo shop that is there already

Starts the demo shop and photographs its pages with the machine's Chromium. Needs `pip install '.[dev]'`.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from searches_of_a_month import log_searches

from lingsou.catalog.store import Store
from lingsou.client import Client
from lingsou.core.errors import LingsouError
from lingsou.core.keys import create_key, revoke_key
from lingsou.core.settings import DataFolder, load_settings
from lingsou.rules import RuleStore
from lingsou.rules.schema import parse_rules

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
MOST_BYTES = 150_000
QUERY = "蓝色T恤 不要健身 100元以内"
DESKTOP, PHONE = (1280, 780), (390, 844)
CONSOLE = (
    ("ops-analytics-en", DESKTOP, "en-GB", "/ops/analytics"),
    ("ops-preview-zh", (1200, 690), "zh-CN", "/ops/preview?q=跑步鞋"),
    ("ops-rules-zh", DESKTOP, "zh-CN", "/ops/rules"),
    ("ops-rule-en", (1280, 1000), "en-GB", "/ops/rules/edit?id=double-11-shoes"),
    ("ops-phone-zh", PHONE, "zh-CN", "/ops/"),
)
"""Picture, size, language and address."""

TEES: dict[str, Any] = {
    "id": "tee-words",
    "name": "T恤的叫法",
    "then": [{"do": "synonyms", "words": ["T恤", "文化衫", "T-shirt"]}],
}
SOLD_OUT = {
    "id": "sold-out-last",
    "name": "Sold out goes down, everywhere",
    "then": [{"do": "bury", "filter": {"stock": 0}, "weight": 0.5}],
}
GIFTS = {
    "id": "gift-cards",
    "name": "Straight to the gift cards",
    "when": {"queries": [{"exact": "gift card"}, {"exact": "礼品卡"}]},
    "then": [{"do": "redirect", "url": "/gift-cards"}],
}
SHOES = {
    "id": "double-11-shoes",
    "name": "双十一跑鞋",
    "priority": 10,
    "when": {"queries": ["跑步鞋", {"phrase": "running shoes"}]},
    "then": [
        {"do": "pin", "ids": ["p000749"], "position": 1},
        {"do": "boost", "filter": {"brand": "跃麓"}, "weight": 0.1},
        {"do": "banner", "text": "双十一：跑鞋满 300 减 50", "url": "/search?q=跑步鞋"},
    ],
}
LIVE = [TEES, SOLD_OUT, GIFTS]
DRAFT = [TEES | {"then": [{"do": "synonyms", "words": ["T恤", "文化衫", "T-shirt", "tee"]}]}, SOLD_OUT, SHOES]


def main() -> None:
    """Every picture."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_shop(Path(*sys.argv[1:2] or [folder])) as base,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)

        @contextmanager
        def page(size: tuple[int, int], lang: str, scheme: Any = "light") -> Iterator[Page]:
            width, height = size
            context = browser.new_context(
                base_url=base, locale=lang, color_scheme=scheme, viewport={"width": width, "height": height}
            )
            yield context.new_page()
            context.close()

        with page(DESKTOP, "zh-CN") as shown:
            shown.goto("/")
            save(shown, "home-zh")
            shown.goto(f"/search?q={QUERY}")
            shown.locator(".card .why summary").first.click()
            save(shown, "results-zh")
        with page(DESKTOP, "en-GB") as shown:
            shown.goto("/")
            shown.locator("#q").press_sequentially("sho")
            shown.locator("#suggestions [role=option]").nth(2).wait_for()
            shown.keyboard.press("ArrowDown")
            save(shown, "suggestions-en")
            shown.goto("/search?q=running shoes under 500 not black")
            shown.locator(".card .title a").nth(1).click()
            shown.wait_for_url("**/product/**")
            save(shown, "product-en")
        with page(PHONE, "en-GB") as shown:
            shown.goto("/search?q=running shoes under 500 not black")
            save(shown, "phone-results-en")
            shown.locator(".drawer > summary").click()
            shown.locator(".drawer").scroll_into_view_if_needed()
            shown.evaluate("document.querySelector('.drawer').scrollIntoView()")
            save(shown, "phone-filters-en")
        with page(PHONE, "zh-CN", "dark") as shown:
            shown.goto("/search?q=T恤&max=1")
            save(shown, "phone-empty-zh-dark")
        console_pages(page, Path(*sys.argv[1:2] or [folder]))
        browser.close()


def console_pages(page: Callable[..., AbstractContextManager[Page]], root: Path) -> None:
    """The pictures of the console, with invented searches and a campaign."""
    log_searches(root)
    folder = DataFolder(root)
    with Store.of(folder, load_settings(folder)) as store:
        known, key = create_key(store.database, "Anna")
        rules = RuleStore(store.database)
        rules.put(parse_rules(LIVE), "Anna", replace=True)
        if rules.sets().changes:
            rules.publish("Anna", note="起步的规则")
        rules.put(parse_rules(DRAFT), "Anna", replace=True)
        try:
            for name, size, lang, address in CONSOLE:
                with page(size, lang) as shown:
                    shown.goto(address)
                    shown.locator("#key").fill(key)
                    shown.keyboard.press("Enter")
                    shown.wait_for_url(f"**{address.partition('?')[0]}*")
                    save(shown, name)
        finally:
            revoke_key(store.database, known.id)


@contextmanager
def demo_shop(folder: Path) -> Iterator[str]:
    """The address of a running demo shop, made anew in an empty folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lingsou.cli", "demo", "--data", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 900
        while not is_complete(base):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The demo shop did not start: run `lingsou demo` to see why.")
            time.sleep(1)
        yield base
    finally:
        process.terminate()
        process.wait()


def is_complete(base: str) -> bool:
    """Whether the last product can be found by meaning (then all can), and suggestions are there."""
    try:
        with Client(base) as client:
            return bool(client.similar("p003200", limit=1).hits and client.suggest("sho").groups)
    except LingsouError:
        return False


def save(page: Page, name: str) -> None:
    """What the window shows, as a PNG."""
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size:,} bytes, more than {MOST_BYTES:,}.")


if __name__ == "__main__":
    main()
