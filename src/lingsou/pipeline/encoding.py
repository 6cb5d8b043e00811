"""The query's vector within its time budget: a slow, broken or missing encoder never holds a request up."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

import structlog

from lingsou.core.errors import LingsouError
from lingsou.encoders.cache import QueryVectorCache
from lingsou.encoders.calibration import group_of
from lingsou.encoders.encoder import Encoder, HeadOutputs
from lingsou.retrieval.engine import QueryVector

_THREADS = 2
_MOST_WAITING = 8


@dataclass(frozen=True)
class Encoded:
    """A query's vector, or why there is none; and what the encoder's heads said in the same pass."""

    vector: QueryVector | None
    fallback: str | None = None
    outputs: HeadOutputs | None = None


class QueryEncoder:
    """Encodes queries in threads of its own and gives up waiting after the budget.

    A vector that comes too late is cached all the same: the same query asked again has it. `load` opens the encoder;
    until it is open, or when it cannot be, every answer says why there is no vector. `opened` is told of it then.
    """

    def __init__(
        self,
        load: Callable[[], Encoder] | None,
        *,
        budget_ms: int,
        cache: int,
        opened: Callable[[Encoder], None] | None = None,
    ):
        self._load = load
        self._opened = opened
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
                if self._opened is not None:  # searches have the vectors meanwhile
                    self._opened(self._cache.encoder)
            except LingsouError as error:
                reason = f"no encoder: {error}"
                if reason != self._reason:  # an indexer asks again several times a second
                    structlog.get_logger("lingsou.encoder").warning("searching by words alone", reason=str(error))
                self._reason = reason
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
            return _encoded(text, known, cache.encoder)
        if not self._free.acquire(blocking=False):
            return Encoded(None, "the encoder is overloaded")
        future: Future[HeadOutputs] = self._pool.submit(lambda: cache.read([text])[0])
        future.add_done_callback(lambda _: self._free.release())
        try:
            return _encoded(text, future.result(self._budget), cache.encoder)
        except FutureTimeout:
            return Encoded(None, f"the encoder took longer than {self._budget * 1_000:g} ms")
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the words still find)
            structlog.get_logger("lingsou.encoder").error("encoding a query failed", error=type(error).__name__)
            return Encoded(None, f"the encoder failed: {type(error).__name__}")

    def encode_all(self, texts: Sequence[str]) -> list[Encoded]:
        """Of many at once, in the caller's own thread and without a budget: for those who wait for all of them."""
        cache = self._cache
        asked = [text for text in texts if text.strip()]
        if cache is None or not asked:
            return [self.encode(text) for text in texts]
        try:
            found = dict(zip(asked, cache.read(asked), strict=True))
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the words still find)
            structlog.get_logger("lingsou.encoder").error("encoding queries failed", error=type(error).__name__)
            return [Encoded(None, f"the encoder failed: {type(error).__name__}") for _ in texts]
        return [_encoded(text, found[text], cache.encoder) if text in found else Encoded(None) for text in texts]

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _encoded(text: str, outputs: HeadOutputs, encoder: Encoder) -> Encoded:
    return Encoded(QueryVector(outputs.sentence, group_of(text), encoder.fingerprint), outputs=outputs)
