"""Search by meaning through lists: near the exact scan, filters held, changes seen at once, damage survived."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, FacetRange, FacetRequest, Product
from lingsou.encoders.calibration import GROUPS, Centring
from lingsou.encoders.quantise import quantise
from lingsou.retrieval.engine import EngineQuery, EngineResult, QueryVector
from lingsou.retrieval.engines.embedded import EmbeddedEngine, ann
from lingsou.retrieval.engines.embedded.ann import build_lists, compare, compare_matching, widened
from lingsou.retrieval.engines.embedded.vectors import VectorColumn
from lingsou.retrieval.filters import AllOf, parse_filters
from lingsou.testing.engine import SearchEngineContract
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
ROWS, DIMENSION, ANN_FROM = 1_500, 32, 1_000
NO_MEANS = dict.fromkeys(GROUPS, np.zeros(DIMENSION, np.float32))
CENTRING = Centring("test", NO_MEANS, NO_MEANS)


@pytest.fixture(autouse=True, scope="module")
def small_bounds() -> Iterator[None]:
    """So that a filter of some hundred products is no longer a small one, and few rows between lists not many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ann, "FEW", 60)
        patch.setattr(ann, "PASSING", 100)
        patch.setattr(ann, "_GAP", 2)
        yield


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def clustered(rows: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = unit(np.random.default_rng(0).standard_normal((40, DIMENSION)))
    return unit(centres[rng.integers(0, 40, rows)] + 1.1 * unit(rng.standard_normal((rows, DIMENSION))))


VECTORS = clustered(ROWS, 1)


def product(number: int) -> Product:
    return Product(
        id=f"p{number}",
        title=f"thing {'rare' if number % 100 == 7 else 'common'}",
        brand=f"b{number % 3}",
        price=number % 50,
        stock=number % 2,
        group_id=f"g{number // 2}" if number % 10 < 2 else "",
        attributes={"size": number % 7},
    )


def changes(numbers: Sequence[int], first: int) -> list[Change]:
    return [
        Change(sequence=first + n, content_sequence=first + n, number=number, id=f"p{number}", product=product(number))
        for n, number in enumerate(numbers)
    ]


def opened(folder: Path, ann_from: int = ANN_FROM) -> EmbeddedEngine:
    engine = EmbeddedEngine(folder, "s", SEGMENTER, SearchSettings(), ann_from=ann_from)
    engine.refresh()
    return engine


def embed(engine: EmbeddedEngine, vectors: NDArray[np.float32]) -> None:
    wanted = engine.without_vectors(10_000)
    numbers, versions = [n for n, _, _ in wanted], [v for _, v, _ in wanted]
    engine.add_vectors(numbers, versions, vectors[numbers], ["en"] * len(numbers))


def built(folder: Path, ann_from: int = ANN_FROM) -> EmbeddedEngine:
    engine = EmbeddedEngine(folder, "s", SEGMENTER, SearchSettings(), ann_from=ann_from)
    engine.apply(changes(range(ROWS), 1))
    engine.set_centring(CENTRING, ROWS)
    embed(engine, VECTORS)
    engine.compact()
    return engine


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddedEngine, EmbeddedEngine]:
    """The same catalogue with lists and without."""
    listed = built(tmp_path_factory.mktemp("listed"))
    exact = built(tmp_path_factory.mktemp("exact"), ann_from=10**9)
    assert listed._state.lists is not None
    assert exact._state.lists is None
    return listed, exact


def query(vector: NDArray[np.float32], text: str = "zzz", **more: object) -> EngineQuery:
    return EngineQuery(text=text, vector=QueryVector(vector, "en", "test"), **more)  # type: ignore[arg-type]


def same(left: EngineResult, right: EngineResult) -> bool:
    pairs = (left.candidates.ids, right.candidates.ids), (left.total, right.total), (left.facets, right.facets)
    return all(a == b for a, b in pairs) and left.candidates.scores.tolist() == right.candidates.scores.tolist()


def test_nearly_everything_is_found_and_every_score_is_the_exact_one(
    engines: tuple[EmbeddedEngine, EmbeddedEngine],
) -> None:
    recalls = []
    for vector in clustered(60, 2):
        found, truth = (engine.search(query(vector, limit=1_000)) for engine in engines)
        scores = dict(zip(truth.candidates.ids, truth.candidates.scores.tolist(), strict=True))
        assert set(found.candidates.ids) <= set(scores)
        assert [scores[id_] for id_ in found.candidates.ids] == found.candidates.scores.tolist()
        assert truth.total_is_exact
        assert not found.total_is_exact
        recalls.append(found.total / truth.total)
    assert np.mean(recalls) > 0.95
    assert min(recalls) < 1, "else nothing was approximate here"


