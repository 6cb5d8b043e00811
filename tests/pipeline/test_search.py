"""The pipeline over the tiny catalogue: a real store, a real index."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.core.errors import RequestError
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import Explanation, SearchRequest, SearchResponse
from lingsou.pipeline.search import SearchPipeline
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.text.segment import Segmenter


@dataclass(frozen=True)
class Stage:
    """What the tests act on."""

    store: Store
    pipeline: SearchPipeline

    def search(self, q: str = "", **more: Any) -> SearchResponse:
        return self.pipeline.search(SearchRequest(q=q, **more))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with opened(tmp_path_factory.mktemp("shop")) as stage:
        yield stage


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """One that the test may change."""
    with opened(tmp_path) as stage:
        yield stage


@contextmanager
def opened(root: Path) -> Iterator[Stage]:
    """The tiny catalogue, stored and indexed."""
    with Store.open(f"sqlite:///{root / 'store.sqlite3'}") as store:
        store.upsert(tiny_catalogue())
        segmenter = Segmenter()
        engine = EmbeddedEngine(root / "index", store.identity(), segmenter, SearchSettings())
        Indexer(store, engine, IndexSettings()).catch_up()
        yield Stage(store, SearchPipeline(store, engine, segmenter))


def test_hits_carry_the_products_of_the_store(made: Stage) -> None:
    response = made.search("跑步鞋 黑色")
    assert response.hits[0].id == "s1"
    stored = made.store.get([hit.id for hit in response.hits])
    assert [hit.product for hit in response.hits] == [stored[hit.id] for hit in response.hits]
    assert response.hits[0].variants == 2
    assert "<em>黑色</em>" in response.hits[0].highlights["title"]
    scores = [hit.score for hit in response.hits]
    assert scores == sorted(scores, reverse=True)


def test_values_are_those_of_now_and_not_of_the_index(own: Stage) -> None:
    lamp = own.store.get(["s3"])["s3"].model_copy(update={"stock": 99})
    own.store.upsert([lamp])
    assert own.search("kestrel").hits[0].product.stock == 99


def test_a_product_deleted_after_it_was_indexed_is_left_out(own: Stage) -> None:
    before = [hit.id for hit in own.search(page_size=50).hits]
    own.store.delete(["s1"])
    assert [hit.id for hit in own.search(page_size=50, explain=True).hits] == [id_ for id_ in before if id_ != "s1"]
    assert [hit.id for hit in own.search("疾风").hits] == []


def test_an_explanation_says_place_and_score(made: Stage) -> None:
    response = made.search("black", explain=True, page_size=1, page=1)
    (hit,) = response.hits
    assert hit.explanation
    assert (hit.explanation.name, hit.explanation.value) == ("position", 1)
    assert hit.explanation.children[0].value == pytest.approx(hit.score, rel=1e-4)
    assert "black" in " ".join(words(hit.explanation))
    second = made.search("orbit laptop", explain=True, page_size=1, page=2).hits[0].explanation
    assert second
    assert second.value == 2
    browsed = made.search(explain=True).hits[0].explanation
    assert browsed
    assert browsed.detail == "no words: best sold first"
    dearest = made.search(explain=True, sort="-price").hits[0].explanation
    assert dearest
    assert dearest.detail == "sorted by -price"
    assert made.search("black").hits[0].explanation is None


def words(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.name} {explanation.detail}"
    for child in explanation.children:
        yield from words(child)


def test_stages_are_timed_in_order(made: Stage) -> None:
    response = made.search("laptop")
    names = [stage.stage for stage in response.stages]
    assert len(set(names)) == len(names)
    assert [name for name in names if name in ("plan", "retrieve", "fetch", "present")] == [
        "plan",
        "retrieve",
        "fetch",
        "present",
    ]
    assert 0 < sum(stage.ms for stage in response.stages) <= response.took_ms + 0.01


@pytest.mark.parametrize(
    "request_",
    [
        {"q": "黑色", "facets": ["brand", "price", "attributes.colour"], "explain": True},
        {"q": "laptop", "filters": {"price": {"lt": 6000}}, "sort": "-price"},
        {"sort": "newest", "page": 2, "page_size": 3, "collapse": False},
        {"q": "nothing like it"},
    ],
)
def test_the_same_request_gets_the_same_answer(request_: dict[str, Any], made: Stage) -> None:
    def answer() -> dict[str, Any]:
        response = made.pipeline.search(SearchRequest(**request_)).model_dump(mode="json")
        assert response.pop("query_id")
        del response["took_ms"]
        response["stages"] = [stage["stage"] for stage in response["stages"]]
        return response

    first = answer()
    assert all(answer() == first for _ in range(5))
    assert made.search().query_id != made.search().query_id


def test_pages_make_the_whole(made: Stage) -> None:
    whole = [hit.id for hit in made.search(page_size=200).hits]
    pages = [made.search(page=page, page_size=5) for page in (1, 2, 3, 4)]
    assert [hit.id for page in pages for hit in page.hits] == whole
    assert {page.total for page in pages} == {len(whole)}
    far = made.search(page=10**9, page_size=200)
    assert (far.hits, far.total) == ((), len(whole))


def test_wrong_requests_are_errors(made: Stage) -> None:
    for wrong in ({"filters": {"nothing": 1}}, {"facets": ["nothing"]}, {"filters": {"price": {"gt": "cheap"}}}):
        with pytest.raises(RequestError) as caught:
            made.search(**wrong)
        assert caught.value.cure
        assert caught.value.field


@pytest.mark.parametrize("q", ["\0", "' OR 1=1", "😀", "x" * 512, "\u202e", " ", "a:b*", "﷽" * 512])
def test_any_text_is_a_query(q: str, made: Stage) -> None:
    made.search(q, explain=True, facets=("brand",))
