"""The reranker in a search: the first products in its order, and the answer without it whenever it cannot be."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lingsou.core import plugins
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import RankingSettings, SearchSettings
from lingsou.core.types import Explanation, Product, RankRequest, SearchRequest, SearchResponse, StageTime
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.ranking import RankingStage
from lingsou.pipeline.reranking import Reranking
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.shop import open_shop
from lingsou.ranking.reranker import document_text
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.rules.match import RuleIndex
from lingsou.rules.schema import parse_rules
from lingsou.testing.catalogue import as_changes
from lingsou.text.segment import Segmenter
from tests.ranking.tiny_reranker import install_reranker

SEGMENTER = Segmenter()
SIZE, DEPTH = 30, 12
WORTH = {f"no{number}.": float((7 * number) % SIZE) for number in range(SIZE)}
"""Value of the one word of each title that the graph knows."""
PRODUCTS = {
    f"p{number}": Product(
        id=f"p{number}",
        title=f"red lamp {'shade ' * (number % 5)}no{number}",
        brand=f"B{number % 3}",
        category=("Light", f"C{number % 2}"),
        sku=f"SKU-{number}",
    )
    for number in range(SIZE)
}
QUERY = SearchRequest(q="red lamp", page_size=200)


class Source:
    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        return {each: PRODUCTS[each] for each in ids if each in PRODUCTS}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    made = EmbeddedEngine(tmp_path_factory.mktemp("index"), "s", SEGMENTER, SearchSettings())
    made.apply(as_changes(list(PRODUCTS.values())))
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models") / "reranker"
    install_reranker(root, WORTH)
    return root


Opener = Callable[..., SearchPipeline]


@pytest.fixture
def opened(engine: EmbeddedEngine) -> Iterator[Opener]:
    """Makes a shop over a model store, or over a reranker of the test's own."""
    stages: list[RankingStage] = []

    def open_(root: Path | None, model: Any = None, warm: bool = True, **chosen: Any) -> SearchPipeline:
        settings = RankingSettings(**({"budget_ms": 1_000, "rerank_depth": DEPTH, "rerank_budget_ms": 2_000} | chosen))
        reranking = Reranking(root, settings)
        if model is not None:
            reranking._model = model
        stages.append(RankingStage(None, settings, CandidateFeatures(SEGMENTER), Source().get, reranking))
        if warm:
            stages[-1].warm_up()
        return SearchPipeline(Source(), engine, SEGMENTER, ranking=stages[-1])

    yield open_
    for stage in stages:
        stage.close()


def ids(response: SearchResponse) -> list[str]:
    return [hit.id for hit in response.hits]


def stages_of(response: SearchResponse) -> Mapping[str, StageTime]:
    return {each.stage: each for each in response.stages}


def worth(id_: str) -> float:
    """What the graph makes of it: twice the mean over the tokens of the pair, of which one alone has a value."""
    words = document_text(PRODUCTS[id_]).split()
    return 2 * sum(WORTH.get(word, 0.0) for word in words) / (len(words) + len(QUERY.q.split()) + 4)


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


def test_the_first_stand_in_its_order_and_the_rest_stays(opened: Opener, folder: Path) -> None:
    before = ids(opened(None).search(QUERY))
    after = ids(opened(folder, rerank_weight=1.0).search(QUERY))
    assert after == [*sorted(before[:DEPTH], key=worth, reverse=True), *before[DEPTH:]]
    assert after != before
    blended = ids(opened(folder).search(QUERY))
    assert sorted(blended) == sorted(before)
    assert blended[DEPTH:] == before[DEPTH:]
    assert ids(opened(folder, rerank_weight=0.0).search(QUERY)) == before


def test_its_stage_is_told_apart(opened: Opener, folder: Path) -> None:
    found = stages_of(opened(folder).search(QUERY))
    assert found["rerank"].fallback is None
    assert found["rerank"].ms > 0
    assert found["rank"].ms > 0
    assert "rerank" not in stages_of(opened(None, diversity=0.5).search(QUERY))


