"""The judging pages: sets, blind cards, side by side, agreement, files; with and without JavaScript."""

import re
import string
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from lingsou.catalog.store import Store
from lingsou.console import judging, judging_texts
from lingsou.console.app import create_app
from lingsou.core.keys import create_key
from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.types import Context, Product, SearchRequest
from lingsou.evaluation.judgements import read_icecat, read_queries, read_trec
from lingsou.evaluation.judging import Grading, JudgingStore
from lingsou.pipeline.configurations import CONFIGURATIONS, answer
from lingsou.pipeline.shop import Shop
from lingsou.rules.schema import parse_rules
from lingsou.testing.catalogue import tiny_catalogue
from tests.serving.conftest import Service, make_folder

CONSOLE = Path(judging.__file__).parent
ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text(encoding="utf-8").partition("\n")[2]


class Judge:
    """Somebody who is signed in, with what a browser does: cookies, hidden fields, redirects."""

    def __init__(self, client: TestClient, key: str):
        self.client = client
        page = client.get("/ops/login").text
        self.page = client.post("/ops/login", data={"csrf": token(page), "key": key, "next": "/ops/judge"})
        assert self.page.url.path == "/ops/judge"

    def open(self, address: str, status: int = 200) -> str:
        self.page = self.client.get(address)
        assert self.page.status_code == status, address
        return self.page.text

    def send(self, address: str, status: int = 200, **fields: Any) -> Any:
        self.page = self.client.post(address, data={"csrf": token(self.page.text), **fields})
        assert self.page.status_code == status, self.page.text
        return self.page

    def make(self, queries: str = "laptop\nshoes", **fields: Any) -> str:
        """A new set; its address."""
        self.open("/ops/judge")
        usual = {"name": "First", "queries": queries, "popular": "0", "a": "live", "b": "words-only", "depth": "10"}
        return urlsplit(str(self.send("/ops/judge", **usual | fields).url)).path


def token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def products_of(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="product" value="([^"]+)"', page)]


