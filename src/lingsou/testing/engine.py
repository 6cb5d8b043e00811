"""Contract tests of `SearchEngine`: subclass, give `make_engine`, and pytest runs them all."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lingsou.core.errors import RequestError
from lingsou.core.types import Change, FacetRange, FacetRequest, Product
from lingsou.retrieval.engine import EngineQuery, EngineResult, SearchEngine
from lingsou.retrieval.filters import parse_filters
from lingsou.testing.catalogue import as_changes, tiny_catalogue


class SearchEngineContract(ABC):
    """What the pipeline relies on, over the tiny catalogue."""

    @abstractmethod
    def make_engine(self, folder: Path) -> SearchEngine:
        """A new engine over `folder`; called twice on one folder it is the same index opened again."""

    @pytest.fixture
    def engine(self, tmp_path: Path) -> SearchEngine:
        """An engine that holds the tiny catalogue."""
        engine = self.make_engine(tmp_path)
        engine.apply(as_changes(tiny_catalogue()))
        return engine

    def find(
        self, engine: SearchEngine, text: str = "", filters: dict[str, Any] | None = None, **more: Any
    ) -> EngineResult:
        """Search with raw filters."""
        return engine.search(EngineQuery(text=text, filters=parse_filters(filters or {}, engine.fields()), **more))

    def ids(
        self, engine: SearchEngine, text: str = "", filters: dict[str, Any] | None = None, **more: Any
    ) -> list[str]:
        """Ids in order."""
        return list(self.find(engine, text, filters, **more).candidates.ids)

    def test_an_empty_engine_finds_nothing(self, tmp_path: Path) -> None:
        """No error before the first product."""
        engine = self.make_engine(tmp_path)
        result = self.find(engine, "anything", facets=(FacetRequest(field="brand"),))
        assert (result.total, result.candidates.ids, result.facets[0].values) == (0, (), ())

    def test_words_find_and_rank(self, engine: SearchEngine) -> None:
        """More of the query's rare words rank higher; words in neither language bar the other."""
        assert self.ids(engine, "running shoes")[0] == "s3"
        assert self.ids(engine, "跑步鞋")[0] in ("s1", "s2")
        assert self.ids(engine, "跑步鞋 黑色")[0] == "s1"
        assert self.ids(engine, "WIFI") == ["c2"], "compounds are found joined and apart"

    def test_exact_identifiers_come_first(self, engine: SearchEngine) -> None:
        """SKU, EAN and model number, with and without punctuation."""
        for text in ("LAP-0002", "lap0002", "OB17-32/1T", "ob17321t"):
            assert self.ids(engine, text)[0] == "l2", text
        assert self.ids(engine, "4006381333931") == ["l1"]

    def test_empty_text_browses_best_sold_first(self, engine: SearchEngine) -> None:
        """Everything matches; without sales a product comes last, by internal id."""
        found = self.ids(engine, limit=100)
        assert found[:3] == ["s1", "c2", "t1"]
        assert found[-3:] == ["t4", "g1", "x-100"]

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"brand": ["Orbit", "轨迹"]}, {"l1", "l2", "l3"}),
            ({"brand": "orbit"}, {"l1", "l2"}),
            ({"price": {"gte": 49, "lt": 59}}, {"t2"}),
            ({"price": {"gt": 49, "lte": 59}}, {"t1"}),
            ({"attributes.colour": {"not": ["black", "黑色"]}, "category": "Clothing > T-shirts"}, {"t1", "t3"}),
            ({"category": "Electronics"}, {"l1", "l2", "l3", "c1", "c2"}),
            ({"stock": 0}, {"t2"}),
            ({"stock": {"exists": False}}, {"l3", "x-100"}),
            ({"ean": {"exists": True}}, {"l1"}),
            ({"attributes.screen": {"gte": 15}}, {"l2"}),
            ({"attributes.screen": 14}, {"l1", "l3"}),
            ({"attributes.screen": "17.3 inch"}, {"l2"}),
            ({"attributes.touch": True}, {"l2"}),
            ({"any": [{"brand": "Lumen"}, {"price": {"gt": 8000}}]}, {"c1", "l2"}),
            ({"not": {"price": {"exists": True}}}, {"g1"}),
            ({"tags": "夏季"}, {"t1", "x-100"}),
            ({"created_at": {"gte": "2026-05-15"}}, {"l2"}),
            ({"id": ["t1", "nothing"]}, {"t1"}),
        ],
    )
    def test_filters(self, engine: SearchEngine, filters: dict[str, Any], expected: set[str]) -> None:
        """Every form of the grammar."""
        assert set(self.ids(engine, filters=filters, limit=100, collapse=False)) == expected

    def test_sorts_put_missing_values_last(self, engine: SearchEngine) -> None:
        """Prices up and down, newest, rating."""
        assert self.ids(engine, sort="price", limit=100)[0] == "x-100"
        assert self.ids(engine, sort="price", limit=100)[-1] == "g1"
        assert self.ids(engine, sort="-price")[:2] == ["l2", "l1"]
        assert self.ids(engine, sort="newest")[:3] == ["l2", "l1", "t1"]
        assert self.ids(engine, sort="rating")[:2] == ["c2", "t4"]

    def test_variants_collapse_to_the_best_of_the_order(self, engine: SearchEngine) -> None:
        """One of each group, chosen by the sort, with the number that matched."""
        result = self.find(engine, "纯棉 云栖", sort="price")
        assert result.candidates.ids == ("t2",)
        assert result.candidates.variants.tolist() == [2]
        assert result.total == 1
        assert self.find(engine, "纯棉 云栖", collapse=False).total == 2

    def test_facet_counts_are_what_filtering_returns(self, engine: SearchEngine) -> None:
        """For keywords and ranges, collapsed or not."""
        requests = (
            FacetRequest(field="brand", size=100),
            FacetRequest(field="category", size=100),
            FacetRequest(field="attributes.colour", size=100),
            FacetRequest(field="price", ranges=(FacetRange(lt=60), FacetRange(gte=60, lt=300), FacetRange(gte=300))),
        )
        for collapse in (True, False):
            for facet in self.find(engine, facets=requests, collapse=collapse).facets:
                assert facet.values
                for each in facet.values:
                    bounds = {name: bound for name, bound in (("gte", each.gte), ("lt", each.lt)) if bound is not None}
                    condition: Any = [each.value] if each.value is not None else bounds
                    assert self.find(engine, filters={facet.field: condition}, collapse=collapse).total == each.count

    def test_pages_partition_the_order(self, engine: SearchEngine) -> None:
        """Any page size gives the same whole; beyond the end there is nothing."""
        whole = self.ids(engine, limit=100)
        for size in (1, 2, 3, 5):
            pages = [self.ids(engine, offset=start, limit=size) for start in range(0, len(whole) + size, size)]
            assert [id_ for page in pages for id_ in page] == whole
        far = self.find(engine, offset=10**12, limit=20)
        assert (far.candidates.ids, far.total) == ((), len(whole))

    def test_changes_show_after_apply(self, engine: SearchEngine) -> None:
        """New words replace old ones, volatile values change in place, deletions vanish."""
        catalogue = {product.id: product for product in tiny_catalogue()}
        renamed = catalogue["s3"].model_copy(update={"title": "Kestrel hiking boots"})
        cheaper = catalogue["l1"].model_copy(update={"price": 99})
        engine.apply(
            [
                Change(sequence=20, content_sequence=20, number=7, id="s3", product=renamed),
                Change(sequence=21, content_sequence=8, number=8, id="l1", product=cheaper),
                Change(sequence=22, content_sequence=22, number=11, id="c1", product=None),
            ]
        )
        assert engine.sequence == 22
        assert self.ids(engine, "hiking boots") == ["s3"]
        assert self.ids(engine, "running") == []
        assert self.ids(engine, filters={"price": 99}, collapse=False) == ["c2", "l1"]
        assert self.ids(engine, "charger") == []

    def test_a_volatile_change_of_an_unknown_product_brings_its_words(self, engine: SearchEngine) -> None:
        """The log is compacted: the latest change of a product may be the first that the engine hears of it."""
        product = Product(id="new", title="Telescope", price=10)
        engine.apply([Change(sequence=30, content_sequence=5, number=99, id="new", product=product)])
        assert self.ids(engine, "telescope") == ["new"]

    def test_a_missed_content_change_is_noticed(self, engine: SearchEngine) -> None:
        """A later volatile change carries the number of the content change that it hides."""
        product = tiny_catalogue()[6].model_copy(update={"title": "Kestrel sandals", "stock": 1})
        engine.apply([Change(sequence=41, content_sequence=40, number=7, id="s3", product=product)])
        assert self.ids(engine, "sandals") == ["s3"]

    def test_another_reader_sees_what_was_applied(self, tmp_path: Path, engine: SearchEngine) -> None:
        """Opened again on the same folder, before and after compaction."""
        reader = self.make_engine(tmp_path)
        assert reader.refresh()
        assert not reader.refresh()
        whole = self.ids(engine, limit=100)
        assert self.ids(reader, limit=100) == whole
        engine.apply(as_changes([Product(id="n1", title="Telescope")], first=50))
        engine.compact(force=True)
        assert self.ids(reader, "telescope") == []
        assert reader.refresh()
        assert self.ids(reader, "telescope") == ["n1"]
        engine.clear()
        reader.refresh()
        assert self.find(reader).total == 0

    def test_a_view_stays_as_it_is(self, engine: SearchEngine) -> None:
        """Whatever is applied, folded or forgotten meanwhile; the engine itself shows it at once."""
        view = engine.view()
        query = EngineQuery(text="laptop", facets=(FacetRequest(field="brand"),))
        before, fields, contents, terms = view.search(query), view.fields(), view.contents(), view.terms()
        engine.apply(as_changes([Product(id="n1", title="laptop", attributes={"lid": "red"})], first=50))
        engine.compact(force=True)
        assert (view.sequence, engine.sequence) == (before.sequence, 50)
        assert view.fields() == fields != engine.fields()
        assert view.contents() == contents != engine.contents()
        assert view.terms() == terms != engine.terms()
        assert engine.terms()["laptop"] == terms.get("laptop", 0) + 1
        assert engine.search(query).total == before.total + 1
        engine.clear()
        again = view.match(query).answer(query)
        assert (again.candidates.ids, again.total, again.facets) == (before.candidates.ids, before.total, before.facets)

    def test_explanations_add_up_to_the_score(self, engine: SearchEngine) -> None:
        """The tree of a hit ends at its score."""
        products = {product.id: product for product in tiny_catalogue()}
        result = self.find(engine, "黑色 跑步鞋")
        query = EngineQuery(text="黑色 跑步鞋")
        trees = engine.explain(query, [products[id_] for id_ in result.candidates.ids])
        for tree, score in zip(trees, result.candidates.scores.tolist(), strict=True):
            assert tree.value == pytest.approx(score, rel=1e-4)

    @pytest.mark.parametrize("field", ["nothing", "attributes.nothing", "title"])
    def test_unknown_fields_are_errors(self, engine: SearchEngine, field: str) -> None:
        """In filters and in facets."""
        with pytest.raises(RequestError, match="no field"):
            self.find(engine, filters={field: "x"})
        with pytest.raises(RequestError, match="no field"):
            self.find(engine, facets=(FacetRequest(field=field),))

    def test_same_state_by_another_way_gives_the_same_answer(self, tmp_path: Path, engine: SearchEngine) -> None:
        """Scores do not depend on the history of updates."""
        catalogue = tiny_catalogue()
        detours: Sequence[Change] = [
            Change(
                sequence=100 + n,
                content_sequence=100 + n,
                number=n,
                id=p.id,
                product=p.model_copy(update={"title": "x"}),
            )
            for n, p in enumerate(catalogue, 1)
        ]
        other = self.make_engine(tmp_path / "other")
        other.apply(detours)
        for change in as_changes(catalogue, first=1):
            other.apply(
                [
                    change.model_copy(
                        update={"sequence": 200 + change.sequence, "content_sequence": 200 + change.sequence}
                    )
                ]
            )
        for text in ("", "黑色", "laptop", "T恤 蓝色"):
            expected, found = self.find(engine, text, limit=100), self.find(other, text, limit=100)
            assert found.candidates.ids == expected.candidates.ids
            assert found.candidates.scores.tolist() == expected.candidates.scores.tolist()
