"""The embedded engine against a plain-Python model: totals, facets, pages and order, after any history of changes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, FacetRange, FacetRequest, Product
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.filters import parse_filters
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
BRANDS = ["Orbit", "云栖", "Kestrel"]
WORDS = ["shoes", "red", "男士", "跑步鞋", "laptop", "充电宝"]

products: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    title=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
    brand=st.sampled_from(["", *BRANDS]),
    price=st.none() | st.integers(0, 9),
    stock=st.none() | st.integers(0, 2),
    group_id=st.sampled_from(["", "", "a", "b"]),
    attributes=st.dictionaries(st.sampled_from(["size", "colour"]), st.sampled_from(["S", 42, True]), max_size=2),
    sales=st.none() | st.integers(0, 3),
)
histories = st.lists(
    st.tuples(st.integers(1, 12), st.none() | products, st.sampled_from(["content", "volatile"])), max_size=40
)


@contextmanager
def engine_of(history: list[Any], batch: int, compact_at: int) -> Iterator[tuple[EmbeddedEngine, dict[int, Product]]]:
    """An engine that went through the history, and what a store would hold now by internal id."""
    current: dict[int, Product] = {}
    content: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder), "s", SEGMENTER, SearchSettings())
        pending: dict[int, Change] = {}

        def flush() -> None:
            engine.apply(sorted(pending.values(), key=lambda change: change.sequence))
            pending.clear()

        for sequence, (number, values, kind) in enumerate(history, 1):
            if values is None:
                current.pop(number, None)
                content[number] = sequence
            else:
                product = Product(id=f"p{number}", **values)
                before = current.get(number)
                if before is not None and kind == "volatile":
                    product = before.model_copy(update={"price": product.price, "stock": product.stock})
                else:
                    content[number] = sequence
                current[number] = product
            change = Change(
                sequence=sequence,
                content_sequence=content[number],
                number=number,
                id=f"p{number}",
                product=current.get(number),
            )
            pending[number] = change
            if len(pending) >= batch:
                flush()
            if sequence == compact_at:
                engine.compact(force=True)
        flush()
        yield engine, current


def results(products: dict[int, Product], collapse: bool) -> int:
    groups = {product.group_id or f"single {number}" for number, product in products.items()}
    return len(groups) if collapse else len(products)


FACETS = (
    FacetRequest(field="brand", size=100),
    FacetRequest(field="attributes.size", size=100),
    FacetRequest(field="price", ranges=(FacetRange(lt=3), FacetRange(gte=3, lt=7), FacetRange(gte=7))),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=histories,
    batch=st.integers(1, 10),
    compact_at=st.integers(0, 40),
    collapse=st.booleans(),
    sort=st.sampled_from(["relevance", "price", "-price", "sales"]),
    text=st.sampled_from(["", *WORDS]),
)
def test_totals_facets_and_pages_agree(
    history: list[Any], batch: int, compact_at: int, collapse: bool, sort: Any, text: str
) -> None:
    with engine_of(history, batch, compact_at) as (engine, current):
        known = tuple(facet for facet in FACETS if facet.field in engine.fields())
        whole = engine.search(EngineQuery(text=text, facets=known, sort=sort, limit=1000, collapse=collapse))
        expected = {n: p for n, p in current.items() if not text or text in p.title.split(" ")}
        assert whole.total == len(whole.candidates.ids) == results(expected, collapse)
        for size in (1, 3):
            pages: list[str] = []
            for offset in range(0, whole.total + size, size):
                page = engine.search(EngineQuery(text=text, sort=sort, offset=offset, limit=size, collapse=collapse))
                assert page.total == whole.total
                pages += page.candidates.ids
            assert tuple(pages) == whole.candidates.ids
        for facet in whole.facets:
            for each in facet.values:
                bounds = {name: bound for name, bound in (("gte", each.gte), ("lt", each.lt)) if bound is not None}
                condition: Any = [each.value] if each.value is not None else bounds
                filters = parse_filters({facet.field: condition}, engine.fields())
                assert engine.search(EngineQuery(text=text, filters=filters, collapse=collapse)).total == each.count
        if sort == "-price" and not collapse:
            prices = [current[int(n)].price for n in whole.candidates.numbers]
            known_prices = [price for price in prices if price is not None]
            assert known_prices == sorted(known_prices, reverse=True)
            assert None not in prices[: len(known_prices)]


@settings(max_examples=60, deadline=None)
@given(history=histories, batch=st.integers(1, 10), compact_at=st.integers(0, 40))
def test_any_history_ends_as_a_fresh_build(history: list[Any], batch: int, compact_at: int) -> None:
    with engine_of(history, batch, compact_at) as (engine, current), tempfile.TemporaryDirectory() as folder:
        fresh = EmbeddedEngine(Path(folder), "s", SEGMENTER, SearchSettings())
        fresh.apply(
            [
                Change(sequence=place, content_sequence=place, number=number, id=product.id, product=product)
                for place, (number, product) in enumerate(sorted(current.items()), 1)
            ]
        )
        reader = EmbeddedEngine(Path(folder), "s", SEGMENTER, SearchSettings())
        reader.refresh()
        for text in ("", *WORDS, "red shoes 男士"):
            query = EngineQuery(text=text, limit=100)
            expected = fresh.search(query).candidates
            for other in (engine, reader):
                found = other.search(query).candidates
                assert found.ids == expected.ids
                assert found.scores.tolist() == pytest.approx(expected.scores.tolist())
