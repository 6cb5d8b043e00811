"""The console over HTTP: who may in, forms that only it can send, every page in both languages, the way of a rule."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount

from lingsou.console.app import create_app
from lingsou.console.ops import desk
from lingsou.console.ops.session import COOKIE, LOGIN_COOKIE
from lingsou.console.ops.texts import OWN, TEXTS
from lingsou.core.keys import create_key, list_keys, revoke_key
from tests.console.ops import Console, console, log_searches

PAGES = ["/", "/rules", "/rules/new", "/rules/history", "/preview", "/preview?q=shoes", "/analytics", "/analytics/zero",
         "/analytics/low-click", "/analytics/rising", "/analytics/top", "/analytics/supply",
         "/shoppers", "/quality"]  # fmt: skip


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console with products and searches; somebody is signed in."""
    with console(tmp_path_factory.mktemp("ops") / "shop") as running:
        log_searches(running.shop.folder, ("running shoes", 20, 3, 1), ("massage gun", 6, 0, 0), ("筋膜枪", 9, 0, 0))
        log_searches(running.shop.folder, ("gift", 4, 2, 2), days_ago=9)
        running.sign_in()
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Console]:
    """An empty console; nobody is signed in."""
    with console(tmp_path / "shop", products=False) as running:
        yield running


# Who may in.


def test_no_page_is_open_without_a_login(fresh: Console) -> None:
    app: Any = fresh.client.app
    mount = next(each for each in app.routes if isinstance(each, Mount) and each.path == desk.ROOT)
    console_app: Any = mount.app
    routes = [each for each in routes_of(console_app.router) if isinstance(each, APIRoute)]
    assert len(routes) > 15
    for route in routes:
        path = desk.ROOT + re.sub(r"\{\w+(:\w+)?\}", "1", route.path)
        if path.startswith((f"{desk.ROOT}/login", f"{desk.ROOT}/static/")):
            continue
        for method in route.methods or ():
            answer = fresh.client.request(method, path, follow_redirects=False)
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/ops/login"), path
            assert not answer.content
    assert fresh.client.get("/ops", follow_redirects=False).headers["location"] == "/ops/"


def routes_of(router: Any) -> Iterator[Any]:
    """Routes, also of routers that are included as they are."""
    for each in router.routes:
        inner = getattr(each, "original_router", None) or getattr(each, "router", None)
        if inner is None:
            yield each
        else:
            yield from routes_of(inner)


def test_login_leads_back_and_its_cookie_is_out_of_reach(fresh: Console) -> None:
    answer = fresh.client.get("/ops/rules?q=a%20b", follow_redirects=False)
    assert answer.headers["location"] == "/ops/login?next=%2Fops%2Frules%3Fq%3Da%2520b"
    assert 'name="next" value="/ops/rules?q=a%20b"' in fresh.page("/login?next=%2Fops%2Frules%3Fq%3Da%2520b")
    answered = fresh.sign_in(next="/ops/rules?q=a%20b")
    assert (answered.status_code, answered.headers["location"]) == (303, "/ops/rules?q=a%20b")
    cookie = next(each for each in answered.headers.get_list("set-cookie") if each.startswith(f"{COOKIE}="))
    assert {"httponly", "samesite=strict", "path=/ops"} <= set(cookie.lower().split("; "))
    assert "secure" not in cookie.lower()
    assert fresh.key not in cookie
    assert "Signed in as test" in fresh.page("/")


def test_over_https_cookies_are_secure(fresh: Console) -> None:
    fresh.client.base_url = fresh.client.base_url.copy_with(scheme="https")
    assert "secure" in fresh.sign_in().headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/ops/\\evil", "/search", "/ops/ x\r\nX: 1", ""]
)
def test_login_leads_nowhere_else(fresh: Console, target: str) -> None:
    assert fresh.sign_in(next=target).headers["location"] == "/ops/"


def test_wrong_keys_are_refused_alike_and_not_for_ever(fresh: Console) -> None:
    read_only = create_key(fresh.shop.store.database, "reader", ["read"])[1]
    assert fresh.sign_in(read_only).status_code == 403
    for key in ("", "ls_000000000000_x", fresh.key[:-1], *["nonsense"] * 7):
        answer = fresh.sign_in(key)
        assert answer.status_code == 401
        assert "wrong or revoked" in answer.text
        assert COOKIE + "=" not in answer.headers.get("set-cookie", "").replace(LOGIN_COOKIE, "")
    answer = fresh.sign_in()
    assert answer.status_code == 429
    assert "Try again in 15 minutes" in answer.text


