"""Suggestions for one shop: an index that follows the catalogue and the search log."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from lingsou.core.suggest import SuggestResponse
from lingsou.core.types import Change, Product
from lingsou.retrieval.engine import SearchEngine
from lingsou.retrieval.suggest import ProductTitle, SuggestBuilder, SuggestIndex
from lingsou.text.segment import Segmenter

_CHANGES_AT_A_TIME = 1_000
_REBUILD_SHARE = 20
"""After building, rest for so many times as long: a busy large shop spends a twentieth on it."""
_LOG_AGE_S = 600.0
"""How long searches, and changes of sales, may wait to be seen here."""


class ChangeLog(Protocol):
    """What tells which products changed: the store."""

    def changes(self, after: int, limit: int) -> list[Change]:
        """At most `limit` changes later than sequence `after`, in order."""
        ...


class Suggestions:
    """Completes what shoppers type, from the shop as it was at the last `refresh`. Safe to share between threads.

    Args:
        store: whose products' titles are followed.
        engine: whose brands and categories are suggested.
        segmenter: cuts titles into words.
        popular: what is searched most, with how often.
        recent: what a shopper, by id, searched last.
    """

    def __init__(
        self,
        store: ChangeLog,
        engine: SearchEngine,
        segmenter: Segmenter,
        popular: Callable[[], Sequence[tuple[str, int]]] = tuple,
        recent: Callable[[str], Sequence[str]] = lambda user_id: (),
    ):
        self._store = store
        self._engine = engine
        self._builder = SuggestBuilder(segmenter)
        self._popular = popular
        self._recent = recent
        self._titles: dict[int, ProductTitle] = {}
        self._read = 0
        self._changed = False
        self._index: SuggestIndex | None = None
        self._sequence = -1
        self._rest_until = 0.0
        self._built = 0.0
        self._building = threading.Lock()

    @property
    def index(self) -> SuggestIndex | None:
        """What suggestions come from now; none before the first `refresh`."""
        return self._index

    def refresh(self, *, at_once: bool = False) -> bool:
        """Build anew if the catalogue changed or the log grew old, unless that was done just now; whether it did.

        Raises:
            StorageError: the store cannot be read.
        """
        start = time.monotonic()
        aged = start - self._built > _LOG_AGE_S
        if (self._engine.sequence == self._sequence and not aged) or (start < self._rest_until and not at_once):
            return False
        with self._building:
            sequence = self._engine.sequence
            changed, self._changed = self._follow(sequence) or self._changed, False
            if changed or aged or self._index is None:
                values = self._engine.contents().values
                self._index = self._builder.build(
                    self._titles.values(),
                    values.get("brand", {}),
                    values.get("category", {}),
                    (pair for name in values if name.startswith("attributes.") for pair in values[name].items()),
                    self._popular(),
                )
                self._built = time.monotonic()
            self._sequence = sequence
            end = time.monotonic()
            self._rest_until = end + _REBUILD_SHARE * (end - start)
        return changed or aged

    def titles(self) -> list[str]:
        """The titles of the products that the engine has now.

        Raises:
            StorageError: the store cannot be read.
        """
        with self._building:
            self._changed = self._follow(self._engine.sequence) or self._changed
            return [product.title for product in self._titles.values()]

    def suggest(self, q: str, limit: int, user_id: str | None = None) -> SuggestResponse:
        """At most `limit` completions of `q`, grouped; the shopper's own searches first if `user_id` says whose.

        Raises:
            StorageError: the shopper's searches cannot be read.
        """
        start, index = time.perf_counter(), self._index
        recent = self._recent(user_id) if user_id else ()
        groups = index.suggest(q, limit, recent) if index else ()
        return SuggestResponse.model_construct(
            q=q, groups=groups, took_ms=round((time.perf_counter() - start) * 1_000, 3)
        )

    def _follow(self, sequence: int) -> bool:
        """Take up what changed in the store, as far as the engine has it too.

        Returns:
            Whether any of it was more than a price, stock, rating or sales.
        """
        before, changed = self._read, False
        while self._read < sequence and (batch := self._store.changes(self._read, _CHANGES_AT_A_TIME)):
            for change in batch:
                if change.sequence > sequence:
                    return changed
                if change.product is None:
                    self._titles.pop(change.number, None)
                else:
                    self._titles[change.number] = _title_of(change.product)
                changed = changed or change.product is None or change.content_sequence > before
                self._read = change.sequence
        return changed


def _title_of(product: Product) -> ProductTitle:
    return ProductTitle(
        product.id,
        product.title,
        sys.intern(product.brand),
        sys.intern(" > ".join(product.category)),
        product.group_id,
        product.sales or 0,
    )