@pytest.mark.parametrize("chosen", [{}, {"diversity": 0.5}, {"exploration": 2}])
def test_pages_are_cut_from_one_order(opened: Opener, folder: Path, chosen: dict[str, Any]) -> None:
    shop = opened(folder, **chosen)
    whole = shop.search(QUERY)
    found: list[str] = []
    for page in range(1, 6):
        found += ids(shop.search(QUERY.model_copy(update={"page": page, "page_size": 7})))
    assert found == ids(whole)
    scores = [hit.score for hit in whole.hits]
    assert scores == sorted(scores, reverse=True)


def test_variety_acts_on_its_order(opened: Opener, folder: Path) -> None:
    plain, varied = (ids(opened(folder, diversity=strength).search(QUERY)) for strength in (0.0, 0.9))
    assert varied[0] == plain[0], "the best by the reranker still stands first"
    assert PRODUCTS[varied[1]].brand != PRODUCTS[varied[0]].brand


def test_an_exact_identifier_stays_first(opened: Opener, folder: Path) -> None:
    worst = min(PRODUCTS, key=worth)
    found = opened(folder, rerank_weight=1.0).search(SearchRequest(q=PRODUCTS[worst].sku))
    assert ids(found)[0] == worst
    listed = opened(folder, rerank_weight=1.0).rank(RankRequest(q=PRODUCTS[worst].sku, ids=tuple(PRODUCTS)))
    assert listed.items[0].id == worst


def test_rules_have_the_last_word(opened: Opener, folder: Path) -> None:
    shop = opened(folder)
    last = ids(shop.search(QUERY))[-1]
    rules = parse_rules([{"id": "r", "then": [{"do": "pin", "ids": [last], "position": 1}]}])
    assert ids(shop.preview(QUERY, RuleIndex(rules, SEGMENTER)).draft)[0] == last


def test_the_same_search_gives_the_same_answer(opened: Opener, folder: Path) -> None:
    own = {"query_id", "took_ms", "stages"}
    one, other = (opened(folder).search(QUERY.model_copy(update={"explain": True})) for _ in range(2))
    assert one.model_dump_json(exclude=own) == other.model_dump_json(exclude=own)


def test_explanations_are_true(opened: Opener, folder: Path) -> None:
    """Before and after are the places in the two orders, the shares add up, nothing is said of what was not read."""
    before = ids(opened(None, diversity=1e-9).search(QUERY))
    hits = opened(folder).search(QUERY.model_copy(update={"explain": True})).hits
    sums = []
    for number, hit in enumerate(hits[:DEPTH]):
        tree = node(hit.explanation, "reranking")
        assert tree.detail.startswith(f"place {before.index(hit.id) + 1} → {number + 1};")
        assert [child.name for child in tree.children] == ["ranker", "reranker"]
        assert sum(child.value or 0 for child in tree.children) == pytest.approx(tree.value)
        assert f"weight 0.7; score {worth(hit.id):.3g} of 20260101" in tree.children[1].detail
        learned = node(tree.children[0], "learned ranking")
        assert sum(child.value or 0 for child in learned.children) == pytest.approx(learned.value)
        assert node(hit.explanation, "position").value == number + 1
        sums.append(tree.value or 0.0)
    assert sums == sorted(sums, reverse=True)
    for hit in hits[DEPTH:]:
        assert node(hit.explanation, "learned ranking")
        with pytest.raises(LookupError):
            node(hit.explanation, "reranking")


def test_the_callers_list_is_reranked(opened: Opener, folder: Path) -> None:
    asked = ("p3", "p1", "p8", "p4", "p2")
    shop = opened(folder, rerank_weight=1.0)
    found = shop.rank(RankRequest(q="red lamp", ids=asked, explain=True))
    assert [item.id for item in found.items] == sorted(asked, key=worth, reverse=True)
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)
    assert found.reranker == ModelStore(folder).alias("production")
    assert found.items[0].explanation is not None
    assert found.items[0].explanation.name == "reranking"
    assert opened(None).rank(RankRequest(q="red lamp", ids=asked)).reranker is None


