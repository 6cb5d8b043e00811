"""Pinned products: exact places, one match set for totals, facets and pages, variants, whatever the page size."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, FacetRequest, Product
from lingsou.retrieval.engine import Boost, EngineQuery, Pin
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.filters import Range, Terms, parse_filters
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
LAPTOPS = ["l2", "l1", "l3"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    made = EmbeddedEngine(tmp_path_factory.mktemp("index"), "s", SEGMENTER, SearchSettings())
    made.apply(as_changes(tiny_catalogue()))
    return made


def ids(engine: EmbeddedEngine, text: str, *pins: tuple[str, int], **more: Any) -> list[str]:
    filters = parse_filters(more.pop("where", {}), engine.fields())
    query = EngineQuery(text=text, pins=tuple(Pin(*pin) for pin in pins), filters=filters, **more)
    result = engine.search(query)
    assert query.limit < 20 or result.total == len(result.candidates.ids)
    return list(result.candidates.ids)


def test_a_pin_stands_at_its_place_whatever_the_words(engine: EmbeddedEngine) -> None:
    assert ids(engine, "laptop") == LAPTOPS
    assert ids(engine, "laptop", ("g1", 1)) == ["g1", "l2", "l1", "l3"]
    assert ids(engine, "laptop", ("g1", 2)) == ["l2", "g1", "l1", "l3"]
    assert ids(engine, "laptop", ("l3", 1)) == ["l3", "l2", "l1"], "it moves and does not stand twice"
    assert ids(engine, "laptop", ("l2", 2)) == ["l1", "l2", "l3"]
    assert ids(engine, "laptop", ("g1", 1), ("l3", 3)) == ["g1", "l2", "l3", "l1"]
    assert ids(engine, "nothingfitsthis", ("g1", 1)) == ["g1"]


def test_a_pin_beyond_the_end_stands_last(engine: EmbeddedEngine) -> None:
    assert ids(engine, "laptop", ("g1", 50)) == [*LAPTOPS, "g1"]
    assert ids(engine, "laptop", ("g1", 50), ("c1", 4)) == [*LAPTOPS, "c1", "g1"]


def test_filters_hold_for_pins_and_unknown_products_are_passed_over(engine: EmbeddedEngine) -> None:
    assert ids(engine, "laptop", ("g1", 1), where={"brand": "Orbit"}) == ["l2", "l1"]
    assert ids(engine, "laptop", ("no-such", 1), ("L3", 1), ("l2", 3)) == ["l1", "l3", "l2"]


def test_other_orders_keep_the_match_set_and_their_order(engine: EmbeddedEngine) -> None:
    assert ids(engine, "laptop", ("c1", 1), sort="-price") == ["l2", "l1", "l3", "c1"]


def test_a_pinned_variant_stands_for_its_group(engine: EmbeddedEngine) -> None:
    assert ids(engine, "跑步鞋 黑色")[0] == "s1"
    assert ids(engine, "跑步鞋 黑色", ("s2", 1))[0] == "s2"
    assert "s1" not in ids(engine, "跑步鞋 黑色", ("s2", 1))
    result = engine.search(EngineQuery(text="跑步鞋 黑色", pins=(Pin("s2", 1),)))
    assert result.candidates.variants[0] == 2
    # Of two pinned variants the first place counts; uncollapsed both stand where they were put.
    assert ids(engine, "laptop", ("s1", 3), ("s2", 1)) == ["s2", *LAPTOPS]
    assert ids(engine, "laptop", ("s1", 3), ("s2", 1), collapse=False) == ["s2", "l2", "s1", "l1", "l3"]


def test_a_pin_of_a_product_that_changed_is_its_current_row(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    renamed = tiny_catalogue()[12].model_copy(update={"title": "Voucher"})
    engine.apply([Change(sequence=20, content_sequence=20, number=13, id="g1", product=renamed)])
    assert ids(engine, "laptop", ("g1", 1)) == ["g1", *LAPTOPS]
    engine.apply([Change(sequence=21, content_sequence=21, number=13, id="g1", product=None)])
    assert ids(engine, "laptop", ("g1", 1)) == LAPTOPS


def test_burying_and_boosting_without_words_start_from_what_is_best_sold(engine: EmbeddedEngine) -> None:
    plain = ids(engine, "", limit=100)
    assert plain[:3] == ["s1", "c2", "t1"]
    orbit = Boost(Terms("brand", ("Orbit",), ()), 1.1)
    assert ids(engine, "", boosts=(orbit,), limit=100)[:3] == ["l1", "l2", "s1"]
    dear = Boost(Range("price", low=200), -2.0, "rule x")
    buried = ids(engine, "", boosts=(dear,), limit=100)
    assert buried[0] == "c2"
    assert sorted(buried) == sorted(plain)
    nothing = Boost(Terms("brand", ("nobody",), ()), 1.0)
    assert ids(engine, "", boosts=(nothing,), limit=100) == plain, "unknown sales stay last, others in their order"
    (lamp,) = (product for product in tiny_catalogue() if product.id == "l2")
    (tree,) = engine.explain(EngineQuery(boosts=(dear,)), [lamp])
    assert [(child.value, child.detail) for child in tree.children] == [(-2.0, "rule x")]


products: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    title=st.lists(st.sampled_from(["red", "shoes", "男士"]), min_size=1, max_size=3).map(" ".join),
    brand=st.sampled_from(["Orbit", "云栖"]),
    group_id=st.sampled_from(["", "", "a", "b"]),
    price=st.none() | st.integers(0, 9),
)
FACET = (FacetRequest(field="brand", size=10),)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    catalogue=st.lists(products, min_size=1, max_size=12),
    pinned=st.dictionaries(st.integers(0, 14), st.integers(1, 15), max_size=5),
    collapse=st.booleans(),
    sort=st.sampled_from(["relevance", "relevance", "price"]),
    text=st.sampled_from(["", "red", "shoes 男士"]),
    where=st.sampled_from([{}, {"brand": "Orbit"}]),
)
def test_pages_totals_and_facets_agree(
    catalogue: list[dict[str, Any]], pinned: dict[int, int], collapse: bool, sort: Any, text: str, where: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder), "s", SEGMENTER, SearchSettings())
        made = {f"p{n}": Product(id=f"p{n}", **values) for n, values in enumerate(catalogue)}
        engine.apply(as_changes(list(made.values())))
        places = dict(sorted({position: f"p{number}" for number, position in pinned.items()}.items()))
        pins = tuple(Pin(id_, position) for position, id_ in places.items())
        filters = parse_filters(where, engine.fields())

        def find(limit: int, offset: int = 0, **more: Any) -> Any:
            query = {"text": text, "pins": pins, "filters": filters, "collapse": collapse, "sort": sort, **more}
            return engine.search(EngineQuery(**query, facets=FACET, limit=limit, offset=offset))

        whole = find(100)
        order = list(whole.candidates.ids)
        assert whole.total == len(order) == len(set(order))
        for size in (1, 2, 3):
            pages = [find(size, offset) for offset in range(0, whole.total + size, size)]
            assert [id_ for page in pages for id_ in page.candidates.ids] == order
            assert {page.total for page in pages} == {whole.total}
            assert all(page.facets == whole.facets for page in pages)
        for count in whole.facets[0].values:
            narrower = parse_filters({**where, "brand": count.value}, engine.fields())
            assert find(100, filters=narrower).total == count.count
        # Pinned products that pass the filter are there, and by relevance at their place or, in a short list, last.
        passing = {
            at: i for at, i in places.items() if i in made and made[i].brand == where.get("brand", made[i].brand)
        }
        groups: set[str] = set()
        shown: dict[int, str] = {}
        for at, id_ in passing.items():
            group = made[id_].group_id
            if not (collapse and group and group in groups):
                shown[at] = id_
            groups.add(group)
        if sort == "relevance":
            for later, (at, id_) in zip(reversed(range(len(shown))), shown.items(), strict=True):
                assert order.index(id_) == min(at - 1, len(order) - 1 - later)
            plain = [i for i in find(100, pins=(), collapse=False).candidates.ids if i not in passing.values()]
            rest = [id_ for id_ in order if id_ not in shown.values()]
            if not collapse:
                assert rest == plain, "the others keep their order"
        else:
            assert {made[id_].group_id or id_ for id_ in passing.values()} <= {made[i].group_id or i for i in order}