def test_a_revoked_key_is_out_at_once(fresh: Console) -> None:
    fresh.sign_in()
    fresh.page("/")
    (key,) = list_keys(fresh.shop.store.database)
    revoke_key(fresh.shop.store.database, key.id)
    assert fresh.client.get("/ops/", follow_redirects=False).status_code == 303


def test_signing_out(fresh: Console) -> None:
    fresh.sign_in()
    answer = fresh.send("/logout")
    assert answer.headers["location"] == "/ops/login?done=signed_out"
    assert fresh.client.get("/ops/", follow_redirects=False).status_code == 303
    assert "You are signed out." in fresh.page("/login?done=signed_out")


def test_a_visit_to_the_login_page_does_not_end_a_session(fresh: Console) -> None:
    fresh.sign_in()
    fresh.page("/login")
    assert "Signed in as test" in fresh.page("/")


@pytest.mark.parametrize(
    "path", ["/rules/publish", "/rules/save", "/rules/undo", "/rules/delete", "/rules/discard", "/logout"]
)
@pytest.mark.parametrize("csrf", ["", "x", "0" * 64])
def test_no_other_site_can_send_a_form(ops: Console, path: str, csrf: str) -> None:
    answer = ops.send(path, csrf, id="r", note="x")
    assert answer.status_code == 403
    assert "no longer valid" in answer.text


def test_the_login_form_has_its_token_too(fresh: Console) -> None:
    fresh.page("/login")
    assert fresh.send("/login", "0" * 64, key=fresh.key).status_code == 403


def test_pages_are_guarded_and_never_kept(ops: Console) -> None:
    for path in ("/", "/nope", "/login"):
        headers = ops.client.get(f"/ops{path}").headers
        assert headers["cache-control"] == "no-store"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_console_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINGSOU_CONSOLE__OPERATIONS", "false")
    with console(tmp_path / "shop", products=False) as without:
        assert without.client.get("/ops/login").status_code == 404
    monkeypatch.setenv("LINGSOU_CONSOLE__OPERATIONS", "true")
    monkeypatch.setenv("LINGSOU_CONSOLE__STOREFRONT", "false")
    app = create_app(tmp_path / "shop")
    with TestClient(app) as client:
        text = client.get("/ops/login").text
        assert "Sign in to the console" in text
        for address in re.findall(r'(?:href|src)="(/ops/static/[^"]+)"', text):
            assert client.get(address).status_code == 200


# Every page.


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_speaks_both_languages(ops: Console, path: str, lang: str) -> None:
    text = ops.page(path, lang=lang)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in text
    own = TEXTS["sign_out"][lang == "en"]
    assert f">{own}</button>" in text
    assert text.count("<h1") == 1


def test_every_text_is_used() -> None:
    root = Path(desk.__file__).parent
    sources = [*(root.parent / "templates" / "ops").glob("*.html"), *root.glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "texts.py")
    built = re.compile(
        r"(nav|done|state|day|do|kind|op|row|is|move|change|days|language|report|error|login|wrong|cause)_.*|\w+_about"
    )
    quoted = set(re.findall(r"['\"]([\w-]+)['\"]", code))
    assert not {key for key in OWN if key not in quoted and not built.fullmatch(key)}
    used = set(re.findall(r"\bt(?:ext)?\('([\w-]+)'[,)]", code))
    assert used <= TEXTS.keys()


def test_overview(ops: Console) -> None:
    text = ops.page("/")
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", text))
    assert shown["Products in search"] == str(ops.shop.engine.size)
    assert shown["Index"] == "Up to date"
    assert shown["Text encoder"] == "Off: words alone"
    assert shown["Live rules"] == "0"
    # The seed lies half an hour back, which may be another day; then there are none today.
    assert (shown["Searches today"], shown["Without results"]) in {("35", "42.9 %"), ("0", "–")}
    assert "/ops/rules/new?q=massage+gun&do=synonyms" in text or "/ops/rules/new?q=massage%20gun&do=synonyms" in text


def test_pages_that_do_not_exist(ops: Console) -> None:
    assert "This page does not exist" in ops.page("/nope", 404)
    assert "This page does not exist" in ops.page("/analytics/none", 404)
    assert "no rule 'none'" in ops.page("/rules/edit?id=none", 404)