def test_words_filters_sorts_and_facets_do_not_depend_on_the_order_of_rows(
    engines: tuple[EmbeddedEngine, EmbeddedEngine],
) -> None:
    listed, exact = engines
    facets = (
        FacetRequest(field="brand"),
        FacetRequest(field="attributes.size"),
        FacetRequest(field="price", ranges=(FacetRange(lt=20), FacetRange(gte=20))),
    )
    assert listed._state.snapshot.ids != exact._state.snapshot.ids
    for raw in ({}, {"brand": "b1"}, {"price": {"lt": 10}}, {"attributes.size": [2, 3]}):
        filters = parse_filters(raw, exact.fields())
        for text in ("", "rare", "p17", "thing"):
            for order in ("relevance", "price", "-price"):
                asked = EngineQuery(text=text, filters=filters, facets=facets, sort=order, limit=200)
                assert same(listed.search(asked), exact.search(asked))


filters_of = st.fixed_dictionaries(
    {},
    optional={
        "brand": st.sampled_from(["b0", "b1"]),
        "price": st.integers(0, 50).map(lambda bound: {"lt": bound}),
        "stock": st.just(1),
        "attributes.size": st.lists(st.integers(0, 6), min_size=1, max_size=3),
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 199), filters_of, st.booleans())
def test_what_is_found_passes_the_filter_and_pages_partition_it(
    engines: tuple[EmbeddedEngine, EmbeddedEngine], seed: int, raw: dict[str, object], collapse: bool
) -> None:
    listed, exact = engines
    vector = clustered(200, 3)[seed]
    filters = parse_filters(raw, listed.fields())
    asked = {"filters": filters, "collapse": collapse}
    whole, truth = (engine.search(query(vector, "rare", limit=2_000, **asked)) for engine in engines)
    assert whole.total == len(whole.candidates.ids) == len(set(whole.candidates.ids))
    best = [max(each.candidates.legs["vector"].tolist(), default=0) for each in (whole, truth)]
    if best[0] == best[1]:  # where the very nearest is missed, the threshold is lower than it should be
        assert set(whole.candidates.ids) <= set(truth.candidates.ids)
    pages = [listed.search(query(vector, "rare", offset=at, limit=7, **asked)) for at in range(0, whole.total + 7, 7)]
    assert [id_ for page in pages for id_ in page.candidates.ids] == list(whole.candidates.ids)
    assert {page.total for page in pages} == {whole.total}
    if whole.total_is_exact:
        assert same(whole, truth)
    unfiltered = listed.search(query(vector, "rare", limit=2_000, collapse=False))
    passing = set(exact.search(EngineQuery(filters=filters, limit=2_000, collapse=False)).candidates.ids)
    narrowed = listed.search(query(vector, "rare", limit=2_000, collapse=False, filters=filters))
    assert set(unfiltered.candidates.ids) & passing <= set(narrowed.candidates.ids) <= passing


def test_few_products_that_pass_are_all_compared(engines: tuple[EmbeddedEngine, EmbeddedEngine]) -> None:
    filters = parse_filters({"price": 3, "stock": 1}, engines[0].fields())
    for vector in clustered(30, 4):
        found, truth = (engine.search(query(vector, filters=filters, limit=100)) for engine in engines)
        assert found.total_is_exact
        assert same(found, truth)


def test_explanations_have_the_scores_of_the_answer(engines: tuple[EmbeddedEngine, EmbeddedEngine]) -> None:
    listed, _ = engines
    filters = parse_filters({"brand": "b1"}, listed.fields())
    for vector in clustered(5, 5):
        asked = query(vector, "rare", filters=filters)
        found = listed.search(asked).candidates
        trees = listed.explain(asked, [product(int(id_[1:])) for id_ in found.ids])
        assert [tree.value for tree in trees] == pytest.approx(found.scores.tolist(), abs=1e-5)


