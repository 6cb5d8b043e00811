"""One opened data folder: settings, store, engine and pipeline, for the CLI, the service and benchmarks alike."""

from dataclasses import dataclass
from pathlib import Path

from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.settings import DataFolder, EncoderSettings, Settings, load_settings
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.encoders.encoder import Encoder
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.text.lexicon import read_lexicon
from lingsou.text.segment import Segmenter


@dataclass(frozen=True)
class Shop:
    """What is needed to serve one shop. Encoder and understanding are not ready yet: `warm_up()`."""

    folder: DataFolder
    settings: Settings
    store: Store
    engine: EmbeddedEngine
    encoder: QueryEncoder
    understanding: Understanding
    pipeline: SearchPipeline

    def warm_up(self) -> None:
        """Open the encoder and learn the catalogue's words, which takes seconds; searches do without until then."""
        self.understanding.refresh(at_once=True)
        self.encoder.open()

    def indexer(self) -> Indexer:
        """An indexer over this shop's store and engine; hold `indexer_lock` while using it."""
        return Indexer(self.store, self.engine, self.settings.index, self._embedder)

    def _embedder(self) -> DocumentEmbedder | None:
        encoder = self.encoder.open()
        return DocumentEmbedder(encoder, VectorStore(self.store.database, encoder.fingerprint)) if encoder else None

    def close(self) -> None:
        """Release encoder, index and store."""
        self.encoder.close()
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
    chosen = settings.encoder
    encoder = QueryEncoder(
        (lambda: _open(chosen)) if chosen.name else None, budget_ms=chosen.budget_ms, cache=chosen.cache
    )
    understanding = Understanding(engine, segmenter, settings.currency)
    pipeline = SearchPipeline(store, engine, segmenter, encoder, understanding)
    return Shop(folder, settings, store, engine, encoder, understanding, pipeline)


def _open(chosen: EncoderSettings) -> Encoder:
    options = EncoderOptions(threads=chosen.threads, max_tokens=chosen.max_tokens)
    return open_encoder(chosen.name, chosen.models_dir, options)
