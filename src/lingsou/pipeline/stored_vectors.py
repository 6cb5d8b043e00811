"""What the vectors of a catalogue are like on the whole, from those that the store has; nothing is encoded here."""

from collections.abc import Iterable, Iterator

import numpy as np

from lingsou.catalog.vectors import VectorStore, encoders_of
from lingsou.core.database import Database
from lingsou.core.types import Product
from lingsou.quality.drift import Vectors, VectorSum
from lingsou.retrieval.embedding import document_text

_AT_ONCE = 1_000
_NEARLY_ALL = 0.9


class StoredVectors:
    """Sums up the stored vectors of products as they stream by.

    Args:
        database: of the store.
        preferred: fingerprint of the encoder to compare with. It is left only where another one has clearly more.
    """

    def __init__(self, database: Database, preferred: str = ""):
        self._database, self._preferred = database, preferred
        self._encoder = ""
        self._sum = VectorSum()
        self._waiting: list[str] = []

    def watch(self, rows: Iterable[tuple[int, Product]]) -> Iterator[tuple[int, Product]]:
        """The same rows; their vectors have been summed up when the last one is out."""
        for row, product in rows:
            self._waiting.append(document_text(product))
            if len(self._waiting) >= _AT_ONCE:
                self._take()
            yield row, product
        self._take()

    def profile(self) -> Vectors | None:
        """None: no product has a vector."""
        return self._sum.profile(self._encoder)

    def _take(self) -> None:
        texts, self._waiting = self._waiting, []
        self._encoder = self._encoder or self._chosen(texts)
        if not self._encoder:
            return
        known = VectorStore(self._database, self._encoder).get(texts)
        if known:
            self._sum.add(np.stack([known[text] for text in texts if text in known]))

    def _chosen(self, texts: list[str]) -> str:
        counts = encoders_of(self._database, texts)
        if not counts:
            return ""
        most = max(counts.values())
        if counts[self._preferred] >= _NEARLY_ALL * most:
            return self._preferred
        return min(encoder for encoder, count in counts.items() if count == most)