# Analytics.


def test_reports_and_their_numbers(ops: Console) -> None:
    text = ops.page("/analytics?days=7")
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", text))
    assert shown == {"Searches": "35", "Without results": "42.9 %", "With a click": "2.9 %"}
    assert 'aria-label="New rule for “massage gun”"' in text
    assert re.search(
        r"running shoes</th><td class=\"num less\">20</td>\s*<td class=\"num less\">1</td><td class=\"num\">5 %", text
    )
    assert "<svg" in text
    assert re.search(r'<rect class="b-zero"[^>]*><title>\d{4}-\d\d-\d\d · Without results: 15</title>', text)
    chinese = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", ops.page("/analytics?days=7&language=zh")))
    assert (chinese["Searches"], chinese["Without results"]) == ("9", "100.0 %")
    assert "gift" not in text
    assert "gift" in ops.page("/analytics?days=30")
    assert "gift" in ops.page("/analytics?days=1000")  # what makes no sense is left out


@pytest.mark.parametrize("name", ["zero", "low-click", "rising", "top", "supply", "volume", "latency"])
def test_every_report_as_a_file(ops: Console, name: str) -> None:
    answer = ops.client.get(f"/ops/analytics/{name}.csv?days=30&language=en")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="lingsou-{name}-30d-en.csv"'
    assert answer.content.startswith("\ufeff".encode())
    assert "筋膜枪" not in answer.text
    if name == "zero":
        assert answer.text.lstrip("\ufeff") == "text,searches,zero,relaxed\nmassage gun,6,6,0\n"


def test_demand_without_supply_names_the_cause(ops: Console) -> None:
    text = ops.page("/analytics/supply?days=7")
    assert re.search(r"massage gun</th>.*?no such product<span", text, re.DOTALL)
    assert re.search(r"running shoes</th>.*?fits, but is not chosen", text, re.DOTALL)
    assert "没有这种商品" in ops.page("/analytics/supply?days=7", lang="zh")


def test_from_a_query_without_results_to_a_rule(ops: Console) -> None:
    text = ops.page("/rules/new?q=massage+gun&do=synonyms")
    assert 'name="q.0.text" value="massage gun"' in text
    assert '<option value="exact" selected' in text
    assert re.search(r'name="a\.0\.words"[^>]*>massage gun</textarea>', text)


# The way of a rule.


def test_from_draft_to_live_and_back(tmp_path: Path) -> None:
    with console(tmp_path / "shop") as own:
        own.sign_in()
        before = own.client.post("/v1/search", json={"q": "shoes"}).json()
        last = before["hits"][-1]["id"]
        revision = re.search(r'name="revision" value="(\d+)"', own.page("/rules/new"))
        assert revision
        fields = {
            "id": "pin-it", "name": "Pin & show", "enabled": "1", "creating": "1", "revision": revision[1],
            "q.0.kind": "exact", "q.0.text": "shoes", "a.0.do": "pin", "a.0.ids": last, "a.0.position": "1",
        }  # fmt: skip
        assert own.send("/rules/save", **fields).headers["location"] == "/ops/rules?done=saved"
        listed = own.page("/rules")
        assert "1 changes that are not published" in listed
        assert 'class="badge added"' in listed
        assert own.client.post("/v1/search", json={"q": "shoes"}).json()["hits"] == before["hits"]
        assert "This id is taken" in own.send("/rules/save", **fields).text
        # The draft beside the live result.
        compared = own.page("/preview?q=shoes")
        draft = compared.partition('id="c-draft"')[2]
        assert re.search(rf'class="rank">1<.*?{re.escape(last)}.*?↑ up.*?rule pin-it', draft, re.DOTALL)
        published = own.send("/rules/publish", note="try", revision="1")
        assert published.headers["location"] == "/ops/rules/history?done=published"
        assert own.client.post("/v1/search", json={"q": "shoes"}).json()["hits"][0]["id"] == last
        # A change of what is live, thrown away; then one that is kept.
        assert own.send("/rules/switch", id="pin-it").status_code == 303
        assert 'class="badge changed"' in own.page("/rules")
        assert own.send("/rules/restore", id="pin-it").status_code == 303
        assert "The draft is what is live" in own.page("/rules")
        assert own.send("/rules/delete", id="pin-it").status_code == 303
        assert 'class="badge removed"' in own.page("/rules")
        assert own.send("/rules/discard", revision="4").status_code == 303
        assert "The draft is what is live" in own.page("/rules")
        history = own.page("/rules/history")
        assert "try" in history
        assert "added pin-it" in history
        assert own.send("/rules/undo", version="1").headers["location"] == "/ops/rules/history?done=undone"
        again = own.client.post("/v1/search", json={"q": "shoes"}).json()
        assert again["hits"] == before["hits"]
        assert "brings back version 0" in own.page("/rules/history")
        assert own.send("/rules/undo", version="1").status_code == 409
        assert "There is nothing to undo" in own.send("/rules/undo", version="2").text


