"""Words and meaning together: match set, fusion, vectors that come late, similar products, nothing encoded twice."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.errors import NotFoundError, StorageError
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import FacetRange, FacetRequest, Product, ProductPatch
from lingsou.encoders.calibration import group_of
from lingsou.encoders.quantise import quantise
from lingsou.retrieval.embedding import DocumentEmbedder, document_text
from lingsou.retrieval.engine import Boost, EngineQuery, QueryVector
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.engines.embedded import vectors as vectors_module
from lingsou.retrieval.engines.embedded.vectors import LEAST_OF_BEST, VectorColumn, probability, threshold
from lingsou.retrieval.filters import AllOf, Terms, parse_filters
from lingsou.retrieval.indexer import Indexer
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.testing.encoder import HashEncoder
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


class CountingVectorStore(VectorStore):
    """Counts the texts that had to be encoded."""

    encoded = 0

    def put(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        CountingVectorStore.encoded += len(texts)
        super().put(texts, vectors)


class Shop:
    """A store, an engine and an indexer with a model-free encoder."""

    def __init__(self, folder: Path):
        self.store = Store.open(sqlite_url(folder / "store.sqlite3"))
        self.encoder = HashEncoder(512)
        self.folder = folder
        self.engine = self.open()
        self.indexer = Indexer(self.store, self.engine, IndexSettings(poll_ms=20), self.embedder)

    def open(self) -> EmbeddedEngine:
        return EmbeddedEngine(self.folder / "index", self.store.identity(), SEGMENTER, SearchSettings())

    def embedder(self) -> DocumentEmbedder:
        return DocumentEmbedder(self.encoder, CountingVectorStore(self.store.database, self.encoder.fingerprint))

    def query(self, text: str, **more: object) -> EngineQuery:
        vector = QueryVector(self.encoder.encode_queries([text])[0], group_of(text), self.encoder.fingerprint)
        return EngineQuery(text=text, vector=vector, **more)  # type: ignore[arg-type]

    def ids(self, text: str, **more: object) -> list[str]:
        return list(self.engine.search(self.query(text, **more)).candidates.ids)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.store.upsert(tiny_catalogue())
    shop.indexer.catch_up()
    shop.indexer.embed()
    return shop


def test_every_product_gets_a_vector_and_only_once(shop: Shop) -> None:
    assert shop.engine.count_without_vectors() == 0
    before = CountingVectorStore.encoded
    assert shop.indexer.embed() == 0
    shop.engine.clear()
    shop.indexer.catch_up()
    shop.indexer.embed()
    shop.store.patch([ProductPatch(id="t1", price=1)])
    shop.indexer.catch_up()
    assert shop.indexer.embed() == 0, "a price is no text"
    assert CountingVectorStore.encoded == before
    renamed = shop.store.get(["t1"])["t1"].model_copy(update={"title": "Something else"})
    shop.store.upsert([renamed])
    shop.indexer.catch_up()
    assert shop.indexer.embed() == 1
    assert CountingVectorStore.encoded == before + 1


def test_meaning_finds_what_words_do_not(shop: Shop) -> None:
    """None of these is a term of the index, but their trigrams are near those of the laptops' titles."""
    assert shop.engine.search(EngineQuery(text="Orbitt Bookk laptopp")).total == 0
    assert shop.ids("Orbitt Bookk laptopp")[0] in ("l1", "l2")


def test_an_exact_identifier_comes_before_any_meaning(shop: Shop) -> None:
    assert shop.ids("LAP-0002")[0] == "l2"


def test_totals_facets_and_pages_agree_with_vectors(shop: Shop) -> None:
    facets = (
        FacetRequest(field="brand", size=100),
        FacetRequest(field="price", ranges=(FacetRange(lt=100), FacetRange(gte=100))),
    )
    for text in ("orbit laptop", "跑步鞋", "blue shirt", "充电宝 10000"):
        whole = shop.engine.search(shop.query(text, limit=100, facets=facets))
        assert whole.total == len(whole.candidates.ids)
        pages = [shop.ids(text, offset=start, limit=2) for start in range(0, whole.total + 2, 2)]
        assert [id_ for page in pages for id_ in page] == list(whole.candidates.ids)
        for facet in whole.facets:
            for each in facet.values:
                bounds = {name: bound for name, bound in (("gte", each.gte), ("lt", each.lt)) if bound is not None}
                condition = [each.value] if each.value is not None else bounds
                filters = parse_filters({facet.field: condition}, shop.engine.fields())
                assert shop.engine.search(shop.query(text, filters=filters)).total == each.count


