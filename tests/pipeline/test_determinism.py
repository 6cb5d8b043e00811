"""The same index, encoder and request give the same bytes, in one process and in another."""

import subprocess
import sys
from pathlib import Path

from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import FacetRequest, SearchRequest
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.testing.encoder import HashEncoder
from lingsou.text.segment import Segmenter

QUERIES = ("orbit laptop 17 inch", "跑步鞋 不要黑色", "充电宝 200元以下", "blue T恤", "", "wool", "礼物 gift", "x-100")
FACETS = (FacetRequest(field="brand"), FacetRequest(field="attributes.colour"), FacetRequest(field="price"))


def answers(folder: Path) -> str:
    """Every answer of a shop that is there, but for its id and its times."""
    segmenter = Segmenter()
    with Store.open(sqlite_url(folder / "store.sqlite3")) as store:
        engine = EmbeddedEngine(folder / "index", store.identity(), segmenter, SearchSettings())
        engine.refresh()
        encoder = QueryEncoder(HashEncoder, budget_ms=10_000, cache=100)
        encoder.open()
        understanding = Understanding(engine, segmenter, "CNY")
        understanding.refresh()
        pipeline = SearchPipeline(store, engine, segmenter, encoder, understanding)
        found = [pipeline.search(SearchRequest(q=q, facets=FACETS, explain=True)) for q in QUERIES]
        encoder.close()
    return "\n".join(answer.model_dump_json(exclude={"query_id", "took_ms", "stages"}) for answer in found)


def test_answers_are_the_same_bytes_in_two_processes(tmp_path: Path) -> None:
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        store.upsert(tiny_catalogue())
        engine = EmbeddedEngine(tmp_path / "index", store.identity(), Segmenter(), SearchSettings())
        encoder = HashEncoder()
        embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
        indexer = Indexer(store, engine, IndexSettings(), lambda: embedder)
        indexer.catch_up()
        indexer.embed()
    first = answers(tmp_path)
    assert '"vector"' in first
    assert first == answers(tmp_path)
    code = "import sys; from pathlib import Path; from tests.pipeline.test_determinism import answers\n"
    code += "sys.stdout.buffer.write(answers(Path(sys.argv[1])).encode())"
    root = Path(__file__).parents[2]
    # Another seed of string hashes, so that nothing may depend on the order of a set.
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=root,
        env={"PYTHONHASHSEED": "12345", "PATH": "", "PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
    )
    assert other.stdout.decode() == first
