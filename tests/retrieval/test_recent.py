"""The match sets that are kept for pages and filters of the same words."""

from pathlib import Path

import numpy as np
import pytest

from lingsou.core.settings import SearchSettings
from lingsou.core.types import Product
from lingsou.retrieval.engine import EngineQuery, QueryVector
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.engines.embedded.answering import matched_rows
from lingsou.retrieval.engines.embedded.recent import RecentMatches
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter


@pytest.fixture
def matches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are really matched."""
    texts: list[str] = []

    def noted(state: object, query: EngineQuery, segmenter: Segmenter) -> object:
        texts.append(query.text)
        return matched_rows(state, query, segmenter)  # type: ignore[arg-type]

    monkeypatch.setattr("lingsou.retrieval.engines.embedded.matched.matched_rows", noted)
    return texts


def engine_of(folder: Path, megabytes: int) -> EmbeddedEngine:
    engine = EmbeddedEngine(folder, "s", Segmenter(), SearchSettings(recent_matches_mb=megabytes))
    engine.apply(as_changes(tiny_catalogue()))
    return engine


def test_a_second_page_and_other_orders_match_nothing_anew(tmp_path: Path, matches: list[str]) -> None:
    kept, fresh = engine_of(tmp_path / "a", 32), engine_of(tmp_path / "b", 0)
    for query in (
        EngineQuery(text="laptop"),
        EngineQuery(text="laptop", offset=1, limit=1, collapse=False),
        EngineQuery(text="laptop", sort="price"),
    ):
        one, other = kept.match(query).answer(query), fresh.match(query).answer(query)
        assert one.candidates.ids == other.candidates.ids
        assert one.candidates.scores.tolist() == other.candidates.scores.tolist()
        assert (one.total, one.facets) == (other.total, other.facets)
    assert matches == ["laptop"] * 4


def test_other_words_or_another_vector_are_another_query(tmp_path: Path, matches: list[str]) -> None:
    engine = engine_of(tmp_path, 32)
    vectors = [QueryVector(np.full(4, value, np.float32), "en", "e") for value in (0.5, 0.1)]
    for query in (
        EngineQuery(text="laptop"),
        EngineQuery(text="laptops"),
        EngineQuery(text="laptop", vector=vectors[0]),
        EngineQuery(text="laptop", vector=vectors[1]),
        EngineQuery(text="laptop", vector=QueryVector(vectors[1].values.copy(), "en", "e")),
        EngineQuery(),
        EngineQuery(),
    ):
        engine.match(query)
    assert matches == ["laptop", "laptops", "laptop", "laptop", ""]


def test_a_change_is_seen_at_once(tmp_path: Path) -> None:
    engine, query = engine_of(tmp_path, 32), EngineQuery(text="zeppelin")
    assert engine.match(query).answer(query).total == 0
    engine.apply(as_changes([Product(id="new", title="zeppelin")], first=900))
    assert engine.match(query).answer(query).candidates.ids == ("new",)


def test_memory_is_bounded() -> None:
    """At 22 bytes a row, a megabyte holds three match sets over 15,000 rows, and none over 48,000."""
    asked: list[str] = []

    def ask(recent: RecentMatches, text: str) -> None:
        recent.of(EngineQuery(text=text), lambda: asked.append(text))

    recent = RecentMatches(1, 15_000)
    for text in "abcadba":
        ask(recent, text)
    assert asked == ["a", "b", "c", "d", "b"]
    large = RecentMatches(1, 48_000)
    for _ in range(2):
        ask(large, "x")
    assert asked[-2:] == ["x", "x"]
