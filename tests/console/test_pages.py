"""The pages over HTTP, as a browser without JavaScript gets them."""

import gzip
import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from lingsou.console.app import API_PATHS, create_app
from lingsou.core.settings import SETTINGS_FILE
from tests.console.conftest import PRODUCTS, has_encoder
from tests.serving.conftest import Service, make_folder


def page(shop: Service, address: str, lang: str = "en", status: int = 200) -> str:
    answer = httpx.get(urljoin(str(shop.client.base_url), address), headers={"Accept-Language": lang})
    assert answer.status_code == status, answer.text[:300]
    return answer.text


def total(text: str) -> int:
    found = re.search(r'class="total"[^>]*>\D*([\d,]+)', text)
    assert found
    return int(found[1].replace(",", ""))


def links(text: str, kind: str) -> list[str]:
    """Addresses of the links in lists of a class."""
    lists = re.findall(rf'<ul class="{kind}".*?</ul>', text, re.DOTALL)
    return [unescape(url) for each in lists for url in re.findall(r'href="([^"]+)"', each)]


@pytest.mark.parametrize(("lang", "words"), [("zh-CN", "热销商品"), ("en-GB", "Best sellers")])
def test_home(shop: Service, lang: str, words: str) -> None:
    text = page(shop, "/", lang)
    assert words in text
    assert f'<html lang="{"zh-CN" if lang == "zh-CN" else "en"}">' in text
    assert text.count('class="card"') == 20
    assert ("服饰" in text) == (lang == "zh-CN")


def test_results_filter_count_and_page_by_links_alone(shop: Service) -> None:
    everything = page(shop, "/search")
    count = total(everything)
    assert 24 < count <= PRODUCTS
    (tree, *_) = links(everything, "tree")
    narrowed = page(shop, tree)
    assert 0 < total(narrowed) < count
    promised = re.search(rf'href="{re.escape(tree)}"[^>]*><span>[^<]+</span> <span class="count">(\d+)', everything)
    assert promised
    assert int(promised[1]) == total(narrowed)
    second = page(shop, "/search?page=2")
    assert not set(re.findall(r'href="(/product/[^"]+)"', second)) & set(
        re.findall(r'href="(/product/[^"]+)"', everything)
    )
    assert "There is nothing on this page." in page(shop, "/search?page=400")


def test_a_ticked_value_gives_what_its_count_says(shop: Service) -> None:
    text = page(shop, "/search")
    boxes = re.findall(r'name="(brand|attributes\.\w+)" value="([^"]+)".*?class="count">(\d+)', text)
    assert boxes
    for field, value, count in (boxes[0], boxes[-1]):
        answer = page(shop, str(httpx.URL("/search", params={field: unescape(value)})))
        assert total(answer) == int(count)
        # The facet of a chosen value still offers the others.
        assert len(re.findall(rf'name="{re.escape(field)}"', answer)) > 1


def test_understood_words_are_chips_that_can_be_removed(shop: Service) -> None:
    text = page(shop, "/search?q=T恤+100元以内", "zh")
    assert "价格 ≤ ¥100" in text
    without_limit = next(url for url in links(text, "chips") if "100" not in url)
    wider = page(shop, without_limit, "zh")
    assert "价格 ≤" not in wider
    assert total(wider) >= total(text)
    literal = page(shop, "/search?q=T恤+100元以内&literal=1", "zh")
    assert "已按原文字搜索" in literal
    assert "价格 ≤" not in literal


@pytest.mark.parametrize(
    ("lang", "shown", "instead"),
    [
        ("zh", "已显示“wireless mouse”的搜索结果", "仍然搜索“wireles mouse”"),
        ("en", "Showing results for “wireless mouse”", "Search instead for “wireles mouse”"),
    ],
)
def test_a_correction_is_said_and_the_original_is_one_click_away(
    shop: Service, lang: str, shown: str, instead: str
) -> None:
    text = page(shop, "/search?q=wireles+mouse", lang)
    assert shown in text
    link = re.search(rf'<a href="([^"]+)">{instead}</a>', text)
    assert link
    as_spelt = page(shop, unescape(link[1]), lang)
    assert shown not in as_spelt
    assert 'value="wireles mouse"' in as_spelt
    assert total(text) == total(page(shop, "/search?q=wireless+mouse", lang))


def test_a_relaxed_limit_is_said_plainly(shop: Service) -> None:
    text = page(shop, "/search?q=T恤+1元以内")
    assert re.search(r'class="notice"[^>]*>没有商品符合', text)
    assert total(text) > 0


@pytest.mark.parametrize(("lang", "words"), [("zh", "没有找到符合的商品"), ("en", "Nothing matches")])
def test_an_empty_result_helps(shop: Service, lang: str, words: str) -> None:
    text = page(shop, "/search?q=cotton+T-shirt&max=1", lang)
    assert words in text
    assert "¥1" in text
    assert {"/search?q=cotton", "/search?q=T-shirt", "/search?q=cotton+T-shirt"} <= set(links(text, "chips"))
    assert any("category=" in url for url in links(text, "tiles"))


def test_reasons_are_given(shop: Service) -> None:
    text = page(shop, "/search?q=T-shirt")
    assert "Why this result?" in text
    assert "It has these words: T-" in text or "It has these words: " in text
    assert ("Close in meaning to your search" in text) == has_encoder()


