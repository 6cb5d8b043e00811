"""The search log: every search over HTTP, made private, without holding up or failing the search."""

import atexit
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, desc, func, insert, not_, or_, select

from lingsou.core.database import Database
from lingsou.core.errors import LingsouError
from lingsou.core.types import SearchRequest, SearchResponse
from lingsou.events.masking import PLACEHOLDERS, mask
from lingsou.events.privacy import Privacy
from lingsou.events.tables import searches
from lingsou.text.language import detect
from lingsou.text.normalise import normalise

CAPACITY = 20_000
"""Searches that may wait to be written; about ten megabytes."""

BATCH = 500
PAUSE_S = 0.5
"""A search is in the log at most about this much later."""

LEAST_VISITORS = 3
"""What fewer people typed may be about one of them, and is never shown to another."""

_VISITOR = func.coalesce(searches.c.session_id, searches.c.user_id, searches.c.query_id)


@dataclass(frozen=True)
class _Search:
    """One search as it was asked, in memory only."""

    request: SearchRequest
    query_id: str
    total: int
    took_ms: float
    relaxed: bool
    time: float


class SearchLog:
    """Writes in batches in a thread of its own. Reads see what is written."""

    def __init__(self, database: Database, privacy: Privacy, capacity: int = CAPACITY):
        self._database = database
        self._privacy = privacy
        self._queue: queue.Queue[_Search] = queue.Queue(capacity)
        self._wake, self._stop, self._idle = threading.Event(), threading.Event(), threading.Lock()
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()
        self.on_drop: Callable[[int], None] = lambda count: None
        """Called with the number of searches that were lost, because the queue was full or the database refused."""

    def record(self, request: SearchRequest, response: SearchResponse) -> None:
        """Log one search. Returns at once and never raises; when too many wait, this one is dropped and counted."""
        search = _Search(
            request, response.query_id, response.total, response.took_ms, bool(response.notices), time.time()
        )
        try:
            self._queue.put_nowait(search)
        except queue.Full:
            self.on_drop(1)
        if self._writer is None:
            self._start()

    def flush(self) -> None:
        """Wait until all that was recorded is written or given up."""
        while not self._queue.empty():
            self._write_waiting()
        with self._idle:
            pass

    def close(self) -> None:
        """Write what waits, and stop."""
        self._stop.set()
        self._wake.set()
        if self._writer is not None:
            self._writer.join(timeout=10)
        self.flush()
        atexit.unregister(self.close)

    def popular(self, days: int, limit: int, least_visitors: int = LEAST_VISITORS) -> list[tuple[str, int]]:
        """The texts most searched in the last days that found something, with the number of visitors, most first."""
        visitors = func.count(_VISITOR.distinct())
        chosen = (
            select(searches.c.text, visitors)
            .where(searches.c.time >= milliseconds_ago(days), *_SHOWABLE, searches.c.total > 0)
            .group_by(searches.c.text)
            .having(visitors >= least_visitors)
            .order_by(desc(visitors), searches.c.text)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(text, count) for text, count in connection.execute(chosen)]

    def asked(self, days: float, limit: int) -> list[tuple[str, str, str, int]]:
        """(Query id, text, visitor, time in milliseconds) of the latest searches' first pages, in order of time."""
        visitor = func.coalesce(searches.c.session_id, searches.c.user_id, "")
        chosen = (
            select(searches.c.query_id, searches.c.text, visitor, searches.c.time)
            .where(searches.c.time >= milliseconds_ago(days), *_SHOWABLE)
            .order_by(desc(searches.c.number))
            .limit(limit)
        )
        with self._database.read() as connection:
            found = [(query, text, who, time) for query, text, who, time in connection.execute(chosen)]
        return found[::-1]

    def recent(self, user_id: str, limit: int) -> list[str]:
        """What this shopper searched last, newest first, each text once."""
        newest = func.max(searches.c.time)
        chosen = (
            select(searches.c.text)
            .where(searches.c.user_id == self._privacy.pseudonym(user_id), *_SHOWABLE)
            .group_by(searches.c.text)
            .order_by(desc(newest), searches.c.text)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(chosen).scalars())

    def expire(self, before: datetime) -> int:
        """Delete the searches that were asked earlier; how many."""
        with self._database.write() as connection:
            moment = round(before.timestamp() * 1_000)
            return connection.execute(delete(searches).where(searches.c.time < moment)).rowcount

    def _start(self) -> None:
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._work, name="search-log", daemon=True)
                self._writer.start()
                atexit.register(self.close)  # also where nobody closes: what was recorded is to be kept

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(PAUSE_S)
            self._write_waiting()

    def _write_waiting(self) -> None:
        with self._idle:
            while batch := self._taken():
                try:
                    with self._database.write() as connection:
                        connection.execute(insert(searches), [self._row(search) for search in batch])
                except LingsouError as error:
                    self.on_drop(len(batch))
                    structlog.get_logger("lingsou.searches").error("the search log was not written", error=str(error))
                except Exception as error:  # noqa: BLE001 (whatever it is, searching goes on)
                    self.on_drop(len(batch))
                    structlog.get_logger("lingsou.searches").exception("the search log failed", exc_info=error)

    def _taken(self) -> list[_Search]:
        batch: list[_Search] = []
        while len(batch) < BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _row(self, search: _Search) -> dict[str, Any]:
        request, context = search.request, search.request.context
        user = context.user_id if context.personalise else None  # no consent, no history
        return {
            "query_id": search.query_id,
            "time": round(search.time * 1_000),
            "text": normalise(mask(request.q.replace("\0", " "))),
            "language": detect(request.q),
            "total": search.total,
            "took_ms": search.took_ms,
            "page": request.page,
            "filters": " ".join(field_names(request.filters)).replace("\0", ""),
            "relaxed": search.relaxed,
            "user_id": self._privacy.pseudonym(user) if user else None,
            "session_id": self._privacy.pseudonym(context.session_id) if context.session_id else None,
            "device": mask(context.device.replace("\0", "")) if context.device else None,
            "locale": context.locale.replace("\0", "") if context.locale else None,
        }


_SHOWABLE: Sequence[Any] = (
    searches.c.text != "",
    searches.c.page == 1,
    not_(or_(*(searches.c.text.contains(each, autoescape=True) for each in PLACEHOLDERS))),
)


def field_names(filters: Any) -> list[str]:
    """The fields that a filter names, sorted, without its values."""
    found: set[str] = set()
    for key, value in filters.items() if hasattr(filters, "items") else ():
        if key in {"any", "not"}:
            parts = value if isinstance(value, list | tuple) else (value,)
            found.update(*(field_names(part) for part in parts))
        else:
            found.add(key)
    return sorted(found)


def milliseconds_ago(days: float) -> int:
    """The moment so many days ago, in milliseconds since 1970."""
    return round((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1_000)
