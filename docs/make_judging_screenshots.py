"""Make the pictures of docs/judging.md: two judges with made-up grades, on the demo shop.

python docs/make_judging_screenshots.py [FOLDER]      FOLDER: of a demo shop that is there already
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from make_screenshots import ARGUMENTS, PHONE, demo_shop, save
from playwright.sync_api import Page, sync_playwright

from lingsou.catalog.store import Store
from lingsou.core.keys import create_key
from lingsou.core.settings import DataFolder, load_settings

QUERIES = {
    "蓝色T恤 100元以内": (r"T恤|T-shirt|Tee", r"蓝|blue"),
    "running shoes not black": (r"running|runner|跑", r"^(?!.*(black|黑))"),
    "送男友的礼物": (r"手表|watch|剃须|皮带|belt|wallet|钱包", r"男|礼|men|gift"),
    "保温杯": (r"杯|flask|tumbler|bottle", r"保温|insulated|thermal"),
    "wireless earbuds under 300": (r"earbuds|headphone|耳机", r"wireless|无线|蓝牙"),
    "连衣裙": (r"dress|裙", r"连衣裙|dress"),
}
"""Query → what a product's text has to say to be near it, and to be good."""
DESKTOP = (1100, 640)
LEFT_OPEN = 2
"""Queries that the first judge has still to grade."""


def main() -> None:
    """Every picture."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        demo_shop(folder := Path(*sys.argv[1:2] or [temporary])) as base,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)

        def signed_in(judge: str, size: tuple[int, int] = DESKTOP, lang: str = "en-GB", scheme: str = "light") -> Page:
            viewport = {"width": size[0], "height": size[1]}
            context = browser.new_context(base_url=base, locale=lang, color_scheme=scheme, viewport=viewport)
            page = context.new_page()
            page.goto("/ops/judge")
            page.locator("[name=key]").fill(key_of(folder, judge))
            page.locator("[name=key]").press("Enter")
            page.wait_for_url("**/ops/judge")
            return page

        page = signed_in("ann")
        page.locator("[name=name]").fill("Frequent queries, spring")
        page.locator("[name=queries]").fill("\n".join(QUERIES))
        page.locator(".judge-new [type=submit]").click()
        page.wait_for_url(re.compile(r"/ops/judge/\d+\?"))
        address = page.url.partition("?")[0]
        other = signed_in("ben")
        for judge, judging, queries in (("ann", page, len(QUERIES) - LEFT_OPEN), ("ben", other, len(QUERIES))):
            for place, patterns in enumerate(list(QUERIES.values())[:queries], 1):
                grade_all(judging, f"{address}/grade?query={place}", patterns, strict=judge == "ben")
        page.goto(address)
        save(page, "judge-set-en")
        page.goto(f"{address}/compare?query=2")
        save(page, "judge-compare-en")
        patterns = list(QUERIES.values())
        grade_all(page, f"{address}/grade?query={len(QUERIES) - 1}", patterns[-2], most=3)
        page.wait_for_timeout(1_000)  # until the page has scrolled
        save(page, "judge-grade-en")
        phone = signed_in("ann", PHONE, "zh-CN", "dark")
        grade_all(phone, f"{address}/grade?query={len(QUERIES)}", patterns[-1], most=2)
        phone.wait_for_timeout(1_000)
        save(phone, "phone-judge-zh-dark")
        browser.close()


def key_of(folder: Path, judge: str) -> str:
    """A new key of that name."""
    data = DataFolder(folder)
    with Store.of(data, load_settings(data)) as store:
        return create_key(store.database, judge)[1]


def grade_all(
    page: Page, address: str, patterns: tuple[str, str], *, strict: bool = False, most: int | None = None
) -> None:
    """Grade the cards of a query by keyboard, or the first `most`; a strict judge finds less that is exact."""
    page.goto(address)
    for place, text in enumerate(page.locator("[data-card] .judge-facts").all_inner_texts()[:most]):
        near, good = (re.search(pattern, text, re.IGNORECASE | re.DOTALL) for pattern in patterns)
        page.keyboard.press(str((2 if strict and place % 3 else 3) if near and good else int(bool(near or good))))
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