def test_product(shop: Service) -> None:
    hits = shop.client.get("/v1/search", params={"facet": "brand", "page_size": 200}).json()["hits"]
    variant = next(hit for hit in hits if hit["variants"] > 1)
    text = page(shop, f"/product/{variant['id']}")
    assert variant["product"]["title"] in unescape(text)
    assert text.count("<h1") == 1
    assert len(links(text, "options")) >= variant["variants"]
    assert "Details" in text
    assert ("Similar products" in text) == has_encoder()


@pytest.mark.parametrize(("lang", "words"), [("zh", "页面不存在"), ("en", "This page does not exist")])
@pytest.mark.parametrize("address", ["/nope", "/product/none-such", "/static/none.css", "/media/feed.txt"])
def test_pages_that_do_not_exist(shop: Service, lang: str, words: str, address: str) -> None:
    text = page(shop, address, lang, 404)
    assert words in text
    assert 'role="search"' in text


def test_a_filter_that_does_not_exist(shop: Service) -> None:
    assert "This request cannot be understood" in page(shop, "/search?attributes.none=x", "en", 400)


def test_the_language_is_kept(shop: Service) -> None:
    with httpx.Client(base_url=shop.client.base_url, headers={"Accept-Language": "en"}) as client:
        assert 'lang="zh-CN"><' not in client.get("/").text
        assert "热销商品" in client.get("/?lang=zh").text
        assert "热销商品" in client.get("/").text
        (english, *_) = re.findall(r'<a href="([^"]+)" lang="en"', client.get("/search?q=T恤&page=2").text)
        assert "Results for" in client.get(unescape(english)).text


def test_pages_are_guarded(shop: Service) -> None:
    for address in ("/", "/search?q=x", "/nope", "/product/none"):
        headers = shop.client.get(address).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-cache"
        assert "Cookie" in headers["vary"]


@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "</title><img src=x onerror=alert(1)>"])
def test_what_a_shopper_types_is_only_text(shop: Service, attack: str) -> None:
    text = page(shop, str(httpx.URL("/search", params={"q": attack, "brand": attack})))
    assert attack not in text
    assert attack in unescape(text)
    assert "{{ 7*7 }}" in page(shop, str(httpx.URL("/search", params={"q": "{{ 7*7 }}"})))


def test_static_files_are_kept_and_packed(shop: Service) -> None:
    text = page(shop, "/")
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(set(names)) == 4
    for name in names:
        answer = shop.client.get(name)
        assert "immutable" in answer.headers["cache-control"]
        assert shop.client.get(name, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    client = shop.client.get("/static/lingsou.js", headers={"Accept-Encoding": "gzip"})
    assert client.headers["content-encoding"] == "gzip"
    assert client.headers["cache-control"] == "public, no-cache"
    assert client.headers["access-control-allow-origin"] == "*"


def test_a_results_page_is_light(shop: Service) -> None:
    text = shop.client.get("/search?q=T-shirt", headers={"Accept-Encoding": "gzip"})
    assert text.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(text.content, 5)) < 14_000
    files = {unescape(name) for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', text.text)}
    packed = sum(int(httpx.get(urljoin(str(shop.client.base_url), name)).headers["content-length"]) for name in files)
    assert packed < 14_000


def test_pictures_come_from_the_feed_folder_alone(shop: Service) -> None:
    image = next(iter(sorted((shop.folder.root / "feed" / "images").iterdir()))).name
    answer = shop.client.get(f"/media/images/{image}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    outside = shop.folder.root / "secret.svg"
    outside.write_text("<svg/>", encoding="utf-8")
    (shop.folder.root / "feed" / "way-out.svg").symlink_to(outside)
    refused = [
        "../secret.svg", "..%2fsecret.svg", "%2e%2e/secret.svg", "way-out.svg", "images", f"images/{image}%00.svg",
        "products.jsonl.gz", str(outside), "x" * 5_000 + ".svg", f"/{outside}",
    ]  # fmt: skip
    for path in refused:
        with httpx.Client(base_url=shop.client.base_url) as client:
            target = client.base_url.copy_with(raw_path=f"/media/{path}".encode())
            assert client.get(target).status_code == 404, path


def test_the_api_keeps_its_own_errors(shop: Service) -> None:
    assert shop.client.get("/v1/none").headers["content-type"] == "application/problem+json"
    assert shop.client.post("/v1/similar/x").status_code == 405
    assert shop.client.post("/health").status_code == 405
    paths = shop.client.get("/openapi.json").json()["paths"]
    assert {path.split("/")[1] for path in paths} <= API_PATHS


def test_pages_can_be_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = make_folder(tmp_path / "shop")
    monkeypatch.setenv("LINGSOU_CONSOLE__SHOP_NAME", "Tea & Co")
    monkeypatch.setenv("LINGSOU_CONSOLE__LANGUAGE", "zh")
    assert (folder.root / SETTINGS_FILE).is_file()
    from fastapi.testclient import TestClient

    with TestClient(create_app(folder.root)) as client:
        text = client.get("/").text
        assert "Tea &amp; Co" in text
        assert "店里还没有商品" in text
    monkeypatch.setenv("LINGSOU_CONSOLE__STOREFRONT", "false")
    with TestClient(create_app(folder.root)) as client:
        assert client.get("/").json()["status"] == 404
        assert client.get("/health").status_code == 200
