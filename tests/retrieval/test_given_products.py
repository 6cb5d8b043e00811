"""Scores of products that the caller names, and lifts that a ranker gives."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.settings import SearchSettings
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine, selection
from lingsou.retrieval.engines.embedded.selection import passing, passing_of
from lingsou.retrieval.filters import parse_filters
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    made = EmbeddedEngine(Path(tmp_path_factory.mktemp("index")), "s", Segmenter(), SearchSettings())
    made.apply(as_changes(tiny_catalogue()))
    return made


def test_given_products_get_the_scores_of_a_search(engine: EmbeddedEngine) -> None:
    query = EngineQuery(text="laptop", collapse=False)
    found = engine.search(query).candidates
    given = engine.match(query).score(query, ["g1", *reversed(found.ids), "unknown"])
    assert given.candidates.ids == ("g1", *reversed(found.ids))
    assert given.candidates.scores.tolist() == [0, *reversed(found.scores.tolist())]
    assert given.total == len(found.ids) + 1
    assert given.lexical_ceiling > 0


def test_without_words_nothing_is_scored(engine: EmbeddedEngine) -> None:
    given = engine.match(EngineQuery()).score(EngineQuery(), ["l1", "g1"])
    assert given.candidates.scores.tolist() == [0, 0]


def test_information_is_idf_and_0_for_a_word_of_no_product(engine: EmbeddedEngine) -> None:
    common, rare, unknown = engine.match(EngineQuery(text="black")).information(["black", "sweater", "zzz"])
    assert 0 < common <= rare
    assert unknown == 0


def test_lifts_change_the_order_and_stand_in_the_explanation(engine: EmbeddedEngine) -> None:
    query = EngineQuery(text="laptop", collapse=False)
    first, *_, last = zip(*(getattr(engine.search(query).candidates, name) for name in ("ids", "numbers")), strict=True)
    lifted = EngineQuery(text="laptop", collapse=False, lifts=((int(last[1]), 3.0), (10**9, 1.0)))
    found = engine.search(lifted).candidates
    assert (found.ids[0], found.ids[1]) == (last[0], first[0])
    product = next(each for each in tiny_catalogue() if each.id == last[0])
    (tree,) = engine.explain(lifted, [product])
    assert [(child.name, child.value) for child in tree.children if child.name == "ranking"] == [("ranking", 3.0)]
    assert sum(child.value or 0 for child in tree.children) == pytest.approx(found.scores[0], abs=1e-5)


CONDITIONS: list[dict[str, object]] = [
    {"brand": ["HP", "hp", "nobody"]},
    {"brand": {"not": ["HP"]}},
    {"category": ["Toner"], "price": {"gte": 5, "lt": 500}},
    {"price": {"gt": 20}},
    {"stock": [0, 5, 12]},
    {"rating": {"exists": True}},
    {"attributes.colour": ["black", "white", "red", "blue", "grey", "green", "pink", "gold", "beige"]},
    {"any": [{"price": {"lte": 30}}, {"brand": {"exists": False}}]},
    {},
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
@given(data=st.data())
def test_a_condition_holds_of_some_rows_as_of_all(
    engine: EmbeddedEngine, condition: dict[str, object], data: st.DataObject
) -> None:
    fields = engine.fields()
    known = {name: value for name, value in condition.items() if name in fields or name == "any"}
    snapshot, parsed = engine._state.snapshot, parse_filters(known, fields)
    rows = np.asarray(sorted(data.draw(st.sets(st.integers(0, len(snapshot) - 1)))), np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "_SPARSE", 0)  # however many rows there are
        assert passing_of(snapshot, parsed, rows).tolist() == passing(snapshot, parsed)[rows].tolist()