def test_similar_products_are_near_the_exact_ones(engines: tuple[EmbeddedEngine, EmbeddedEngine]) -> None:
    listed = engines[0]
    hits = 0
    for number in range(0, 500, 10):
        for raw in ({}, {"stock": 1}, {"price": 3}):
            filters = parse_filters(raw, listed.fields())
            found, truth = (engine.similar(f"p{number}", filters, 10) for engine in engines)
            assert f"p{number}" not in found.candidates.ids
            assert f"p{number + 1}" not in found.candidates.ids, "its variant"
            assert found.total_is_exact == (raw == {"price": 3})
            if found.total_is_exact:
                assert same(found, truth)
            hits += len(set(found.candidates.ids) & set(truth.candidates.ids))
    assert hits > 0.95 * 50 * 3 * 10


def test_changes_after_the_build_show_at_once(tmp_path: Path) -> None:
    engine = built(tmp_path)
    vectors = np.concatenate([VECTORS, clustered(50, 6)])
    engine.apply(changes([0, *range(ROWS, ROWS + 50)], 5_000))
    moved = unit(-vectors[0] + 0.1)
    vectors[0] = moved
    embed(engine, vectors)
    assert engine._state.lists is not None
    for number in (0, *range(ROWS, ROWS + 50)):
        found = engine.search(query(vectors[number], limit=3, collapse=False)).candidates
        assert f"p{number}" in found.ids
    engine.apply([Change(sequence=9_000, content_sequence=9_000, number=5, id="p5", product=None)])
    for engine_now in (engine, opened(tmp_path)):
        assert "p5" not in engine_now.search(query(vectors[5], limit=2_000)).candidates.ids
        assert "p5" not in engine_now.similar("p15", AllOf(()), 2_000).candidates.ids
    before = engine._state.lists
    engine.compact(force=True)
    after = engine._state.lists
    assert after is not None
    assert after.centres is before.centres, "51 new vectors train nothing"
    assert (after.assigned, after.covered) == (51, ROWS + 49)
    assert "p0" in engine.search(query(moved, limit=3)).candidates.ids


def test_centres_are_trained_anew_when_as_many_vectors_are_new(tmp_path: Path) -> None:
    engine = built(tmp_path)
    before = engine._state.lists
    engine.apply(changes(range(ROWS), 5_000))
    embed(engine, clustered(ROWS, 7))
    engine.compact(force=True)
    after = engine._state.lists
    assert before is not None
    assert after is not None
    assert after.assigned == 0
    assert not np.array_equal(after.centres, before.centres)


def test_the_same_vectors_give_the_same_lists_and_answers(tmp_path: Path) -> None:
    left, right = built(tmp_path / "left"), built(tmp_path / "right")
    for vector in clustered(10, 8):
        assert same(left.search(query(vector, limit=100)), right.search(query(vector, limit=100)))
    names = [next((tmp_path / side).glob("*/*-lists.safetensors")) for side in ("left", "right")]
    assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "foreign"])
def test_lists_that_cannot_be_read_mean_an_exact_scan_and_a_warning(tmp_path: Path, damage: str) -> None:
    vector = clustered(1, 9)[0]
    truth = built(tmp_path / "exact", ann_from=10**9).search(query(vector, limit=100))
    built(tmp_path / "s")
    (path,) = (tmp_path / "s").glob("*/*-lists.safetensors")
    if damage == "gone":
        path.unlink()
    elif damage == "foreign":
        path.write_bytes(next((tmp_path / "s").glob("*/*-000000.safetensors")).read_bytes())
    else:
        path.write_bytes(path.read_bytes()[: 0 if damage == "empty" else 500])
    with structlog.testing.capture_logs() as logs:
        engine = opened(tmp_path / "s")
        assert not engine.refresh()
    assert [entry["log_level"] for entry in logs] == ["warning"]
    found = engine.search(query(vector, limit=100))
    assert found.total_is_exact
    assert same(found, truth)
    assert engine.compact(), "the indexer makes them anew"
    assert opened(tmp_path / "s")._state.lists is not None


