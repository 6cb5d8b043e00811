"""Aggregates that follow the log while the service runs."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lingsou.core.types import Context
from lingsou.events.arrivals import BATCH, Follower
from lingsou.events.behaviour import Behaviour
from lingsou.features.aggregates import Aggregates
from lingsou.features.events_view import EventView, Trail
from lingsou.features.trails import Lookup

DAYS = 90
"""How far back a starting process reads: three times the longest mean life."""

_FIT_S = 3_600.0
_CHECK_S = 60.0
_LIVE_BATCH = 200
_PAUSE_S = 0.002  # between batches, so that requests get at the aggregates


class LiveEvents:
    """What the log tells now. `refresh` is called by one thread, about every second; `view` by any.

    Until the log has been read once, there is no view. When events were deleted from the log, as when a shopper is
    erased, everything is forgotten and read again within about a minute.
    """

    def __init__(self, behaviour: Behaviour, lookup: Lookup):
        self._behaviour = behaviour
        self._lookup = lookup
        self._aggregates: Aggregates | None = None
        self._refreshing = threading.Lock()
        self._held = 0
        self._checked = self._fitted = time.monotonic()
        self._restart()

    def refresh(self) -> bool:
        """Take up what is new in the log; whether anything was.

        Raises:
            StorageError: the log cannot be read.
        """
        with self._refreshing:
            now = time.monotonic()
            if self._aggregates is not None and now - self._checked > _CHECK_S:
                self._checked, before = now, self._held
                if (held := self._follower.held()) < before:
                    self._restart()  # the view of before serves on until the new one is complete
                else:
                    self._held = held
            found = False
            # Requests wait while a batch is added, but not for the one that is only being read in.
            while arrivals := self._follower.take(_LIVE_BATCH if self._aggregates is self._next else BATCH):
                found = True
                self._held += len(arrivals.events)  # else new events would make up for erased ones
                self._next.add(arrivals.events, arrivals.texts)
                time.sleep(_PAUSE_S)
            if self._aggregates is not self._next or now - self._fitted > _FIT_S:
                self._fitted = now
                self._next.fit_examination()
            if self._aggregates is not self._next:
                self._aggregates, self._held = self._next, self._follower.held()
            return found

    def view(self, ids: Sequence[str], query: str, context: Context, moment: datetime) -> EventView | None:
        """The log for the candidates of one request; without consent, without the shopper. None: not read yet."""
        aggregates = self._aggregates
        if aggregates is None:
            return None
        pseudonym = self._behaviour.privacy.pseudonym
        user = context.user_id if context.personalise else None
        session = context.session_id if context.personalise else None
        return aggregates.view(
            ids,
            query,
            moment,
            user_id=pseudonym(user) if user else None,
            session_id=pseudonym(session) if session else None,
        )

    def trail(self, context: Context, moment: datetime) -> Trail | None:
        """The shopper's latest actions before a moment; none without consent, or where none are known."""
        view = self.view((), "", context, moment)
        return view.trail if view else None

    def _restart(self) -> None:
        since = datetime.now(UTC) - timedelta(days=DAYS)
        self._follower = Follower(self._behaviour.database, since)
        self._next = Aggregates(self._lookup)