def test_explanations_add_up(shop: Shop) -> None:
    boost = Boost(Terms("brand", ("Orbit",), ()), 0.1, "brand")
    query = shop.query("orbit laptop LAP-0001", boosts=(boost,))
    result = shop.engine.search(query)
    products = shop.store.get(result.candidates.ids)
    trees = shop.engine.explain(query, [products[id_] for id_ in result.candidates.ids])
    assert {child.name for child in trees[0].children} == {"lexical", "vector", "boost", "exact identifier"}
    for tree, score in zip(trees, result.candidates.scores.tolist(), strict=True):
        assert tree.value == pytest.approx(score, abs=1e-4)
        assert sum(child.value or 0 for child in tree.children) == pytest.approx(score, abs=1e-3)


def test_similar_products_leave_out_the_product_and_its_variants(shop: Shop) -> None:
    found = shop.engine.similar("t1", AllOf(()), 10)
    assert not {"t1", "t2"} & set(found.candidates.ids)
    assert shop.engine.similar("l1", AllOf(()), 1).candidates.ids == ("l2",)
    in_stock = parse_filters({"stock": {"gt": 5}}, shop.engine.fields())
    assert "l2" not in shop.engine.similar("l1", in_stock, 10).candidates.ids
    with pytest.raises(NotFoundError):
        shop.engine.similar("L1", AllOf(()), 1)


def test_a_reader_sees_the_vectors_before_and_after_compaction(shop: Shop) -> None:
    reader = shop.open()
    reader.refresh()
    for _ in range(2):
        query = shop.query("orbit laptop", limit=100)
        expected, found = shop.engine.search(query).candidates, reader.search(query).candidates
        assert found.ids == expected.ids
        assert found.scores.tolist() == pytest.approx(expected.scores.tolist())
        shop.engine.compact(force=True)
        shop.store.upsert([Product(id="n1", title="Orbit Book mini laptop")])
        shop.indexer.catch_up()
        shop.indexer.embed()
        reader.refresh()


def test_means_are_taken_anew_while_the_catalogue_is_small(shop: Shop) -> None:
    assert shop.engine.centred_on == len(tiny_catalogue())
    shop.store.upsert([Product(id=f"more-{n}", title=f"product {n}") for n in range(20)])
    shop.indexer.catch_up()
    before = CountingVectorStore.encoded
    shop.indexer.embed()
    assert shop.engine.centred_on == len(tiny_catalogue()) + 20
    assert CountingVectorStore.encoded == before + 20, "old vectors came from the store"
    assert shop.engine.count_without_vectors() == 0


def test_a_vector_of_a_text_that_changed_meanwhile_is_dropped(shop: Shop) -> None:
    shop.store.upsert([Product(id="fresh", title="one")])
    shop.indexer.catch_up()
    ((number, version, _),) = shop.engine.without_vectors(5)
    shop.store.upsert([Product(id="fresh", title="two")])
    shop.indexer.catch_up()
    shop.engine.add_vectors([number], [version], shop.encoder.encode_documents(["one"]), ["en"])
    assert shop.engine.count_without_vectors() == 1


def test_another_encoder_is_not_compared_and_makes_the_vectors_anew(shop: Shop) -> None:
    shop.encoder = HashEncoder(128)
    assert shop.ids("Orbitt Bookk laptopp") == [], "vectors of 512 and of 128 dimensions have nothing to say"
    assert shop.indexer.embed() == len(tiny_catalogue())
    assert shop.engine.centring is not None
    assert shop.engine.centring.encoder == shop.encoder.fingerprint
    assert shop.ids("Orbitt Bookk laptopp")[0] in ("l1", "l2")


def test_vectors_without_means_are_refused(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, "s", SEGMENTER, SearchSettings())
    with pytest.raises(StorageError, match="before the means"):
        engine.add_vectors([1], [1], np.ones((1, 4), np.float32), ["en"])


