"""Check `stale`: products that nobody has touched for long, and times that cannot be."""

from array import array
from bisect import insort
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.tally import Problem, Tally

DAY = 86_400.0
MIN_ROWS = 100
STALE_DAYS = 365
SOLD_OUT_DAYS = 180
_FAR = 10
_MOST = 0.2
"""Where more than this share is behind, the shop lives at that pace."""

_AHEAD = Problem(
    "warning", "a time in the future", "See that the feed writes times in UTC, and dates in one order.", 0.9
)
_ORDER = Problem("info", "updated before it was created", "See which of the two columns is which.", 0.9)
_STALE = Problem(
    "info", "not updated for long, unlike the rest", "See whether price and stock are still true, or take it out.", 0.6
)
_SOLD_OUT = Problem(
    "info", "sold out and not updated for long", "Take it out of the shop if it will not come back.", 0.6
)


class StaleCheck:
    """Compares the time of each product's last update with that of the others.

    That a price has never changed cannot be seen in one load; `lingsou.quality.drift` compares loads.

    Memory: 8 bytes for each product with a time.
    """

    id: ClassVar[str] = "stale"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "Shoppers order at prices, and from a stock, that have not been true for long."

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._examples = max(1, examples)
        self._now = datetime.now(UTC).timestamp()
        self._selling = _Oldest(self._examples)
        self._sold_out = _Oldest(self._examples)

    def observe(self, row: int, product: Product) -> None:
        """Report what is wrong by itself, and keep the time."""
        updated, created = product.updated_at, product.created_at
        for field, moment in (("updated_at", updated), ("created_at", created)):
            if moment is not None and moment.timestamp() > self._now + DAY:
                self._tally.add(_AHEAD, field, moment.isoformat(), row=row, product_id=product.id)
                return
        if updated is None:
            return
        if created is not None and updated < created:
            evidence = f"updated {updated:%Y-%m-%d}, created {created:%Y-%m-%d}"
            self._tally.add(_ORDER, "updated_at", evidence, row=row, product_id=product.id)
        group = self._sold_out if product.stock == 0 else self._selling
        group.add(updated.timestamp(), row, product.id)

    def finish(self) -> list[Finding]:
        """Compare, now that all times are known."""
        times = np.concatenate([np.frombuffer(group.times, np.float64) for group in (self._selling, self._sold_out)])
        if len(times) >= MIN_ROWS:
            latest = float(times.max())
            usual = latest - float(np.median(times))
            for group, days, problem in (
                (self._selling, STALE_DAYS, _STALE),
                (self._sold_out, SOLD_OUT_DAYS, _SOLD_OUT),
            ):
                self._judge(group, latest, max(days * DAY, _FAR * usual), problem)
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _judge(self, group: "_Oldest", latest: float, reach: float, problem: Problem) -> None:
        times = np.frombuffer(group.times, np.float64)
        behind = int((times < latest - reach).sum())
        if behind > _MOST * len(times) and group is self._selling:
            return
        uncounted = behind - min(behind, len(group.oldest))
        for time, row, product_id in group.oldest[:behind]:
            day, late = f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}", (latest - time) / DAY
            evidence = f"updated {day}, {late:,.0f} days before the latest"
            self._tally.add(problem, "updated_at", evidence, row=row, product_id=product_id, count=1 + uncounted)
            uncounted = 0


class _Oldest:
    """All times, and the products of the oldest."""

    __slots__ = ("_keep", "oldest", "times")

    def __init__(self, keep: int):
        self._keep = keep
        self.times = array("d")
        self.oldest: list[tuple[float, int, str]] = []

    def add(self, time: float, row: int, product_id: str) -> None:
        self.times.append(time)
        if len(self.oldest) < self._keep or time < self.oldest[-1][0]:
            insort(self.oldest, (time, row, product_id))
            del self.oldest[self._keep :]
