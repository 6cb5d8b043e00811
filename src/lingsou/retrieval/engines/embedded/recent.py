"""The match sets of the latest queries over one state of the index: pages, filters and facets of the same words."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded.relevance import Relevance

_BYTES_A_ROW = 22
"""Of one match set, where every row matches: two masks, three scores of four bytes, and the row's number of eight."""

_MOST = 256


class RecentMatches:
    """Keeps what fits into some memory, the latest first. Safe to share between threads.

    Args:
        megabytes: 0 keeps nothing.
        rows: of the state.
    """

    def __init__(self, megabytes: int = 0, rows: int = 0):
        self._most = min(_MOST, megabytes * 2**20 // (_BYTES_A_ROW * max(rows, 1)))
        self._kept: OrderedDict[Hashable, Relevance | None] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, query: EngineQuery, match: Callable[[], Relevance | None]) -> Relevance | None:
        """What words, meaning and expansions of the query match: known, or matched now."""
        if not self._most:
            return match()
        vector = query.vector and (query.vector.values.tobytes(), query.vector.group, query.vector.encoder)
        key = query.text, vector, query.expansions
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = match()
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found
