"""What one serving process holds: the shop, its telemetry, and the thread that keeps the index fresh."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from fastapi import Request

from lingsou.core.errors import LingsouError
from lingsou.core.types import Context, ShopperProfile
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.quality.gate import Gate
from lingsou.quality.profile import load_profile
from lingsou.serving.telemetry import Telemetry

PARENT_VARIABLE = "LINGSOU_SUPERVISOR_PID"
SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter from the others. A request lets go of it at every call into a library, and
waits for it afterwards: beside a thread of plain Python, such as one that learns the catalogue, a search took 0.9 s at
Python's default of 5 ms and takes 0.12 s so. Two busy requests lose up to a tenth of their throughput (measured)."""

_LAG_INTERVAL_S = 5.0
_EXPIRE_INTERVAL_S = 3_600.0
_WATCH_INTERVAL_S = 0.5
"""Between two looks at the event log: what a shopper does is to move the next answer within a second."""


@dataclass
class Worker:
    """State of one process; `stop` ends its refresher."""

    shop: Shop
    telemetry: Telemetry
    gate: Callable[[], Gate]
    """Makes the gate that the products of one request pass."""
    stop: threading.Event = field(default_factory=threading.Event)
    _asked_for_events: bool = False

    def start(self) -> None:
        """Begin to follow the index, and open the encoder beside."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.shop.encoder.open_in_background()
        threading.Thread(target=self._follow, name="index-refresher", daemon=True).start()
        # Apart from the refresher: learning a large catalogue's words must not hold new products up.
        threading.Thread(target=self._learn, name="catalogue-learner", daemon=True).start()
        threading.Thread(target=self._expire, name="events-expirer", daemon=True).start()
        threading.Thread(target=self._watch, name="events-follower", daemon=True).start()

    def close(self) -> None:
        """Stop following and release the shop."""
        self.stop.set()
        self.shop.close()

    def _learn(self) -> None:
        while not self.stop.is_set():
            try:
                self.shop.understanding.refresh()
                self.shop.understanding.learn(self.shop.encoder.encoder)
                self.shop.suggestions.refresh()
            except LingsouError as error:
                if not self.stop.is_set():
                    structlog.get_logger("lingsou.learner").error("learning the catalogue failed", error=str(error))
            self.stop.wait(1.0)

    def profile(self, shopper_id: str, session_id: str | None = None, *, personalise: bool = True) -> ShopperProfile:
        """What is known under the id of a user or a session. Where no model follows the log, the first call reads it.

        Raises:
            StorageError: log or store cannot be read.
        """
        if not self._follows_events():
            self._asked_for_events = True
            self.shop.live_events.refresh()
        context = Context(user_id=shopper_id, session_id=session_id or shopper_id, personalise=personalise)
        return self.shop.recommendations.shopper(context).model_copy(update={"session_id": session_id})

    def _follows_events(self) -> bool:
        return bool(self._asked_for_events or self.shop.ranking.version or self.shop.recommendations.version)

    def _watch(self) -> None:
        while not self.stop.wait(_WATCH_INTERVAL_S):
            try:
                if self._follows_events():
                    self.shop.live_events.refresh()
            except LingsouError as error:
                if not self.stop.is_set():
                    structlog.get_logger("lingsou.events").error("events were not followed", error=str(error))

    def _expire(self) -> None:
        while not self.stop.wait(_EXPIRE_INTERVAL_S):
            try:
                self.shop.behaviour.expire(self.shop.settings.events.keep_days)
            except LingsouError as error:
                structlog.get_logger("lingsou.events").error("old events were not deleted", error=str(error))

    def _follow(self) -> None:
        log = structlog.get_logger("lingsou.refresher")
        interval = self.shop.settings.index.poll_ms / 1_000
        supervisor = os.environ.get(PARENT_VARIABLE)
        measured = 0.0
        while not self.stop.wait(interval):
            if supervisor and os.getppid() != int(supervisor):
                # The supervisor was killed: a worker without one would hold the port for ever.
                os.kill(os.getpid(), signal.SIGTERM)
                return
            try:
                self.shop.engine.refresh()
                self.shop.rules.refresh()
                self.shop.ranking.refresh()
                self.shop.recommendations.refresh()
                self.shop.quality.refresh()
                if time.monotonic() - measured > _LAG_INTERVAL_S:
                    measured = time.monotonic()
                    self.telemetry.observe_index(self.shop.engine.size, self.lag())
            except (LingsouError, OSError) as error:
                if not self.stop.is_set():
                    log.error("refreshing the index failed", error=str(error))

    def lag(self) -> int:
        """Changes in the store that searches here do not show yet."""
        return self.shop.store.pending(self.shop.engine.sequence)


def open_worker(root: Path | str) -> Worker:
    """A worker over an initialised data folder, not yet started."""
    shop = open_shop(root)
    try:
        gate = Gate.of_requests(load_profile(shop.settings.quality.profile, shop.folder.root))
    except BaseException:
        shop.close()
        raise
    worker = Worker(shop, Telemetry(), gate)
    worker.shop.behaviour.searches.on_drop = worker.telemetry.count_dropped_searches
    return worker


def worker_of(request: Request) -> Worker:
    """The worker that serves this request."""
    worker: Worker = request.app.state.worker
    return worker
