"""The one indexer of a data folder: tails the store's change log and writes the index."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog
from filelock import FileLock, Timeout

from lingsou.core.errors import LingsouError, LockedError
from lingsou.core.settings import DataFolder, IndexSettings
from lingsou.core.types import Change
from lingsou.retrieval.engine import SearchEngine

Progress = Callable[[int, int], None]
"""Called with (changes indexed so far, changes known to be waiting at the start)."""

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
    """Brings an engine up to the store. Whoever runs it holds `indexer_lock`."""

    def __init__(self, log: ChangeLog, engine: SearchEngine, settings: IndexSettings):
        self._log = log
        self._engine = engine
        self._settings = settings

    def catch_up(self, progress: Progress | None = None) -> int:
        """Index everything that is waiting; returns the number of changes. Stops and resumes at any batch."""
        self._engine.refresh()
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

    def follow(self, stop: threading.Event) -> None:
        """Index changes as they come until `stop` is set. Errors are logged and tried again with growing pauses."""
        log = structlog.get_logger("lingsou.indexer")
        pause = interval = self._settings.poll_ms / 1_000
        while not stop.is_set():
            try:
                self.catch_up()
                pause = interval
            except (LingsouError, OSError) as error:
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                log.error("indexing failed", error=str(error), retry_in_s=pause)
            stop.wait(pause)
