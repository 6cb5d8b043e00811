"""Bounded cache of query vectors: shoppers ask the same things again and again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.encoder import Encoder, Vectors


@dataclass(frozen=True)
class CacheStatistics:
    """Counters since the cache was made."""

    hits: int
    misses: int
    size: int
    capacity: int


class QueryVectorCache:
    """The least recently used query vectors of one encoder. Safe to share between threads.

    A vector of 384 floats takes about 1.7 kB with its entry, so 10,000 of them 17 MB. Two threads that miss
    the same query at once both encode it, and get equal vectors.
    """

    def __init__(self, encoder: Encoder, capacity: int = 10_000):
        if capacity < 0:
            raise ConfigurationError("The capacity of the query cache is negative.", cure="Use 0 to switch it off.")
        self.encoder = encoder
        self.capacity = capacity
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = 0
        self._misses = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors `[n, dimension]` of `texts` as `Encoder.encode_queries` gives them."""
        found: dict[str, NDArray[np.float32]] = {}
        with self._lock:
            for text in texts:
                vector = self._kept.get(text)
                if vector is None:
                    self._misses += 1
                else:
                    self._hits += 1
                    self._kept.move_to_end(text)
                    found[text] = vector
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            fresh = self.encoder.encode_queries(missing)
            found.update(zip(missing, fresh, strict=True))
            self._keep(missing, fresh)
        return np.stack([found[text] for text in texts]) if texts else self.encoder.encode_queries([])

    def peek(self, text: str) -> NDArray[np.float32] | None:
        """The vector of `text` if it is kept; a hit is counted, a miss is left to `encode`."""
        with self._lock:
            vector = self._kept.get(text)
            if vector is not None:
                self._hits += 1
                self._kept.move_to_end(text)
            return vector

    def statistics(self) -> CacheStatistics:
        """The counters, read together."""
        with self._lock:
            return CacheStatistics(self._hits, self._misses, len(self._kept), self.capacity)

    def clear(self) -> None:
        """Forget every vector; the counters go on."""
        with self._lock:
            self._kept.clear()

    def _keep(self, texts: list[str], vectors: Vectors) -> None:
        with self._lock:
            for text, vector in zip(texts, vectors, strict=True):
                # A copy, so that one kept row does not hold a whole batch in memory.
                self._kept[text] = vector.copy()
                self._kept.move_to_end(text)
            while len(self._kept) > self.capacity:
                self._kept.popitem(last=False)
