"""Plans in the pipeline: limits become filters, nothing left is relaxed and said, wishes only reorder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.settings import SearchSettings
from lingsou.core.types import SearchRequest
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding, vocabulary_of
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[SearchPipeline]:
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    understanding = Understanding(engine, SEGMENTER, "CNY")
    understanding.refresh()
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        store.upsert(tiny_catalogue())
        yield SearchPipeline(store, engine, SEGMENTER, understanding=understanding)


def ids(pipeline: SearchPipeline, q: str, **more: object) -> list[str]:
    return [hit.id for hit in pipeline.search(SearchRequest(q=q, **more)).hits]


def test_a_price_range_is_a_filter(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="T恤 55元到70元", collapse=False))
    assert [hit.id for hit in answer.hits] == ["t1"]
    assert answer.plan is not None
    assert answer.plan.text.strip() == "T恤"
    assert not answer.notices


def test_only_a_price_browses_within_it(pipeline: SearchPipeline) -> None:
    assert set(ids(pipeline, "100元以下", collapse=False)) == {"t1", "t2", "t3", "c2", "x-100"}


def test_what_is_not_wanted_is_left_out(pipeline: SearchPipeline) -> None:
    assert ids(pipeline, "不要黑色的跑步鞋", collapse=False) == ["s2"]


def test_a_limit_that_leaves_nothing_is_relaxed_and_said(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="跑步鞋 10元以下"))
    assert answer.hits
    assert "10元以下" in answer.notices[0]
    english = pipeline.search(SearchRequest(q="running shoes under $1"))
    assert english.hits
    assert all("Nothing fits" in notice for notice in english.notices)


def test_the_shoppers_own_filters_are_never_relaxed(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="跑步鞋 10元以下", filters={"brand": "Nobody"}))
    assert (answer.total, answer.notices) == (0, ())


def test_understanding_can_be_switched_off(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="T恤 55元到70元", understand=False))
    assert answer.plan is None
    assert answer.total > 1 or answer.hits[0].variants > 1


def test_a_named_brand_is_preferred_and_explained(pipeline: SearchPipeline) -> None:
    hit = pipeline.search(SearchRequest(q="orbit laptop", explain=True)).hits[0]
    assert hit.product.brand == "Orbit"
    assert hit.explanation is not None
    names = [child.name for child in hit.explanation.children[0].children]
    assert "boost" in names


def test_units_are_read_off_the_labels(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    vocabulary = vocabulary_of(engine.contents())
    screen = vocabulary.numbers["attributes.screen"]
    assert (screen.count, dict(screen.units), screen.low, screen.high) == (3, {"inch": 3}, 14, 17.3)
    assert vocabulary.fields["brand"]["Orbit"] == 2
