"""Bounded cache of query vectors, and of what heads say: shoppers ask the same things again and again."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.encoder import Encoder, HeadedEncoder, HeadOutputs, Vectors

_NOWHERE = np.zeros((0, 2), np.int32)


@dataclass(frozen=True)
class CacheStatistics:
    """Counters since the cache was made."""

    hits: int
    misses: int
    size: int
    capacity: int


def read_heads(encoder: Encoder, texts: Sequence[str]) -> list[HeadOutputs]:
    """Vector and heads of queries, one forward pass each; an encoder without heads says nothing but its vector."""
    if isinstance(encoder, HeadedEncoder) and encoder.heads:
        return encoder.encode_heads(texts)
    # A copy, so that one kept row does not hold a whole batch in memory.
    return [HeadOutputs({}, _NOWHERE, vector.copy()) for vector in encoder.encode_queries(texts)]


class QueryVectorCache:
    """The least recently used query vectors of one encoder. Safe to share between threads.

    A vector of 384 floats takes about 1.7 kB with its entry, so 10,000 of them 17 MB. Two threads that miss
    the same query at once both encode it, and get equal vectors. What heads say comes from the same forward pass; the
    tags of a query add about as much as its vector.
    """

    def __init__(self, encoder: Encoder, capacity: int = 10_000):
        if capacity < 0:
            raise ConfigurationError("The capacity of the query cache is negative.", cure="Use 0 to switch it off.")
        self.encoder = encoder
        self.capacity = capacity
        self._kept: OrderedDict[str, HeadOutputs] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = 0
        self._misses = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors `[n, dimension]` of `texts` as `Encoder.encode_queries` gives them."""
        return np.stack([each.sentence for each in self.read(texts)]) if texts else self.encoder.encode_queries([])

    def read(self, texts: Sequence[str]) -> list[HeadOutputs]:
        """Vector and heads of each text; an encoder without heads says nothing but its vector."""
        found: dict[str, HeadOutputs] = {}
        with self._lock:
            for text in texts:
                known = self._kept.get(text)
                if known is None:
                    self._misses += 1
                else:
                    self._hits += 1
                    self._kept.move_to_end(text)
                    found[text] = known
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            fresh = read_heads(self.encoder, missing)
            found.update(zip(missing, fresh, strict=True))
            self._keep(missing, fresh)
        return [found[text] for text in texts]

    def peek(self, text: str) -> HeadOutputs | None:
        """What is kept of `text`, if anything; a hit is counted, a miss is left to `encode` and `read`."""
        with self._lock:
            known = self._kept.get(text)
            if known is not None:
                self._hits += 1
                self._kept.move_to_end(text)
            return known

    def statistics(self) -> CacheStatistics:
        """The counters, read together."""
        with self._lock:
            return CacheStatistics(self._hits, self._misses, len(self._kept), self.capacity)

    def clear(self) -> None:
        """Forget every vector; the counters go on."""
        with self._lock:
            self._kept.clear()

    def _keep(self, texts: list[str], read: list[HeadOutputs]) -> None:
        with self._lock:
            for text, each in zip(texts, read, strict=True):
                self._kept[text] = each
                self._kept.move_to_end(text)
            while len(self._kept) > self.capacity:
                self._kept.popitem(last=False)