def pressed(page: str) -> list[str]:
    return re.findall(r'name="grade" value="(\d)" aria-pressed="true"', page)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A shop of its own with an index, and no encoder."""
    folder, _ = make_folder(tmp_path / "shop")
    with Store.of(folder, load_settings(folder)) as store:
        store.upsert([*tiny_catalogue(), Product(id="x y/<1>", title="Laptop <b>sleeve</b>")])
    return folder


@pytest.fixture
def app(folder: DataFolder) -> Iterator[Any]:
    made = create_app(folder.root)
    shop = made.state.worker.shop
    shop.indexer().catch_up()
    shop.engine.refresh()
    shop.understanding.refresh(at_once=True)
    with TestClient(made):
        yield made


@pytest.fixture
def judge_named(app: Any, folder: DataFolder) -> Callable[[str], Judge]:
    def sign_in(name: str) -> Judge:
        with Store.of(folder, load_settings(folder)) as store:
            _, key = create_key(store.database, name)
        return Judge(TestClient(app, headers={"accept-language": "en"}), key)

    return sign_in


def shop_of(app: Any) -> Shop:
    shop: Shop = app.state.worker.shop
    return shop


def test_nobody_judges_without_a_login_or_from_another_site(app: Any, judge_named: Callable[[str], Judge]) -> None:
    client = TestClient(app)
    page = client.get("/ops/judge/1/grade?query=2")
    assert page.url.path == "/ops/login"
    assert parse_qs(page.url.query.decode())["next"] == ["/ops/judge/1/grade?query=2"]
    for address in ("/ops/judge", "/ops/judge/1/grade", "/ops/judge/1/delete"):
        assert client.post(address, data={"name": "x"}).url.path == "/ops/login"
    assert judge_named("ann").client.post("/ops/judge", data={"name": "x", "queries": "q"}).status_code == 403
    assert JudgingStore(shop_of(app).store.database).sets() == []


def test_grading_without_javascript(judge_named: Callable[[str], Judge], app: Any) -> None:
    ann = judge_named("ann")
    address = ann.make(" laptop \n\nshoes\nlaptop\nzzzz")
    assert "You graded 0 of" in ann.page.text
    page = ann.open(f"{address}/grade")
    cards = products_of(page)
    assert len(cards) > 2
    assert "&lt;b&gt;sleeve" in page
    assert "<b>sleeve" not in page
    assert "nothing found" in ann.open(address), "zzzz"

    # Each grade leads to the card after it; of the last one, back to itself.
    ann.open(f"{address}/grade")
    for place, product in enumerate(cards, 1):
        after = ann.send(f"{address}/grade", query=1, product=product, grade=place % 4)
        assert after.url.fragment == f"card-{min(place + 1, len(cards))}"
        assert products_of(after.text) == cards, "the order stays"
    assert pressed(ann.page.text) == [str(place % 4) for place in range(1, len(cards) + 1)]
    assert parse_qs(ann.client.get(f"{address}/grade").url.query.decode()) == {}
    assert 'data-query="2"' in ann.open(f"{address}/grade"), "the first that is not finished"

    # Undoing goes back one by one, and to the query where it was.
    ann.send(f"{address}/grade", query=2, product=products_of(ann.page.text)[0], grade=3)
    assert ann.send(f"{address}/undo").url.fragment == "card-1"
    assert pressed(ann.page.text) == []
    assert parse_qs(ann.send(f"{address}/undo").url.query.decode()) == {"query": ["1"]}
    assert len(pressed(ann.page.text)) == len(cards) - 1

    for wrong in ({"grade": "4"}, {"grade": ""}):
        ann.send(f"{address}/grade", 422, **{"query": 1, "product": cards[0]} | wrong)
    for wrong in ({"query": "99"}, {"query": "x"}, {"product": "elsewhere"}):
        ann.open(f"{address}/grade")
        ann.send(f"{address}/grade", 404, **{"query": 1, "product": cards[0], "grade": 1} | wrong)
    for nowhere in ("/ops/judge/99", f"{address}/grade?query=0", f"{address}/compare?query=9", f"{address}/x.csv"):
        ann.open(nowhere, 404)


def test_the_cards_do_not_tell_who_found_what(judge_named: Callable[[str], Judge]) -> None:
    ann, ben = judge_named("ann"), judge_named("ben")
    address = ann.make()
    turned = ben.make(name="Turned", a="words-only", b="live")

    def cards(judge: Judge, where: str) -> str:
        return judge.open(f"{where}/grade?query=1").partition("<main")[2].replace(where, "")

    def neutral(page: str) -> str:
        return re.sub(r"First|Turned|csrf\S* ?(value=)?\S+", "", page)

    assert neutral(cards(ann, address)) == neutral(cards(ann, turned))
    assert set(products_of(cards(ann, address))) == set(products_of(cards(ben, address)))
    for name in ("live", "words", "Rank", "nDCG"):
        assert name not in neutral(cards(ann, address))


def test_two_judges_side_by_side_and_files(judge_named: Callable[[str], Judge], app: Any, tmp_path: Path) -> None:
    ann, ben = judge_named("ann"), judge_named("ben")
    address = ann.make("laptop\nlaptop under 6000")
    shop = shop_of(app)
    live = [hit.id for hit in answer(shop, CONFIGURATIONS["live"], "laptop under 6000", 10).hits]
    words = [hit.id for hit in answer(shop, CONFIGURATIONS["words-only"], "laptop under 6000", 10).hits]
    assert live != words, "the price is a limit to one and words to the other"

    page = ann.open(f"{address}/compare?query=2")
    assert "You have not finished grading this query" in page
    left, right = page.split('aria-labelledby="side-')[1:]
    assert (left.count("judge-result"), right.count("judge-result")) == (len(live), len(words))
    assert ">–</strong>" in left

    for judge, best, rest in ((ann, 3, 0), (ben, 2, 0)):
        for place in (1, 2):
            page = judge.open(f"{address}/grade?query={place}")
            for product in products_of(page):
                grade = best if product in live else rest
                judge.send(f"{address}/grade", query=place, product=product, grade=grade)
    page = ann.open(f"{address}/compare?query=2")
    assert "not finished" not in page
    left, right = page.split('aria-labelledby="side-')[1:]
    assert "1.000" in left, "all that live found is good"
    assert f"{min(len(words), 10)} of the first" in right
    assert left.count('grade-2"') == len(live), "3 and 2 are even: the lower"

    page = ann.open(address)
    assert "You have graded everything" in page
    assert "Weighted kappa (quadratic)" in page
    assert "Over 2 queries graded completely" in page
    assert re.search(r"ann \(\d+\)", page)
    assert re.search(r"ben \(\d+\)", page)

    got = {name: ann.client.get(f"{address}/{name}") for name in ("ratings.csv", "qrels.txt", "queries.tsv")}
    if "x y/<1>" not in live + words:
        assert {each.status_code for each in got.values()} == {200}
    ratings = tmp_path / "ratings.csv"
    ratings.write_text(got["ratings.csv"].text, encoding="utf-8")
    graded = read_icecat(ratings).grades["laptop under 6000"]
    assert graded == {each: 2.0 if each in live else 0.0 for each in {*live, *words}}
    assert got["ratings.csv"].headers["content-disposition"] == "attachment; filename=ratings.csv"
    assert ann.client.get("/ops/judge/ratings.csv").text == got["ratings.csv"].text


def test_trec_files_fit_together(judge_named: Callable[[str], Judge], app: Any, tmp_path: Path) -> None:
    ann = judge_named("ann")
    address = ann.make("跑步鞋\nshoes")
    store = JudgingStore(shop_of(app).store.database)
    store.grade([Grading("跑步鞋", "s1", "ann", 3), Grading("shoes", "s2", "ben", 1), Grading("other", "s2", "ben", 1)])
    for name in ("qrels.txt", "queries.tsv"):
        (tmp_path / name).write_text(ann.open(f"{address}/{name}"), encoding="utf-8")
    worded = read_trec(tmp_path / "qrels.txt").worded(read_queries(tmp_path / "queries.tsv"))
    assert worded.grades == {"跑步鞋": {"s1": 3.0}, "shoes": {"s2": 1.0}}
    store.grade([Grading("shoes", "x y/<1>", "ben", 1)])
    assert "separated by spaces" in ann.open(f"{address}/qrels.txt", 422)
    assert "x y/<1>" in ann.open(f"{address}/ratings.csv")


def test_queries_from_ratings_and_from_the_search_log(judge_named: Callable[[str], Judge], app: Any) -> None:
    ann, shop = judge_named("ann"), shop_of(app)
    ann.make("query,docid,rating\nlaptop,l1,3\n跑步鞋,s1,2\n", name="Ratings")
    store = JudgingStore(shop.store.database)
    assert store.named("Ratings").queries == ("laptop", "跑步鞋")
    assert set(store.grades()) == {Grading("laptop", "l1", "ann", 3), Grading("跑步鞋", "s1", "ann", 2)}

    for visitor in range(4):
        for q in ("shoes", "laptop") if visitor else ("shoes",):
            request = SearchRequest(q=q, context=Context(session_id=f"visitor {visitor}"))
            shop.behaviour.searches.record(request, shop.pipeline.search(request))
    secret = SearchRequest(q="my own laptop", context=Context(session_id="visitor 1"))
    shop.behaviour.searches.record(secret, shop.pipeline.search(secret))
    ann.make("mine", name="Log", popular="10")
    assert store.named("Log").queries == ("mine", "shoes", "laptop"), "what one alone searched is not shown"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"queries": "\n \n"}, "0 queries"),
        ({"depth": "0"}, "depth is 0"),
        ({"a": "nonsense"}, "no configuration"),
        ({"queries": "query,docid,rating\nlaptop,l1,7\n"}, "judging uses 0 to 3"),
        ({"queries": "query,docid,rating\nlaptop,l1\n"}, "2 cells instead of 3"),
    ],
)
def test_a_form_that_is_wrong_keeps_what_was_typed(
    judge_named: Callable[[str], Judge], fields: dict[str, str], words: str
) -> None:
    ann = judge_named("ann")
    usual = {"name": "N", "queries": "typed", "popular": "", "a": "no-rules", "b": "draft-rules", "depth": "7"}
    page = ann.send("/ops/judge", 422, **usual | fields).text
    assert words in page
    assert ("typed" in page) == ("queries" not in fields)
    assert page.count(" selected>") == (1 if "a" in fields else 2)
    assert "There are no sets yet" in ann.open("/ops/judge")


def test_searching_again_and_deleting_keep_the_grades(judge_named: Callable[[str], Judge], app: Any) -> None:
    ann = judge_named("ann")
    address = ann.make("laptop")
    shop = shop_of(app)
    store = JudgingStore(shop.store.database)
    (pool,) = store.pools(store.named("First"))
    gone = pool.a[0]
    ann.open(f"{address}/grade")
    ann.send(f"{address}/grade", query=1, product=gone, grade=3)
    shop.store.delete([gone])
    assert "No longer in the shop" in ann.open(f"{address}/grade")
    assert "No longer in the shop" in ann.open(f"{address}/compare")
    shop.indexer().catch_up()
    shop.engine.refresh()
    ann.send(f"{address}/search")
    (pool,) = store.pools(store.named("First"))
    assert gone not in pool.products
    ann.send(f"{address}/delete")
    assert ann.page.url.path == "/ops/judge"
    assert store.grades() == [Grading("laptop", gone, "ann", 3)]


def test_every_configuration_answers_in_its_own_way(app: Any) -> None:
    shop = shop_of(app)

    def hide(product: str) -> None:
        then = [{"do": "hide", "ids": [product]}]
        shop.rules.store.put(parse_rules([{"id": "one", "when": {"queries": ["laptop"]}, "then": then}]), "ann")

    hide("l1")
    shop.rules.store.publish("ann")
    shop.rules.refresh()
    hide("l2")

    def found(name: str, q: str = "laptop") -> set[str]:
        return {hit.id for hit in answer(shop, CONFIGURATIONS[name], q, 50).hits}

    everything = found("no-rules")
    assert everything - found("live") == {"l1"}
    assert everything - found("draft-rules") == {"l2"}
    plans = {name: answer(shop, each, "laptop under 6000", 5).plan for name, each in CONFIGURATIONS.items()}
    assert {name for name, plan in plans.items() if plan is None} == {"no-understanding", "words-only"}
    assert CONFIGURATIONS.keys() == {key.removeprefix("judge_cfg_") for key in judging_texts.TEXTS if "_cfg_" in key}


# In a browser.


@pytest.fixture
def open_page(browser: Any, shop: Service) -> Iterator[Callable[..., Any]]:
    """Pages of somebody who is signed in, on a set with two queries; nothing may go wrong in them."""
    with Store.of(shop.folder, load_settings(shop.folder)) as store:
        _, key = create_key(store.database, "browser")
        judging_store = JudgingStore(store.database)
        for each in judging_store.sets():
            judging_store.delete(each.number)
        while judging_store.undo("browser", ["T恤", "running shoes"]):
            pass
    contexts: list[Any] = []
    troubles: list[str] = []

    def start(lang: str = "en", width: int = 1280, *, javascript: bool = True) -> Any:
        context = browser.new_context(
            base_url=str(shop.client.base_url),
            locale="zh-CN" if lang == "zh" else "en-GB",
            viewport={"width": width, "height": 844},
            java_script_enabled=javascript,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.goto("/ops/judge")
        page.locator("[name=key]").fill(key)
        page.locator("[name=key]").press("Enter")
        page.wait_for_url("**/ops/judge")
        page.locator("[name=name]").fill("In a browser")
        page.locator("[name=queries]").fill("T恤\nrunning shoes")
        page.locator("[name=depth]").fill("3")
        page.locator(".judge-new [type=submit]").click()
        page.wait_for_url(re.compile(r"/ops/judge/\d+\?done"))
        page.locator(".judge-progress .button").click()
        page.wait_for_url("**/grade")
        page.troubles = troubles
        return page

    yield start
    for context in contexts:
        context.close()
    assert troubles == []


def grades_in(shop: Service) -> dict[tuple[str, str], int]:
    with Store.of(shop.folder, load_settings(shop.folder)) as store:
        held = JudgingStore(store.database).grades(["T恤", "running shoes"])
    return {(each.query, each.product_id): each.grade for each in held if each.judge == "browser"}


@pytest.mark.slow
def test_grading_with_the_keyboard_alone(open_page: Callable[..., Any], shop: Service) -> None:
    page = open_page()
    keys, current = page.keyboard, page.locator("[data-card][aria-current]")
    ids = [each.get_attribute("value") for each in page.locator("[name=product]").all()]
    assert current.get_attribute("id") == "card-1"
    keys.press("3")
    assert current.get_attribute("id") == "card-2"
    assert page.evaluate("document.activeElement.id") == "card-2"
    keys.press("j")
    assert current.get_attribute("id") == "card-3"
    keys.press("0")
    assert current.get_attribute("id") == ("card-2" if len(ids) == 3 else "card-4")
    for _ in ids:
        keys.press("k")
    assert current.get_attribute("id") == "card-1", "there is nothing before the first"
    keys.press("j")
    keys.press("Alt+3")
    keys.press("1")
    keys.press("u")
    page.locator("#card-2 [aria-pressed=true]").wait_for(state="detached")
    assert current.get_attribute("id") == "card-2"
    assert grades_in(shop) == {("T恤", ids[0]): 3, ("T恤", ids[2]): 0}
    assert re.search(rf"2 of {len(ids)} graded", page.locator(".judge-dock [role=status]").inner_text())

    for _ in range(len(ids) - 2):
        keys.press("2")
    assert page.evaluate("document.activeElement.dataset.go") == "", (
        "all are graded: on to the next query by Enter or N"
    )
    keys.press("Enter")
    page.wait_for_url("**query=2")
    assert page.locator("h1").inner_text() == "running shoes"
    # Undoing leads back to where the last grade was given.
    keys.press("u")
    page.wait_for_url("**query=1#card-*")
    page.locator("[data-card][aria-current]").wait_for()
    keys.press("2")
    keys.press("n")
    page.wait_for_url("**query=2")
    for _ in page.locator("[data-card]").all():
        keys.press("1")
    keys.press("n")
    page.wait_for_url(re.compile(r"/ops/judge/\d+$"))
    assert page.locator(".judge-progress strong").inner_text() == "You have graded everything"
    found = grades_in(shop)
    assert {query for query, _ in found} == {"T恤", "running shoes"}
    assert found["T恤", ids[0]] == 3
    assert set(found.values()) == {0, 1, 2, 3}


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "width"), [("zh", 390), ("en", 390), ("zh", 1280)])
def test_every_page_in_two_languages_on_phone_and_desktop(open_page: Callable[..., Any], lang: str, width: int) -> None:
    page = open_page(lang, width)
    grading = page.url
    for address in (grading, grading.replace("grade", "compare"), grading.removesuffix("/grade"), "/ops/judge"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate(ACCESSIBILITY) == []
    page.goto(grading)
    button = page.locator("#card-1 [name=grade]").nth(3)
    assert button.inner_text().split() == ["3", "正是" if lang == "zh" else "Exact"]
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("#card-2").get_attribute("aria-current") == "true"


@pytest.mark.slow
def test_buttons_without_javascript(open_page: Callable[..., Any], shop: Service) -> None:
    page = open_page(javascript=False)
    page.locator("#card-1 [name=grade]").nth(2).click()
    page.wait_for_url("**query=1#card-2")
    assert page.locator("#card-1 [aria-pressed=true]").get_attribute("value") == "2"
    assert list(grades_in(shop).values()) == [2]
    page.locator("[data-undo]").click()
    page.wait_for_url("**query=1#card-1")
    assert grades_in(shop) == {}
    page.locator("[data-go]").click()
    page.wait_for_url("**query=2")


@pytest.mark.slow
def test_a_grade_that_was_not_saved_is_shown_so(open_page: Callable[..., Any], shop: Service) -> None:
    page = open_page()
    page.route("**/grade", lambda route: route.abort())
    page.keyboard.press("3")
    page.locator("[data-unsaved]").wait_for()
    assert page.locator("#card-1 [aria-pressed=true]").count() == 0
    page.keyboard.press("n")
    assert page.url.endswith("/grade"), "nobody leaves what is not saved without knowing"
    page.unroute("**/grade")
    page.keyboard.press("k")
    page.keyboard.press("3")
    page.locator("[data-unsaved]").wait_for(state="hidden")
    assert list(grades_in(shop).values()) == [3]
    assert all("ERR_FAILED" in each for each in page.troubles)
    page.troubles.clear()


@pytest.mark.slow
def test_a_file_fills_the_form(open_page: Callable[..., Any], tmp_path: Path) -> None:
    page = open_page()
    page.goto("/ops/judge")
    page.locator(".judge-new summary").click()
    (tmp_path / "queries.txt").write_text("保温杯\nphone case\n", encoding="utf-8")
    page.locator("[type=file]").set_input_files(tmp_path / "queries.txt")
    deadline = time.monotonic() + 30
    while page.locator("[name=queries]").input_value() != "保温杯\nphone case\n":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("key", list(judging_texts.TEXTS))
def test_texts_say_the_same_in_both_languages(key: str) -> None:
    chinese, english = judging_texts.TEXTS[key]
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (chinese, english)]
    assert chinese.strip()
    assert english.strip()
    assert places[0] == places[1]
    code = "".join(path.read_text(encoding="utf-8") for path in (CONSOLE / "templates" / "ops").glob("judge*.html"))
    built = ("judge_cfg_", "judge_grade_", "judge_side_", "judge_weighted kappa", "judge_alpha")
    assert f"'{key}'" in code or key.startswith(built)
