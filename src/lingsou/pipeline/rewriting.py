"""Other words for a query from a language model, where one is configured. A slow one only widens the next answer."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Protocol

import structlog

from lingsou.core import plugins
from lingsou.core.plan import Expansion
from lingsou.core.settings import LlmSettings
from lingsou.events.masking import mask
from lingsou.pipeline.chat import Chat
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter

KIND = "rewriter"
WEIGHT = 0.3
"""Of a model's words: below that of the tables, since nobody has looked at them."""
MOST = 5
_LONGEST = 60
_THREADS, _MOST_WAITING = 4, 16
_REST_S = 30.0
"""A model that failed is left alone for so long."""
_ASK = (
    "A shopper of an online shop searches for the words below. Name the same products in other words, as other "
    f"shoppers would ask for them, in Chinese and in English: at most {MOST} short phrases, one a line, nothing else."
)


class Rewriter(Protocol):
    """What a plug-in of the kind `rewriter` makes, called with the settings of the section `llm`."""

    def rewrite(self, query: str) -> Sequence[str]:
        """Other words for the same products; may be slow, and may raise."""
        ...


class ChatRewriter:
    """Asks the language model of the section `llm`."""

    def __init__(self, settings: LlmSettings):
        """Ask nothing yet.

        Raises:
            ConfigurationError: there is no address or no model.
        """
        self._chat = Chat(settings)

    def rewrite(self, query: str) -> Sequence[str]:
        """The lines of its answer; errors as those of `Chat.ask`."""
        return [line.strip(" \t-*•\"'“”0123456789.") for line in self._chat.ask(_ASK, query).splitlines()]


def rewriter_named(name: str | None, settings: LlmSettings) -> Rewriter | None:
    """The rewriter that is registered under `name`; none for no name.

    Raises:
        ConfigurationError: there is none of that name, or its settings do not do.
    """
    if not name:
        return None
    made: Rewriter = plugins.resolve(KIND, name)(settings)
    return made


class Rewriting:
    """Asks a rewriter once for each query, waits no longer than the budget, and keeps what came later for next time."""

    def __init__(self, rewriter: Rewriter, segmenter: Segmenter, *, budget_ms: int, cache: int = 5_000):
        self._rewriter = rewriter
        self._segmenter = segmenter
        self._budget = budget_ms / 1_000
        self._capacity = cache
        self._known: OrderedDict[str, tuple[Expansion, ...]] = OrderedDict()
        self._running: dict[str, Future[tuple[Expansion, ...]]] = {}
        self._rest_until = 0.0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="query-rewriter")

    def expansions(self, query: str) -> tuple[Expansion, ...]:
        """Other words for the whole query, source `llm`; none yet where the model is slow, failed or overloaded.

        A query that seems to hold personal data is not sent to anybody.
        """
        asked = normalise(query)
        with self._lock:
            if asked in self._known:
                self._known.move_to_end(asked)
                return self._known[asked]
            if not asked or time.monotonic() < self._rest_until or mask(query) != query:
                return ()
            future = self._running.get(asked)
            if future is None:
                if len(self._running) >= _MOST_WAITING:
                    return ()
                future = self._running[asked] = self._pool.submit(self._asked, asked)
        try:
            return future.result(self._budget)
        except FutureTimeout:
            return ()

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _asked(self, query: str) -> tuple[Expansion, ...]:
        found: tuple[Expansion, ...] | None = None
        try:
            said = (words for words in self._rewriter.rewrite(query) if len(words) <= _LONGEST)
            own = " ".join(self._segmenter.terms(query))
            terms = dict.fromkeys(" ".join(self._segmenter.terms(words)) for words in said)
            names = [term for term in terms if term not in ("", own)]
            found = tuple(Expansion(term=term, weight=WEIGHT, source="llm") for term in names[:MOST])
        except Exception as error:  # noqa: BLE001 (whatever a model raises, the words still find)
            log = structlog.get_logger("lingsou.rewriter")
            log.error("asking for other words failed", error=type(error).__name__)
        with self._lock:
            del self._running[query]
            if found is None:
                self._rest_until = time.monotonic() + _REST_S
                return ()
            self._known[query] = found
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return found
