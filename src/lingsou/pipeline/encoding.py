"""The query's vector within its time budget: a slow, broken or missing encoder never holds a request up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core.errors import LingsouError
from lingsou.encoders.cache import QueryVectorCache
from lingsou.encoders.calibration import group_of
from lingsou.encoders.encoder import Encoder
from lingsou.retrieval.engine import QueryVector

_THREADS = 2
_MOST_WAITING = 8


@dataclass(frozen=True)
class Encoded:
    """A query's vector, or why there is none."""

    vector: QueryVector | None
    fallback: str | None = None


class QueryEncoder:
    """Encodes queries in threads of its own and gives up waiting after the budget.

    A vector that comes too late is cached all the same: the same query asked again has it. `load` opens the encoder;
    until it is open, or when it cannot be, every answer says why there is no vector.
    """

    def __init__(self, load: Callable[[], Encoder] | None, *, budget_ms: int, cache: int):
        self._load = load
        self._budget = budget_ms / 1_000
        self._capacity = cache
        self._cache: QueryVectorCache | None = None
        self._reason = "the encoder is loading" if load else None
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="query-encoder")
        self._free = threading.BoundedSemaphore(_MOST_WAITING)
        self._lock = threading.Lock()

    @property
    def encoder(self) -> Encoder | None:
        """The opened encoder."""
        return self._cache.encoder if self._cache else None

    def open(self) -> Encoder | None:
        """Open the encoder now; none where there is none, and searches go on by words alone."""
        with self._lock:
            if self._load is None or self._cache is not None:
                return self.encoder
            try:
                self._cache = QueryVectorCache(self._load(), self._capacity)
                self._reason = None
            except LingsouError as error:
                self._reason = f"no encoder: {error}"
                structlog.get_logger("lingsou.encoder").warning("searching by words alone", reason=str(error))
        return self.encoder

    def open_in_background(self) -> None:
        """Open the encoder in a thread; searches are answered by words until then."""
        threading.Thread(target=self.open, name="encoder-loader", daemon=True).start()

    def encode(self, text: str) -> Encoded:
        """The query's vector within the budget."""
        cache = self._cache
        if cache is None or not text.strip():
            return Encoded(None, self._reason if text.strip() else None)
        known = cache.peek(text)
        if known is not None:
            return Encoded(QueryVector(known, group_of(text), cache.encoder.fingerprint))
        if not self._free.acquire(blocking=False):
            return Encoded(None, "the encoder is overloaded")
        future: Future[NDArray[np.float32]] = self._pool.submit(lambda: cache.encode([text])[0])
        future.add_done_callback(lambda _: self._free.release())
        try:
            return Encoded(QueryVector(future.result(self._budget), group_of(text), cache.encoder.fingerprint))
        except FutureTimeout:
            return Encoded(None, f"the encoder took longer than {self._budget * 1_000:g} ms")
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the words still find)
            structlog.get_logger("lingsou.encoder").error("encoding a query failed", error=type(error).__name__)
            return Encoded(None, f"the encoder failed: {type(error).__name__}")

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