def test_a_reader_follows_from_another_process(tmp_path: Path) -> None:
    engine = built(tmp_path)
    np.save(tmp_path / "q.npy", clustered(1, 10)[0])
    script = (
        "import sys, numpy as np; from pathlib import Path; from tests.retrieval.test_ann import opened, query\n"
        "engine = opened(Path(sys.argv[1])); assert engine._state.lists is not None\n"
        "print(*engine.search(query(np.load(sys.argv[1] + '/q.npy'), limit=50)).candidates.ids)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == list(engine.search(query(clustered(1, 10)[0], limit=50)).candidates.ids)


def test_a_reader_of_the_generation_before_goes_on_and_then_follows(tmp_path: Path) -> None:
    engine = built(tmp_path)
    reader = opened(tmp_path)
    vector = clustered(1, 11)[0]
    before = reader.search(query(vector, limit=50))
    engine.apply(changes([3, 4], 5_000))
    embed(engine, VECTORS)
    engine.compact(force=True)
    assert same(reader.search(query(vector, limit=50)), before)
    assert reader.refresh()
    assert same(reader.search(query(vector, limit=50)), engine.search(query(vector, limit=50)))


def test_lists_come_and_go_with_the_number_of_vectors_and_with_the_means(tmp_path: Path) -> None:
    engine = built(tmp_path, ann_from=ROWS)
    assert list(tmp_path.glob("*/*-lists.safetensors"))
    engine.apply([Change(sequence=9_000, content_sequence=9_000, number=5, id="p5", product=None)])
    engine.compact(force=True)
    assert engine._state.lists is None
    assert not engine.compact()
    engine = built(tmp_path / "again")
    engine.set_centring(CENTRING, ROWS)
    assert engine._state.lists is None
    assert engine.search(query(VECTORS[0])).total == 0
    assert list((tmp_path / "again").glob("*/*-lists.safetensors")), "kept for readers of the generation before"


def test_lists_hold_each_row_with_a_vector_once_and_those_without_lie_behind() -> None:
    codes, scales = quantise(VECTORS)
    scales[::3] = 0
    column = VectorColumn().resized(ROWS).filled(np.arange(ROWS, dtype=np.int32), codes, scales)
    kept = np.flatnonzero(np.arange(ROWS) % 5)
    lists, order = build_lists(column, kept, None)
    assert sorted(order.tolist()) == kept.tolist()
    assert np.all(column.scales[order[: lists.covered]] > 0)
    assert np.all(column.scales[order[lists.covered :]] == 0)


def test_wanted_rows_are_compared_however_far_and_many_wanted_rows_mean_a_scan() -> None:
    column = VectorColumn().resized(ROWS).filled(np.arange(ROWS, dtype=np.int32), *quantise(VECTORS))
    lists, order = build_lists(column, np.arange(ROWS), None)
    column = VectorColumn().resized(ROWS).filled(np.arange(ROWS, dtype=np.int32), *quantise(VECTORS[order]))
    vector = VECTORS[0]
    truth = column.similarities(vector)
    near = compare(column, lists, vector)
    far = np.flatnonzero(near.values == 0)
    assert 0 < len(far) < 0.95 * ROWS
    assert np.array_equal(near.values[near.values != 0], truth[near.values != 0])
    wanted = compare_matching(column, lists, vector, far[:20], None, 0.5)
    assert np.array_equal(wanted.values[far[:20]], truth[far[:20]])
    assert not wanted.complete
    whole = compare_matching(column, lists, vector, far[:400], None, 0.5)
    assert whole.complete
    assert np.array_equal(whole.values[far[:400]], truth[far[:400]])
    assert np.array_equal(whole.values[truth >= 0.7], truth[truth >= 0.7])
    passing = np.arange(ROWS) % 3 == 0
    more = widened(column, lists, vector, passing, near)
    assert np.count_nonzero((more.values != 0) & passing) >= ann.PASSING
    assert np.array_equal(more.values[near.values != 0], near.values[near.values != 0])


class ListedEngine(EmbeddedEngine):
    """Every batch gets vectors and is folded into a base in the order of lists."""

    def apply(self, changes: Sequence[Change]) -> None:
        super().apply(changes)
        if self.centring is None:
            self.set_centring(CENTRING, 1)
        wanted = self.without_vectors(100)
        if wanted:
            self.add_vectors(
                [n for n, _, _ in wanted], [v for _, v, _ in wanted], VECTORS[: len(wanted)], ["en"] * len(wanted)
            )
        super().compact(force=True)


class TestListedEngine(SearchEngineContract):
    def make_engine(self, folder: Path) -> EmbeddedEngine:
        return ListedEngine(folder / "index", "store-1", SEGMENTER, SearchSettings(), ann_from=3)