@pytest.mark.parametrize("chosen", [{"enabled": False}, {"rerank_depth": 0}])
def test_it_can_be_switched_off(opened: Opener, folder: Path, chosen: dict[str, Any]) -> None:
    response = opened(folder, **chosen).search(QUERY)
    assert ids(response) == ids(opened(None).search(QUERY))
    assert not {"rank", "rerank"} & stages_of(response).keys()


# Whatever it does, the answer comes.


class Fake:
    """A reranker that does what a test asks."""

    version = "fake"

    def __init__(self, answer: Callable[[int], Any]):
        self.answer = answer

    def score(self, query: str, texts: Sequence[str], deadline: float) -> Any:
        return self.answer(len(texts))


def raising(_: int) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raising, "the reranker failed: ZeroDivisionError"),
        (lambda size: np.full(size, np.nan), "the reranker failed: its scores are no numbers"),
        (lambda size: np.arange(size) * np.inf, "the reranker failed: its scores are no numbers"),
        (lambda size: np.full(size, 1e300), "the reranker failed: its scores are no numbers"),
        (lambda size: np.zeros(size + 1), "the reranker failed: its scores are no numbers"),
        (lambda size: ["high"] * size, "the reranker failed: ValueError"),
        (lambda _: None, "the reranker took longer than 2000 ms"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_broken_model_changes_nothing_and_is_told(opened: Opener, answer: Callable[[int], Any], reason: str) -> None:
    shop = opened(None, Fake(answer))
    response = shop.search(QUERY)
    assert ids(response) == ids(opened(None).search(QUERY))
    assert stages_of(response)["rerank"].fallback == reason
    listed = shop.rank(RankRequest(q="red lamp", ids=("p1", "p2")))
    assert len(listed.items) == 2
    assert listed.reranker is None


def test_a_model_that_hangs_costs_no_more_than_the_budget(opened: Opener) -> None:
    """Two searches leave their threads hanging, the third's turn is taken back; with all turns taken, none is tried."""
    free = threading.Event()

    def hang(size: int) -> Any:
        free.wait(20)
        return np.zeros(size)

    shop = opened(None, Fake(hang), rerank_budget_ms=30)
    try:
        late, overloaded = "the reranker took longer than 30 ms", "the reranker is overloaded"
        for _ in range(3):
            start = time.perf_counter()
            found = stages_of(shop.search(QUERY))["rerank"]
            assert found.fallback == late
            assert 25 < found.ms < 5_000
            assert time.perf_counter() - start < 10
        stage = shop._ranking
        assert stage is not None
        held = 0
        while stage._reranking._free.acquire(blocking=False):
            held += 1
        assert held == 6, "two threads hang; what only waited was taken back"
        assert stages_of(shop.search(QUERY))["rerank"].fallback == overloaded
        for _ in range(held):
            stage._reranking._free.release()
    finally:
        free.set()


# Following the model store.


def test_a_new_version_is_opened_in_the_background(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is open the search answers without and says so; then the next version replaces it while it serves."""
    root, gate = tmp_path / "reranker", threading.Event()
    factory = plugins.resolve("reranker", "onnx")

    def slowly(folder: Path) -> Any:
        assert gate.wait(20)
        return factory(folder)

    monkeypatch.setattr("lingsou.ranking.cross_encoder.open_onnx", slowly)
    shop = opened(root, warm=False)
    stage: Any = shop._ranking
    stage.refresh()
    assert not stage.active
    first = install_reranker(root, WORTH)
    stage.refresh()
    assert stages_of(shop.search(QUERY))["rank"].fallback == "the reranker is loading"
    gate.set()
    wait_for(stage, first)
    assert stages_of(shop.search(QUERY))["rerank"].fallback is None
    gate.clear()
    second = install_reranker(root, {word: -value for word, value in WORTH.items()}, second=1)
    stage.refresh()
    assert stage._reranking.model.version == first, "the one before serves meanwhile"
    gate.set()
    wait_for(stage, second)
    ModelStore(root).withdraw()
    stage.refresh()
    assert not stage.active


def wait_for(stage: Any, version: str) -> None:
    deadline = time.monotonic() + 20
    while stage._reranking.model is None or stage._reranking.model.version != version:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_version_that_was_replaced_while_it_was_opened_is_dropped(folder: Path) -> None:
    reranking = Reranking(folder, RankingSettings())
    reranking._wanted = "another", None
    reranking._open(ModelStore(folder), str(ModelStore(folder).alias("production")))
    assert reranking.model is None
    reranking.close()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
def test_a_damaged_model_is_not_used_and_is_told(opened: Opener, tmp_path: Path, name: str) -> None:
    root = tmp_path / "reranker"
    version = install_reranker(root, WORTH)
    with (root / version / name).open("ab") as file:
        file.write(b"x")
    for chosen, stage in (({}, "rank"), ({"diversity": 1e-9}, "rerank")):
        response = opened(root, **chosen).search(QUERY)
        assert ids(response) == ids(opened(None).search(QUERY))
        assert str(stages_of(response)[stage].fallback).startswith("no reranker: ")


def test_a_version_that_is_gone_and_aliases_that_cannot_be_read(opened: Opener, tmp_path: Path) -> None:
    root = tmp_path / "reranker"
    version = install_reranker(root, WORTH)
    shop = opened(root)
    stage: Any = shop._ranking
    assert stage._reranking.model.version == version
    (root / "aliases.json").write_text('{"production": "20270101T000000-00000000"}')
    stage.warm_up()
    assert "no reranker: There is no version" in str(stages_of(shop.search(QUERY))["rank"].fallback)
    (root / "aliases.json").write_text("nonsense")
    stage.warm_up()
    assert "aliases.json cannot be read" in str(stages_of(shop.search(QUERY))["rank"].fallback)


def test_a_plugin_that_is_not_there_is_told(opened: Opener, folder: Path) -> None:
    response = opened(folder, reranker="elsewhere").search(QUERY)
    assert "There is no reranker named 'elsewhere'" in str(stages_of(response)["rank"].fallback)


def test_another_implementation_can_take_its_place(
    opened: Opener, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_at: list[Path] = []

    def open_mine(path: Path) -> Fake:
        opened_at.append(path)
        return Fake(lambda size: np.arange(size, dtype=np.float64))

    points = [SimpleNamespace(name="mine", value="mine", load=lambda: open_mine)]
    monkeypatch.setattr(plugins, "entry_points", lambda group, name=None: points)
    before = ids(opened(None).search(QUERY))
    after = ids(opened(folder, reranker="mine", rerank_weight=1.0).search(QUERY))
    assert after == [*before[:DEPTH][::-1], *before[DEPTH:]]
    assert [path.name for path in opened_at] == [ModelStore(folder).alias("production")]


def test_a_shop_has_it_after_warming_up(tmp_path: Path) -> None:
    (tmp_path / "lingsou.toml").write_text(
        "[encoder]\nname = ''\n[ranking]\nbudget_ms = 1000\nrerank_budget_ms = 2000\nrerank_weight = 1.0\n"
    )
    version = install_reranker(tmp_path / "models" / "reranker", WORTH)
    with closing(open_shop(tmp_path)) as shop:
        shop.store.upsert(list(PRODUCTS.values()))
        shop.indexer().catch_up()
        shop.warm_up()
        response = shop.pipeline.search(QUERY)
        assert ids(response) == sorted(PRODUCTS, key=worth, reverse=True)
        assert shop.pipeline.rank(RankRequest(q="red lamp", ids=("p1", "p2"))).reranker == version
