"""The ranking stage in a search: one order for all pages, rules after it, and the fused order when it cannot be."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.settings import RankingSettings, SearchSettings
from lingsou.core.types import Explanation, FacetRequest, Product, RankRequest, SearchRequest, SearchResponse
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.ranking import RankingStage
from lingsou.pipeline.search import SearchPipeline
from lingsou.ranking.artefact import current, install
from lingsou.ranking.dataset import group
from lingsou.ranking.lambdamart import Choice, LambdaMart, train
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.rules.match import RuleIndex
from lingsou.rules.schema import parse_rules
from lingsou.testing.catalogue import as_changes
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
SIZE, DEPTH = 90, 40
FEATURES, MONOTONE = ("price", "stock", "title-coverage"), (0, 1, 1)


def catalogue() -> list[Product]:
    random = np.random.default_rng(4)
    return [
        Product.model_validate(
            {
                "id": f"p{number}",
                "title": f"red lamp {'shade ' * (number % 7)}no{number}",
                "brand": f"B{number % 4}",
                "category": ("Light", f"C{number % 3}"),
                "price": int(random.integers(1, 1_000)),
                "stock": int(random.integers(0, 9)),
                "group_id": f"g{number % 20}" if number % 3 == 0 else "",
            }
        )
        for number in range(SIZE)
    ]


PRODUCTS = {each.id: each for each in catalogue()}


class Source:
    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        return {each: PRODUCTS[each] for each in ids if each in PRODUCTS}


def cheap_first() -> LambdaMart:
    """Of judgements by which a lower price is better, weighed so that it can turn the fused order round."""
    random = np.random.default_rng(2)
    groups = []
    for number in range(30):
        features = np.column_stack([random.uniform(0, 7, 30), random.random(30) * 2, random.random(30)])
        ids = [str(place) for place in range(30)]
        grades = dict(zip(ids, (features[:, 0] < 3).astype(float).tolist(), strict=True))
        groups.append(group(str(number), ids, features, np.zeros(30), grades))
    return train(groups, FEATURES, MONOTONE, Choice(weight=0.5, trees="bold"))


MODEL = cheap_first()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    made = EmbeddedEngine(tmp_path_factory.mktemp("index"), "s", SEGMENTER, SearchSettings())
    made.apply(as_changes(catalogue()))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    install(tmp_path, MODEL, created=datetime(2026, 1, 1, tzinfo=UTC))
    return tmp_path


def stage(folder: Path, **chosen: Any) -> RankingStage:
    chosen = {"depth": DEPTH, "budget_ms": 1_000} | chosen
    return RankingStage(folder, RankingSettings(**chosen), CandidateFeatures(SEGMENTER), Source().get)


def shop(engine: EmbeddedEngine, ranking: RankingStage | None) -> SearchPipeline:
    return SearchPipeline(Source(), engine, SEGMENTER, ranking=ranking)


def ids(response: SearchResponse) -> list[str]:
    return [hit.id for hit in response.hits]


def everything(pipeline: SearchPipeline, **more: Any) -> list[str]:
    return ids(pipeline.search(SearchRequest(q="red lamp", page_size=200, **more)))


def rank_stage(response: SearchResponse) -> Mapping[str, Any]:
    (found,) = (each for each in response.stages if each.stage == "rank")
    return found.model_dump()


def test_the_block_is_reordered_and_the_rest_stays(engine: EmbeddedEngine, folder: Path) -> None:
    fused, ranked = (
        everything(shop(engine, None), collapse=False),
        everything(shop(engine, stage(folder)), collapse=False),
    )
    assert fused[DEPTH:] == ranked[DEPTH:]
    assert sorted(fused[:DEPTH]) == sorted(ranked[:DEPTH])
    assert fused != ranked
    cheap = [float(PRODUCTS[id_].price or 0) < 19 for id_ in ranked[:DEPTH]]
    assert cheap == sorted(cheap, reverse=True), "below e³ − 1 first"


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 60), collapse=st.booleans(), diversity=st.sampled_from([0.0, 0.6]), slots=st.integers(0, 2))
def test_pages_are_cut_from_one_order(size: int, collapse: bool, diversity: float, slots: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), MODEL, created=datetime(2026, 1, 1, tzinfo=UTC))
        engine = EmbeddedEngine(Path(folder) / "index", "s", SEGMENTER, SearchSettings())
        engine.apply(as_changes(catalogue()))
        pipeline = shop(engine, stage(Path(folder), diversity=diversity, exploration=slots))
        whole = pipeline.search(SearchRequest(q="red lamp", page_size=200, collapse=collapse))
        found: list[str] = []
        for page in range(1, whole.total // size + 2):
            part = pipeline.search(SearchRequest(q="red lamp", page_size=size, page=page, collapse=collapse))
            assert part.total == whole.total
            found += ids(part)
        assert found == ids(whole)
        scores = [hit.score for hit in whole.hits]
        assert scores == sorted(scores, reverse=True)
        assert len(set(found)) == whole.total
        explored = [hit for hit in whole.hits if hit.propensity]
        assert len(explored) <= slots
        if not collapse and slots:
            assert len(explored) == slots


def test_totals_and_facets_stay_what_they_were(engine: EmbeddedEngine, folder: Path) -> None:
    request = SearchRequest(q="red lamp", facets=(FacetRequest(field="brand"),), filters={"price": {"lt": 500}})
    fused, ranked = shop(engine, None).search(request), shop(engine, stage(folder)).search(request)
    assert (fused.total, fused.facets) == (ranked.total, ranked.facets)
    assert fused.facets


def test_an_exact_identifier_stays_first(engine: EmbeddedEngine, folder: Path) -> None:
    dearest = max(PRODUCTS.values(), key=lambda product: product.price or 0)
    assert ids(shop(engine, stage(folder)).search(SearchRequest(q=dearest.id)))[0] == dearest.id


def test_rules_have_the_last_word(engine: EmbeddedEngine, folder: Path) -> None:
    pipeline = shop(engine, stage(folder))
    order = everything(pipeline, collapse=False)
    last = order[-1]
    rules = parse_rules([{"id": "r", "then": [{"do": "pin", "ids": [last], "position": 2}]}])
    preview = pipeline.preview(SearchRequest(q="red lamp", collapse=False), RuleIndex(rules, SEGMENTER))
    assert ids(preview.draft)[1] == last
    assert ids(preview.draft)[0] == order[0]


def test_no_model_no_change(engine: EmbeddedEngine, tmp_path: Path) -> None:
    empty = stage(tmp_path)
    assert not empty.active
    assert everything(shop(engine, empty)) == everything(shop(engine, None))
    response = shop(engine, empty).search(SearchRequest(q="red lamp"))
    assert "rank" not in [each.stage for each in response.stages]


def test_a_damaged_model_is_as_none(engine: EmbeddedEngine, folder: Path) -> None:
    version = current(folder)
    assert version
    (folder / version / "model-0.txt").write_text("nonsense", "utf-8")
    broken = stage(folder)
    assert broken.version is None
    assert everything(shop(engine, broken)) == everything(shop(engine, None))


def test_another_sort_and_no_words_are_left_alone(engine: EmbeddedEngine, folder: Path) -> None:
    for request in (SearchRequest(q="red lamp", sort="-price"), SearchRequest()):
        assert ids(shop(engine, stage(folder)).search(request)) == ids(shop(engine, None).search(request))


def test_disabled_is_off(engine: EmbeddedEngine, folder: Path) -> None:
    assert not stage(folder, enabled=False).active


def test_out_of_time_falls_back_and_says_so(
    engine: EmbeddedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CandidateFeatures, "know", lambda *_: False)
    response = shop(engine, stage(folder)).search(SearchRequest(q="red lamp", page_size=200))
    assert rank_stage(response)["fallback"] == "out of time"
    assert ids(response) == everything(shop(engine, None))


def test_a_feature_that_raises_fails_no_search(
    engine: EmbeddedEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(CandidateFeatures, "batch", broken)
    response = shop(engine, stage(folder)).search(SearchRequest(q="red lamp", page_size=200))
    assert rank_stage(response)["fallback"] == "ranking failed"
    assert ids(response) == everything(shop(engine, None))


def test_a_new_model_is_taken_up(engine: EmbeddedEngine, tmp_path: Path) -> None:
    running = stage(tmp_path)
    assert not running.refresh()
    version = install(tmp_path, MODEL, created=datetime(2026, 1, 1, tzinfo=UTC))
    assert running.refresh()
    assert running.version == version
    assert not running.refresh()


def node(tree: Explanation | None, name: str) -> Explanation:
    assert tree is not None
    if tree.name == name:
        return tree
    for child in tree.children:
        try:
            return node(child, name)
        except LookupError:
            continue
    raise LookupError(name)


def test_explanations_add_up(engine: EmbeddedEngine, folder: Path) -> None:
    hits = shop(engine, stage(folder)).search(SearchRequest(q="red lamp", explain=True, page_size=30)).hits
    for number, hit in enumerate(hits):
        relevance = node(hit.explanation, "relevance")
        assert sum(child.value or 0 for child in relevance.children) == pytest.approx(hit.score, abs=1e-5)
        learned = node(hit.explanation, "learned ranking")
        assert sum(child.value or 0 for child in learned.children) == pytest.approx(learned.value)
        assert node(hit.explanation, "position").value == number + 1


def test_the_callers_list_is_ranked(engine: EmbeddedEngine, folder: Path) -> None:
    by_price = sorted(PRODUCTS.values(), key=lambda product: product.price or 0)
    asked = (by_price[-1].id, by_price[0].id, "unknown", by_price[-1].id)
    pipeline = shop(engine, stage(folder))
    found = pipeline.rank(RankRequest(q="red lamp", ids=asked, explain=True))
    assert [item.id for item in found.items] == [by_price[0].id, by_price[-1].id]
    assert found.unknown == ("unknown",)
    assert found.ranker == current(folder)
    assert found.items[0].explanation is not None
    plain = shop(engine, None).rank(RankRequest(q="blue whale", ids=("p1", "p0")))
    assert [item.id for item in plain.items] == ["p1", "p0"], "nothing is known of them: the caller's order"
    assert plain.ranker is None
