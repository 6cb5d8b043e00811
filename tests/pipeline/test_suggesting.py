"""Suggestions follow the shop: store, index and search log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Product, ProductPatch
from lingsou.pipeline.suggesting import Suggestions
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'shop.sqlite3'}") as opened:
        yield opened


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path / "index", "test", SEGMENTER, SearchSettings())


def index(store: Store, engine: EmbeddedEngine) -> None:
    engine.apply(store.changes(engine.sequence, 1_000))


def texts(suggestions: Suggestions, q: str, kind: str) -> list[str]:
    groups = suggestions.suggest(q, 20).groups
    return [item.text for group in groups for item in group.items if group.kind == kind]


def test_nothing_before_the_first_refresh(store: Store, engine: EmbeddedEngine) -> None:
    suggestions = Suggestions(store, engine, SEGMENTER)
    assert suggestions.suggest("a", 10).groups == ()
    assert suggestions.index is None


def test_whoever_reads_the_titles_takes_no_change_away(store: Store, engine: EmbeddedEngine) -> None:
    suggestions = Suggestions(store, engine, SEGMENTER)
    store.upsert([Product(id="new", title="Zweihander lamp")])
    assert suggestions.titles() == []  # stored, not yet indexed
    index(store, engine)
    suggestions.refresh(at_once=True)
    store.upsert([Product(id="newer", title="Zweihander shade")])
    index(store, engine)
    assert suggestions.titles() == ["Zweihander lamp", "Zweihander shade"]
    assert suggestions.refresh(at_once=True)
    assert len(texts(suggestions, "zwei", "product")) == 2


def test_the_catalogue_is_followed_as_far_as_it_is_indexed(store: Store, engine: EmbeddedEngine) -> None:
    suggestions = Suggestions(store, engine, SEGMENTER)
    store.upsert(tiny_catalogue())
    suggestions.refresh(at_once=True)
    assert texts(suggestions, "疾风", "brand") == []  # stored, not yet indexed
    index(store, engine)
    assert suggestions.refresh(at_once=True)
    assert texts(suggestions, "疾风", "brand") == ["疾风"]
    assert not suggestions.refresh(at_once=True), "nothing changed"

    store.upsert([Product(id="new", title="Zweihander lamp", brand="Nova")])
    store.delete([product.id for product in tiny_catalogue() if product.brand == "疾风"])
    index(store, engine)
    assert suggestions.refresh(at_once=True)
    assert texts(suggestions, "zwei", "product") == ["Zweihander lamp"]
    assert texts(suggestions, "nov", "brand") == ["Nova"]
    assert texts(suggestions, "疾风", "brand") == texts(suggestions, "疾风", "product") == []


def test_a_price_alone_builds_nothing(store: Store, engine: EmbeddedEngine) -> None:
    suggestions = Suggestions(store, engine, SEGMENTER)
    store.upsert(tiny_catalogue())
    index(store, engine)
    suggestions.refresh(at_once=True)
    built = suggestions.index
    store.patch([ProductPatch(id=tiny_catalogue()[0].id, stock=77)])
    index(store, engine)
    assert not suggestions.refresh(at_once=True)
    assert suggestions.index is built


def test_a_busy_shop_rests_between_builds(store: Store, engine: EmbeddedEngine) -> None:
    suggestions = Suggestions(store, engine, SEGMENTER)
    store.upsert(tiny_catalogue())
    index(store, engine)
    assert suggestions.refresh()
    store.upsert([Product(id="new", title="lamp")])
    index(store, engine)
    assert not suggestions.refresh()


def test_searches_of_all_and_of_one(store: Store, engine: EmbeddedEngine) -> None:
    history = {"ann": ["camping stove"]}
    suggestions = Suggestions(
        store, engine, SEGMENTER, popular=lambda: [("camping tent", 9)], recent=lambda user: history.get(user, [])
    )
    suggestions.refresh()
    assert texts(suggestions, "camp", "query") == ["camping tent"]
    kinds = [group.kind for group in suggestions.suggest("camp", 10, "ann").groups]
    assert kinds == ["recent", "query"]
    assert [group.kind for group in suggestions.suggest("camp", 10, "bob").groups] == ["query"]


def test_the_documented_answer_is_the_answer(store: Store, engine: EmbeddedEngine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
    shown = json.loads(page.partition("\n## Suggestions\n")[2].partition("```json\n")[2].partition("```")[0])
    suggestions = Suggestions(store, engine, SEGMENTER)
    store.upsert(tiny_catalogue())
    index(store, engine)
    suggestions.refresh()
    answer = suggestions.suggest(shown["q"], 3).model_dump(mode="json")
    assert answer["groups"] == shown["groups"]
