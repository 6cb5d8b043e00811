"""Other words from a language model: a local service that speaks its protocol, slow ones, broken ones."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import LlmSettings, SearchSettings
from lingsou.core.types import SearchRequest
from lingsou.pipeline.rewriting import WEIGHT, ChatRewriter, Rewriting, rewriter_named
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter
from tests.chat_service import ChatService, chat_service, said

SEGMENTER = Segmenter()


@pytest.fixture
def service() -> Iterator[ChatService]:
    with chat_service() as server:
        yield server


def test_the_lines_of_an_answer_become_expansions_and_are_kept(service: ChatService) -> None:
    service.answer = said("1. Power Bank\n- 移动电源\n\npower bank\n充电宝\n" + "x" * 100)
    rewriting = Rewriting(ChatRewriter(service.settings), SEGMENTER, budget_ms=5_000)
    found = rewriting.expansions("充电宝")
    assert [(each.term, each.source, each.of) for each in found] == [
        ("power bank", "llm", ""),
        ("移动 电源", "llm", ""),
    ]
    assert {each.weight for each in found} == {WEIGHT}
    assert rewriting.expansions(" 充电宝 ") == found
    ((path, key, body),) = service.asked
    assert (path, key) == ("/v1/chat/completions", "Bearer k-1")
    assert body["model"] == "small"
    assert body["messages"][-1] == {"role": "user", "content": "充电宝"}
    rewriting.close()


@pytest.mark.parametrize(
    ("status", "answer"), [(500, {}), (200, {"choices": []}), (200, {"choices": [{"message": None}]}), (200, [])]
)
def test_a_broken_model_costs_nothing_and_is_left_alone(service: ChatService, status: int, answer: Any) -> None:
    service.status, service.answer = status, answer
    rewriting = Rewriting(ChatRewriter(service.settings), SEGMENTER, budget_ms=5_000)
    assert rewriting.expansions("lamp") == ()
    assert rewriting.expansions("lamp") == rewriting.expansions("kettle") == ()
    assert len(service.asked) == 1
    rewriting.close()


def test_nobody_is_told_of_persons(service: ChatService) -> None:
    rewriting = Rewriting(ChatRewriter(service.settings), SEGMENTER, budget_ms=5_000)
    assert rewriting.expansions("call me at +86 138 1234 5678") == ()
    assert rewriting.expansions("  ") == ()
    assert service.asked == []
    rewriting.close()


class _Slow:
    """Waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls = 0

    def rewrite(self, query: str) -> Sequence[str]:
        self.calls += 1
        self.go.wait(10)
        return ["other words"]


def test_a_slow_model_is_not_waited_for_and_serves_the_next_search() -> None:
    slow = _Slow()
    rewriting = Rewriting(slow, SEGMENTER, budget_ms=20)
    start = time.monotonic()
    assert rewriting.expansions("lamp") == rewriting.expansions("lamp") == ()
    assert time.monotonic() - start < 2
    slow.go.set()
    deadline = time.monotonic() + 10
    while not (found := rewriting.expansions("lamp")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [each.term for each in found] == ["other word"]
    assert slow.calls == 1
    rewriting.close()


def test_no_more_queries_wait_than_may() -> None:
    slow = _Slow()
    rewriting = Rewriting(slow, SEGMENTER, budget_ms=0)
    for number in range(40):
        assert rewriting.expansions(f"lamp {number}") == ()
    slow.go.set()
    rewriting.close()
    assert slow.calls <= 16


def test_a_rewriter_by_name() -> None:
    assert rewriter_named(None, LlmSettings()) is None
    with pytest.raises(ConfigurationError, match="which is not said"):
        rewriter_named("chat", LlmSettings())
    with pytest.raises(ConfigurationError, match="no rewriter named 'other'"):
        rewriter_named("other", LlmSettings())


class _Knows:
    def rewrite(self, query: str) -> Sequence[str]:
        return ["running shoes", "跑步鞋"] if query == "sneaks" else []


def test_a_model_widens_a_search_and_pushes_nothing_down(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    found = {}
    for name, rewriting in (("without", None), ("with", Rewriting(_Knows(), SEGMENTER, budget_ms=5_000))):
        understanding = Understanding(engine, SEGMENTER, "CNY", rewriting=rewriting)
        understanding.refresh()
        with Store.open(sqlite_url(tmp_path / f"{name}.sqlite3")) as store:
            store.upsert(tiny_catalogue())
            pipeline = SearchPipeline(store, engine, SEGMENTER, understanding=understanding)
            found[name] = {
                q: [hit.id for hit in pipeline.search(SearchRequest(q=q)).hits] for q in ("sneaks", "running shoes")
            }
    assert found["without"]["sneaks"] == []
    assert found["with"]["sneaks"]
    assert found["with"]["running shoes"] == found["without"]["running shoes"]