def test_two_people_at_once(tmp_path: Path) -> None:
    with console(tmp_path / "shop", products=False) as own:
        own.sign_in()
        rule = {"creating": "1", "enabled": "1", "revision": "0", "step": "save", "a.0.do": "redirect", "a.0.url": "/x"}
        assert own.send("/rules/save", id="one", **rule).status_code == 303
        late = own.send("/rules/save", id="two", **rule)
        assert late.status_code == 422
        assert "Somebody else has just changed the draft" in late.text
        assert 'name="a.0.url"' in late.text
        assert 'name="revision" value="1"' in late.text  # so that saving once more does it
        assert own.send("/rules/publish", revision="0").status_code == 409


def test_a_form_grows_and_shrinks_by_its_buttons(ops: Console) -> None:
    fields = {"id": "r", "q.0.kind": "prefix", "q.0.text": "blue", "a.0.do": "banner", "a.0.text": "Hi <b>"}
    grown = ops.send("/rules/save", step="add-boost", **fields)
    assert grown.status_code == 200
    assert 'id="a-1"' in grown.text
    assert 'value="Hi &lt;b&gt;"' in grown.text
    assert 'name="q.0.text" value="blue"' in grown.text
    assert 'name="a.1.c.1.field"' in grown.text
    shrunk = ops.send("/rules/save", step="remove-0", **fields)
    assert 'id="a-0"' not in shrunk.text
    assert 'name="q.3.text"' in ops.send("/rules/save", step="patterns", **fields).text
    assert not ops.shop.rules.store.sets().draft


def test_what_is_wrong_stands_at_its_field(ops: Console) -> None:
    fields = {"id": "r", "creating": "1", "a.0.do": "boost", "a.0.c.0.field": "colr", "a.0.c.0.value": "red"}
    answer = ops.send("/rules/save", priority="x", **fields)
    assert answer.status_code == 422
    assert re.search(
        r'id="priority"[^>]*aria-describedby="priority-hint priority-wrong" aria-invalid="true"', answer.text
    )
    assert "Write a number." in answer.text
    unknown = ops.send("/rules/save", **fields)
    assert re.search(r'id="a\.0\.filter-wrong">[^<]*colr', unknown.text)
    assert '<option value="colr" selected>' in unknown.text


@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "</title><img src=x onerror=alert(1)>", "{{ 7*7 }}"])
def test_what_people_type_is_only_text(ops: Console, attack: str) -> None:
    for path in ("/rules/new", "/preview", "/rules"):
        raw = ops.client.get(f"/ops{path}", params={"q": attack, "do": "synonyms", "id": attack, "time": attack}).text
        assert "<script" not in raw
        assert "<img src=x" not in raw
        assert " 49 " not in raw


def test_a_preview_at_another_time_for_others(tmp_path: Path) -> None:
    with console(tmp_path / "shop") as own:
        own.sign_in()
        rule = {
            "id": "campaign", "creating": "1", "enabled": "1", "step": "preview", "preview_q": "shoes",
            "starts": "2030-11-11T00:00", "timezone": "Asia/Shanghai", "segments": "vip",
            "a.0.do": "banner", "a.0.text": "Double eleven",
        }  # fmt: skip
        assert own.send("/rules/save", **rule).headers["location"] == "/ops/preview?q=shoes"
        shown = "Banner: Double eleven"
        then = "q=shoes&time=2030-11-11T00:00&zone=Asia/Shanghai"
        assert shown not in own.page("/preview?q=shoes&segments=vip")
        assert shown not in own.page(f"/preview?{then}")
        assert shown in own.page(f"/preview?{then}&segments=new,vip")
        assert shown not in own.page("/preview?q=shoes&time=2030-11-11T00:00&zone=UTC&segments=other")
        assert "This is no time" in own.page("/preview?q=shoes&time=soon")
