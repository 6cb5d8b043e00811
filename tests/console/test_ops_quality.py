"""The page of data quality: before a run and after, the queue with its decisions, the quarantine, both languages."""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lingsou.catalog.quarantine import Held, Reason
from lingsou.catalog.suggestions import Chosen, SuggestionStore
from lingsou.console.ops import quality, quality_texts
from lingsou.console.texts import LANGUAGES
from lingsou.core.builtins import BUILTINS
from lingsou.core.types import Product
from lingsou.pipeline.quality import is_running, quality_lock
from tests.console.ops import Console, console

LOUD = [Product(id=f"q{place:02}", title=f"<LAMP> {'X' * place}", brand="Lux") for place in range(1, 31)]
REASON = Reason(
    check="price", severity="error", problem="the price is 0", field="price", evidence="0", repair="", confidence=1
)


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console over a shop whose only check finds titles in capitals; one product is held back."""
    root = tmp_path_factory.mktemp("quality")
    (root / "own.toml").write_text("about = 'no exceptions'", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        patch.setenv("LINGSOU_QUALITY__PROFILE", str(root / "own.toml"))
        running = opened.enter_context(console(root / "shop"))
        patch.setitem(BUILTINS, "check", {"shouting": "tests.pipeline.test_quality:Shouting"})
        patch.setitem(BUILTINS, "audit", {"absent": "tests.pipeline.test_quality:Absent"})
        running.sign_in()
        assert "have not run yet" in running.page("/quality")
        running.shop.store.upsert(
            LOUD, [Held(Product(id=f"h{n}", title=f"Held {n}"), (REASON,), "feed", n) for n in (1, 2)]
        )
        answer = running.send("/quality/run", deep="1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/quality?done=quality_begun")
        deadline = time.monotonic() + 30
        while (
            is_running(running.shop.folder, running.shop.store.database) or not queue(running)
        ) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield running


def queue(ops: Console, **chosen: str) -> list[str]:
    """Products of suggestions in a state, the surest first."""
    found = SuggestionStore(ops.shop.store).listed(Chosen.model_validate(chosen or {"state": "open"}), size=100)[1]
    return [each.product_id for each in found]


def id_of(ops: Console, product: str) -> str:
    ((found,),) = (SuggestionStore(ops.shop.store).listed(Chosen(product_id=product))[1],)
    return found.id


def title(ops: Console, product: str) -> str:
    return ops.shop.store.get([product])[product].title


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            ("Data quality", "Score", "By check", "shouting", "Suggested repairs", "Left out: absent", "Quarantine"),
        ),
        ("zh", ("数据质量", "评分", "各项检查", "shouting", "修改建议", "未能运行：absent", "隔离区")),
    ],
)
def test_everything_at_one_look(ops: Console, lang: str, words: tuple[str, ...]) -> None:
    text = ops.page("/quality", lang=lang)
    assert all(word in text for word in words)
    assert text.count("<h1") == 1
    assert text.count("<svg") == 2
    assert "<del><LAMP> XXXXX" in text  # the page is unescaped here
    assert "&lt;LAMP&gt;" in ops.client.get("/ops/quality").text
    assert "1 / 2" in text, "thirty in pages of twenty-five"
    assert text.count("<tr><th scope") > 25


def test_filter_and_pages(ops: Console) -> None:
    text = ops.page("/quality?min_confidence=0.95&check=shouting")
    assert '<option value="0.95" selected>' in text
    assert "/ops/quality?state=open&check=shouting&min_confidence=0.95&page=2#queue" in text
    assert "2 / 2" in ops.page("/quality?page=2")
    for nonsense in ("?page=x", "?page=999999999999", "?state=x&check=y&min_confidence=z", "?check=" + "x" * 500):
        ops.page(f"/quality{nonsense}")
    assert "no such suggestion" in ops.page("/quality?check=none")


def test_one_by_one(ops: Console) -> None:
    product = "q10"
    one, before = id_of(ops, product), title(ops, product)
    kept = {"id": one, "state": "open", "check": "shouting", "min_confidence": "0.9"}
    answer = ops.send("/quality/apply", **kept)
    where = "/ops/quality?state=open&check=shouting&min_confidence=0.9&done=quality_applied"
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert title(ops, product) == before.capitalize()
    assert 'role="status">The new value is written.' in ops.page(where.removeprefix("/ops"))
    again = ops.send("/quality/apply", id=one)
    assert again.status_code == 409
    assert "applied already" in again.text
    assert f'value="{one}"' in ops.page("/quality?state=applied")
    assert ops.send("/quality/undo", id=one).status_code == 303
    assert title(ops, product) == before
    two = id_of(ops, "q11")
    assert ops.send("/quality/refuse", id=two).status_code == 303
    assert queue(ops, state="refused") == ["q11"]
    assert "test, 20" in ops.page("/quality?state=refused"), "who, and when"
    ops.send("/quality/undo", id=two)
    assert "q11" in queue(ops)
    assert ops.send("/quality/apply", id="none").status_code == 404
    assert ops.send("/quality/apply", "0" * 64, id=two).status_code == 403


def test_all_of_the_filter(ops: Console) -> None:
    waiting = queue(ops)
    assert ops.send("/quality/all", do="apply", min_confidence="0.95", check="none").status_code == 303
    assert queue(ops) == waiting
    ops.send("/quality/all", do="apply", min_confidence="0.95", check="shouting")
    assert queue(ops) == []
    assert all(title(ops, each) == title(ops, each).capitalize() for each in waiting)


def test_the_quarantine(ops: Console) -> None:
    text = ops.page("/quality")
    assert "Held 1" in text
    assert "the price is 0" in text
    first, second = (each.id for each in ops.shop.store.quarantine.page().entries)
    assert ops.send("/quality/release", id=first).status_code == 303
    assert title(ops, "h1") == "Held 1"
    assert ops.send("/quality/drop", id=second).status_code == 303
    assert "Nothing is held back" in ops.page("/quality")
    assert ops.send("/quality/drop", id="x").status_code == 404


def test_the_quarantine_page_by_page_and_by_check(ops: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_HELD", 2)
    other = REASON.model_copy(update={"check": "html"})
    held = [
        Held(Product(id=f"k{n}", title=f"Kept {n}"), (other if n == 5 else REASON,), "feed", n) for n in range(1, 6)
    ]
    ops.shop.store.upsert([], held)

    def shown(path: str) -> tuple[list[str], list[str]]:
        text = ops.page(path)
        return re.findall(r">(Kept \d)<br>", text), re.findall(r'href="/ops(/quality[^"]*)#held"', text)

    titles, (following,) = shown("/quality?held_check=price&check=shouting")
    assert titles == ["Kept 1", "Kept 2"]
    assert "check=shouting" in following, "the queue stays as it is"
    titles, (first,) = shown(following)
    assert titles == ["Kept 3", "Kept 4"]
    assert shown(first)[0] == ["Kept 1", "Kept 2"]
    assert shown("/quality?held_check=html") == (["Kept 5"], [])
    third = ops.shop.store.quarantine.page().entries[2].id
    sent = {"held_check": "price", "held_after": str(third - 1)}
    answer = ops.send("/quality/drop", id=third, **sent)
    where = f"/ops/quality?held_check=price&held_after={third - 1}&done=quality_dropped"
    assert answer.headers["location"] == where
    assert shown(where.removeprefix("/ops"))[0] == ["Kept 4"]
    for nonsense in ("?held_after=x", f"?held_after={'9' * 30}", "?held_check=%00", "?held_check=none&held_after=5"):
        ops.page(f"/quality{nonsense}")
    ops.shop.store.quarantine.drop(ops.shop.store.quarantine.held(), "Ann")


def test_while_a_run_is_under_way(ops: Console) -> None:
    with quality_lock(ops.shop.folder, ops.shop.store.database):
        assert re.search(r"<button class=\"button\" disabled>Check now", ops.page("/quality"))
        assert ops.send("/quality/run").status_code == 409


def test_values_as_people_read_them() -> None:
    values: list[Any] = [
        None,
        "x",
        5,
        0.5,
        True,
        ["a", "b"],
        {"value": 3, "unit": "cm"},
        {"value": ["a"], "unit": None},
    ]
    assert [quality.shown(each) for each in values] == ["", "x", "5", "0.5", "True", "a > b", "3 cm", "a"]


@pytest.mark.parametrize("key", list(quality_texts.TEXTS))
def test_every_text_is_there_in_both_languages(key: str) -> None:
    assert len(quality_texts.TEXTS[key]) == len(LANGUAGES)
    assert all(text.strip() for text in quality_texts.TEXTS[key])
    places = [set(re.findall(r"\{(\w+)\}", text)) for text in quality_texts.TEXTS[key]]
    assert places[0] == places[1]
