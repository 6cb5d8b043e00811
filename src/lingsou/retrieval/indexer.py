"""The one indexer of a data folder: tails the store's change log, writes the index, and adds vectors as it can."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import structlog
from filelock import FileLock, Timeout

from lingsou.core.errors import LingsouError, LockedError
from lingsou.core.settings import DataFolder, IndexSettings
from lingsou.core.types import Change, Product
from lingsou.retrieval.embedding import DocumentEmbedder, groups
from lingsou.retrieval.engine import SearchEngine

Progress = Callable[[int, int], None]
"""Called with (done so far, known to be waiting at the start)."""

EMBED_AT_ONCE = 128
CENTRING_SAMPLE = 2_000
"""Products that the means are taken from. Means of fewer are taken anew whenever the catalogue has doubled."""
_LONGEST_PAUSE_S = 30.0


class ChangeLog(Protocol):
    """What the indexer needs of a store."""

    def changes(self, after: int, limit: int) -> list[Change]:
        """The next changes, ascending by sequence."""
        ...

    def sequence(self) -> int:
        """The last committed sequence number."""
        ...

    def pending(self, after: int) -> int:
        """How many changes lie after a sequence number."""
        ...

    def get(self, ids: Sequence[str]) -> dict[str, Product]:
        """Products by id."""
        ...


@contextmanager
def indexer_lock(folder: DataFolder) -> Iterator[None]:
    """Hold the folder's indexer lock. A killed holder's lock is free at once.

    Raises:
        LockedError: another process indexes this folder.
    """
    lock = FileLock(folder.indexer_lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LockedError(
            f"Another process is indexing '{folder.root}'.", cure="Let it: it picks up every change by itself."
        ) from error
    try:
        yield
    finally:
        lock.release()


class Indexer:
    """Brings an engine up to the store. Whoever runs it holds `indexer_lock`.

    Words are searchable at once; vectors follow at the encoder's speed. Both stop and resume at any batch.
    """

    def __init__(
        self,
        log: ChangeLog,
        engine: SearchEngine,
        settings: IndexSettings,
        embedder: Callable[[], DocumentEmbedder | None] = lambda: None,
    ):
        self._log = log
        self._engine = engine
        self._settings = settings
        self._embedder = embedder
        self.encoder_seconds = 0.0
        """What `embed` has spent in the encoder so far, of its own time."""

    def catch_up(self, progress: Progress | None = None) -> int:
        """Index every change that is waiting; returns their number."""
        self._engine.refresh(to_write=True)
        if self._engine.sequence > self._log.sequence():
            # The store went back in time: a backup was restored under an index of its future.
            self._engine.clear()
        waiting = self._log.pending(self._engine.sequence) if progress else 0
        done = 0
        while changes := self._log.changes(self._engine.sequence, self._settings.batch):
            self._engine.apply(changes)
            done += len(changes)
            if progress:
                progress(done, max(waiting, done))
        if done:
            self._engine.compact()
        return done

    def embed(self, progress: Progress | None = None, stop: threading.Event | None = None) -> int:
        """Add every vector that is missing, until `stop` is set; returns how many were added."""
        embedder = self._embedder()
        if embedder is None:
            return 0
        done, waiting, spent = 0, self._engine.count_without_vectors(), embedder.seconds
        while not (stop and stop.is_set()):
            self._fit_if_needed(embedder)
            wanted = self._engine.without_vectors(EMBED_AT_ONCE)
            if not wanted:
                break
            found = self._log.get([id_ for _, _, id_ in wanted])
            # A product that is gone by now has a deletion on its way to the index.
            kept = [(number, version, found[id_]) for number, version, id_ in wanted if id_ in found]
            if not kept:
                break
            products = [product for _, _, product in kept]
            vectors = embedder.vectors(products)
            self._engine.add_vectors([n for n, _, _ in kept], [v for _, v, _ in kept], vectors, groups(products))
            self._engine.compact()
            done += len(kept)
            if progress:
                progress(done, max(waiting, done))
        self.encoder_seconds += embedder.seconds - spent
        return done

    def _fit_if_needed(self, embedder: DocumentEmbedder) -> None:
        size, fitted = self._engine.size, self._engine.centred_on
        centring = self._engine.centring
        stale = centring is None or centring.encoder != embedder.fingerprint
        if size and (stale or (fitted < CENTRING_SAMPLE and size >= 2 * fitted)):
            sample = list(self._log.get(self._engine.spread(CENTRING_SAMPLE)).values())
            if sample:
                self._engine.set_centring(embedder.fit(sample), len(sample))

    def follow(self, stop: threading.Event) -> None:
        """Index changes as they come until `stop` is set, vectors beside them in a thread of their own.

        Errors are logged and tried again with growing pauses.
        """
        embedding = threading.Thread(target=self._repeat, args=(lambda: self.embed(stop=stop), stop), daemon=True)
        embedding.start()
        self._repeat(self.catch_up, stop)
        embedding.join(timeout=_LONGEST_PAUSE_S)

    def _repeat(self, task: Callable[[], int], stop: threading.Event) -> None:
        log = structlog.get_logger("lingsou.indexer")
        pause = interval = self._settings.poll_ms / 1_000
        while not stop.is_set():
            try:
                task()
                pause = interval
            except (LingsouError, OSError) as error:
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                log.error("indexing failed", error=str(error), retry_in_s=pause)
            stop.wait(pause)
