"""What is encoded when a catalogue changes, and how the time in the encoder is told."""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import ProductPatch
from lingsou.encoders.encoder import Progress, Vectors
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import CENTRING_SAMPLE, Indexer
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.testing.encoder import HashEncoder
from lingsou.text.segment import Segmenter

NAP_S = 0.05


class SlowEncoder(HashEncoder):
    """Takes its time over documents."""

    def encode_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        time.sleep(NAP_S)
        return super().encode_documents(texts, progress)


def indexer_of(store: Store, folder: Path, encoder: HashEncoder) -> Indexer:
    engine = EmbeddedEngine(folder / "index", store.identity(), Segmenter(), SearchSettings())
    embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
    return Indexer(store, engine, IndexSettings(), lambda: embedder)


def test_a_price_encodes_nothing_and_a_title_one_text(tmp_path: Path) -> None:
    encoder = HashEncoder()
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        indexer = indexer_of(store, tmp_path, encoder)

        def encoded_by(change: object) -> int:
            before = encoder.encoded
            indexer.catch_up()
            indexer.embed()
            return encoder.encoded - before

        assert encoded_by(store.upsert(tiny_catalogue())) >= len(tiny_catalogue())
        assert encoded_by(store.patch([ProductPatch(id="t1", price=Decimal("12.50"))])) == 0
        product = store.get(["t1"])["t1"]
        assert encoded_by(store.upsert([product.model_copy(update={"price": Decimal(13)})])) == 0
        assert encoded_by(store.upsert([product.model_copy(update={"title": "Another title"})])) == 1
        assert encoded_by(store.upsert([product])) == 0, "its first title was encoded before"


def test_the_time_in_the_encoder_is_kept_apart(tmp_path: Path) -> None:
    """Once for the products, once for each language's phrases: three naps, and little beside them."""
    assert len(tiny_catalogue()) < CENTRING_SAMPLE
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        indexer = indexer_of(store, tmp_path, SlowEncoder())
        store.upsert(tiny_catalogue())
        indexer.catch_up()
        assert indexer.encoder_seconds == 0
        start = time.perf_counter()
        indexer.embed()
        assert 3 * NAP_S <= indexer.encoder_seconds <= time.perf_counter() - start
        spent = indexer.encoder_seconds
        indexer.embed()
        assert indexer.encoder_seconds == pytest.approx(spent), "nothing was left to encode"
