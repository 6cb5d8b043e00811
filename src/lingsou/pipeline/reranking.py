"""The reranker in production within its time budget: one that is slow, broken or loading never holds a search up."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core import plugins
from lingsou.core.errors import LingsouError
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import RankingSettings
from lingsou.core.types import Product
from lingsou.ranking.reranker import KIND, Reranker, RerankerFactory, document_text

Floats = NDArray[np.float64]
_THREADS = 2
_MOST_WAITING = 8
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class TextScores:
    """Scores of products' texts [n] by the model `version`, or why there are none; and the time it took."""

    scores: Floats | None
    version: str = ""
    ms: float = 0.0
    fallback: str | None = None


class Reranking:
    """Follows the production of a model store. Safe to share between threads.

    Models are opened by `warm_up`, or by `refresh` in a thread of its own; the one before serves meanwhile. Scoring
    runs in two threads of its own, so that even a model that never returns costs a search no more than the budget.
    """

    def __init__(self, folder: Path | None, settings: RankingSettings):
        on = folder is not None and settings.enabled and settings.rerank_depth > 0
        self._store = ModelStore(folder) if folder is not None and on else None
        self._kind = settings.reranker
        self._budget = settings.rerank_budget_ms / 1_000
        self._wanted: tuple[str | None, str | None] = None, None
        """The version in production, and what hinders to know it."""
        self._model: Reranker | None = None
        self._reason: str | None = None
        self._changing = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="reranker")
        self._free = threading.BoundedSemaphore(_MOST_WAITING)

    @property
    def model(self) -> Reranker | None:
        """The model that reads products now."""
        return self._model

    @property
    def reason(self) -> str | None:
        """Why there is no model, although one is in production."""
        return None if self._model else self._reason

    def refresh(self) -> None:
        """Begin to open what is in production, if it is another version than before."""
        self._follow(wait=False)

    def warm_up(self) -> None:
        """Open what is in production now."""
        self._follow(wait=True)

    def score(self, query: str, products: Sequence[Product]) -> TextScores | None:
        """Scores of the products within the budget; none where no reranker is in production."""
        model, start = self._model, time.perf_counter()
        if model is None:
            return TextScores(None, fallback=reason) if (reason := self._reason) else None
        scores, fallback = self._within_budget(model, query, products, start + self._budget)
        return TextScores(scores, model.version, (time.perf_counter() - start) * 1_000, fallback)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _within_budget(
        self, model: Reranker, query: str, products: Sequence[Product], deadline: float
    ) -> tuple[Floats | None, str | None]:
        if not self._free.acquire(blocking=False):
            return None, "the reranker is overloaded"
        late = f"the reranker took longer than {self._budget * 1_000:g} ms"
        future: Future[Floats | None] | None = None
        try:
            texts = [document_text(product) for product in products]
            future = self._pool.submit(model.score, query, texts, deadline)
            future.add_done_callback(lambda _: self._free.release())
            found = future.result(max(0.0, deadline - time.perf_counter()))
            if found is None:
                return None, late
            found = np.asarray(found, np.float64)
            if found.shape == (len(texts),) and (np.abs(found) <= _LARGEST).all():
                return found, None
            reason = "its scores are no numbers"
        except FutureTimeout:
            if future is not None:
                future.cancel()
            return None, late
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the ranker's order stands)
            reason = type(error).__name__
        if future is None:
            self._free.release()
        _log().error("reranking failed", reason=reason, version=model.version)
        return None, f"the reranker failed: {reason}"

    def _follow(self, *, wait: bool) -> None:
        if self._store is None:
            return
        with self._changing:
            version, problem = None, None
            try:
                version = self._store.alias("production")
            except LingsouError as error:
                problem = f"no reranker: {error}"
            if (version, problem) == self._wanted:
                return
            self._wanted = version, problem
            if problem:
                _log().error("results are not reranked", reason=problem)
            if version is None:
                self._model, self._reason = None, problem
                return
            self._reason = "the reranker is loading"
        if wait:
            self._open(self._store, version)
        else:
            threading.Thread(
                target=self._open, args=(self._store, version), name="reranker-loader", daemon=True
            ).start()

    def _open(self, store: ModelStore, version: str) -> None:
        model, reason = None, None
        try:
            factory: RerankerFactory = plugins.resolve(KIND, self._kind)
            store.verify(version)
            model = factory(store.path(version))
        except Exception as error:  # noqa: BLE001 (whatever a plug-in raises, searches go on without it)
            reason = f"no reranker: {error}"
            _log().error("results are not reranked", reason=str(error))
        with self._changing:
            if self._wanted[0] == version:  # and no other has come into production meanwhile
                self._model, self._reason = model, reason


def _log() -> Any:
    return structlog.get_logger("lingsou.reranker")
