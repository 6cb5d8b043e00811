"""The embedded engine keeps the contract."""

from pathlib import Path

from lingsou.core.settings import SearchSettings
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.engine import SearchEngineContract
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


class TestEmbeddedEngine(SearchEngineContract):
    def make_engine(self, folder: Path) -> EmbeddedEngine:
        return EmbeddedEngine(folder / "index", "store-1", SEGMENTER, SearchSettings())
