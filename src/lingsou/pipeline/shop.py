"""One opened data folder: settings, store, engine and pipeline, for the CLI, the service and benchmarks alike."""

from dataclasses import dataclass
from pathlib import Path

from lingsou.catalog.store import Store
from lingsou.core.settings import DataFolder, Settings, load_settings
from lingsou.pipeline.search import SearchPipeline
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.text.lexicon import read_lexicon
from lingsou.text.segment import Segmenter


@dataclass(frozen=True)
class Shop:
    """What is needed to serve one shop."""

    folder: DataFolder
    settings: Settings
    store: Store
    engine: EmbeddedEngine
    pipeline: SearchPipeline

    def indexer(self) -> Indexer:
        """An indexer over this shop's store and engine; hold `indexer_lock` while using it."""
        return Indexer(self.store, self.engine, self.settings.index)

    def close(self) -> None:
        """Release the index and the store."""
        self.engine.close()
        self.store.close()


def open_shop(root: Path | str, *, read_index: bool = True) -> Shop:
    """Open an initialised data folder and, unless it is to be rebuilt anyway, read its index.

    Raises:
        ConfigurationError: not initialised, or its settings are wrong.
        StorageError: store or index cannot be read.
    """
    folder = DataFolder(root)
    settings = load_settings(folder)
    store = Store.of(folder, settings)
    try:
        segmenter = Segmenter(read_lexicon(folder.lexicon))
        engine = EmbeddedEngine(folder.index, store.identity(), segmenter, settings.search)
        if read_index:
            engine.refresh()
    except BaseException:
        store.close()
        raise
    return Shop(folder, settings, store, engine, SearchPipeline(store, engine, segmenter))