def test_follow_adds_vectors_while_words_are_found_at_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    stop = threading.Event()
    follower = threading.Thread(target=shop.indexer.follow, args=(stop,))
    follower.start()
    try:
        shop.store.upsert(tiny_catalogue())
        deadline = time.monotonic() + 20
        while shop.engine.size == 0 or shop.engine.count_without_vectors():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        stop.set()
        follower.join()


def test_document_text_names_the_brand_once() -> None:
    facts = {"brand": "Orbit", "category": ("A", "Laptops"), "short_description": "Thin."}
    product = Product.model_validate({"id": "1", "title": "Orbit Book 14", **facts})
    assert document_text(product) == "Orbit Book 14. Laptops. Thin."
    assert document_text(product.model_copy(update={"brand": "Kestrel"})) == "Orbit Book 14. Kestrel. Laptops. Thin."


def test_probability_and_threshold_by_hand() -> None:
    """p = 1/4 where 12 s − 4.6 = ln(1/3): s = (4.6 − 1.0986) / 12 = 0.2918."""
    assert probability(np.asarray([4.6 / 12], np.float32))[0] == pytest.approx(0.5)
    assert threshold(np.asarray([0.1, 0.35], np.float32)) == pytest.approx(0.2918, abs=1e-4)
    assert threshold(np.asarray([0.1, 0.6], np.float32)) == pytest.approx(0.42)
    # Ten products: log10(350 / 10) = 1.544 powers of ten below 350, each 0.9 / 12 = 0.075 of similarity.
    assert threshold(np.asarray([0.1, 0.2], np.float32), 10) == pytest.approx(0.2918 - 0.1158, abs=1e-4)
    assert probability(np.asarray([0.2918 - 0.1158], np.float32), 10)[0] == pytest.approx(0.25, abs=1e-3)
    assert threshold(np.zeros(2, np.float32), 400) == threshold(np.zeros(2, np.float32), 10**6)
    assert threshold(np.zeros(0, np.float32), 0) > 0


unit = npst.arrays(np.float32, (12, 8), elements=st.floats(-1, 1, width=32)).filter(
    lambda rows: bool((np.linalg.norm(rows, axis=1) > 0.1).all())
)


@given(unit, st.integers(0, 11))
def test_int8_similarities_are_near_the_exact_ones(rows: NDArray[np.float32], asked: int) -> None:
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    column = VectorColumn().resized(len(vectors)).filled(np.arange(len(vectors), dtype=np.int32), *quantise(vectors))
    assert column.similarities(vectors[asked]) == pytest.approx(vectors @ vectors[asked], abs=0.03)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(0.3, 3),
    least=st.floats(-0.2, 0.9),
    rows=st.integers(1, 300),
    wanted=st.sets(st.integers(0, 299), max_size=40),
    dead=st.floats(0, 0.9),
    gathering=st.sampled_from([1, 5, 10**6]),
)
def test_the_short_cut_leaves_out_nothing_that_matches(
    seed: int, spread: float, least: float, rows: int, wanted: set[int], dead: float, gathering: int
) -> None:
    """Every row that reaches the threshold, and every wanted one, has the very number of the whole scan."""
    random = np.random.default_rng(seed)
    scale = np.exp(-np.arange(16) / 16 * spread)  # leading components say most, as along principal axes
    made = random.standard_normal((rows + 1, 16)) * scale + random.standard_normal(16) * random.random()
    vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    codes, scales = quantise(vectors[1:])
    scales[random.random(rows) < 0.1] = 0
    column = VectorColumn().resized(rows).filled(np.arange(rows, dtype=np.int32), codes, scales)
    alive = random.random(rows) >= dead
    asked = np.asarray(sorted(row for row in wanted if row < rows), np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors_module, "_GATHERING", gathering)
        patch.setattr(vectors_module, "_BLOCK", 64)
        near = column.compare_near(vectors[0], [(0, rows)], asked, alive, least)
    truth = column.similarities(vectors[0])
    bound = max(least, LEAST_OF_BEST * float(truth[alive].max(initial=-2)))
    needed = alive & (truth >= bound)
    needed[asked] = True
    assert np.array_equal(near[needed], truth[needed])
    assert np.all((near == truth) | (near == 0))
