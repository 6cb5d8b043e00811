"""Will this shopper buy in this session, and is this its last event: chances, from what the session has been so far.

Logistic regression on sums over the session: its chances are calibrated by what it maximises, it is fitted in seconds
by NumPy alone, and each weight can be read. A chance is that of the moment right after an event.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.models.logistic import Linear, fit_logistic, softmax
from lingsou.recommend.interactions import KINDS, Interactions

Floats = NDArray[np.float64]

FEATURES = (
    "events",
    "distinct items",
    "returns to an item",
    "seconds so far",
    "seconds since the event before",
    *(f"{kind} events" for kind in KINDS),
    *(f"last event is a {kind}" for kind in KINDS),
    "last event is on an item of before",
)
_BOUGHT = KINDS.index("purchase")
_LEAST = 50
"""Sessions that must have bought, and as many that must not, before a chance of buying is told."""


@dataclass(frozen=True)
class Chances:
    """For U running sessions."""

    buys: Floats
    """[U] that a purchase is still to come; NaN where too few sessions had one to learn from."""
    leaves: Floats
    """[U] that nothing more is to come."""


@dataclass(frozen=True)
class _Fitted:
    mean: Floats
    deviation: Floats
    linear: Linear

    def chances(self, features: Floats) -> Floats:
        return np.asarray(softmax(self.linear.logits((features - self.mean) / self.deviation))[:, 1])


class Behaviour:
    """What sessions came to; learnt from complete ones."""

    def __init__(self) -> None:
        self._buys: _Fitted | None = None
        self._leaves: _Fitted | None = None

    def fit(self, sessions: Interactions) -> None:
        """Learn from complete sessions, a row each (`sessions_of`), at each of their events.

        Raises:
            InputError: there is no session.
        """
        if not len(sessions.items):
            raise InputError("There is no session to learn from.", cure="Collect events first.")
        table = features(sessions)
        self._leaves = _fitted(table, sessions.ages == 0)
        bought = sessions.kinds == _BOUGHT
        per_session = np.bincount(sessions.users, bought, minlength=len(sessions)) > 0
        enough = min(int(per_session.sum()), int((~per_session).sum())) >= _LEAST
        self._buys = _fitted(table, _later(bought, sessions)) if enough else None

    def chances(self, running: Interactions) -> Chances:
        """Of running sessions, a row each; NaN for those without an event.

        Raises:
            InputError: nothing was learnt.
        """
        if self._leaves is None:
            raise InputError("Nothing is known of sessions.", cure="Fit on complete sessions first.")
        some = np.flatnonzero(running.lengths > 0)
        last = features(running)[running.starts[some + 1] - 1]
        buys, leaves = np.full(len(running), np.nan), np.full(len(running), np.nan)
        leaves[some] = self._leaves.chances(last)
        if self._buys is not None:
            buys[some] = self._buys.chances(last)
        return Chances(buys, leaves)


def features(sessions: Interactions) -> Floats:
    """What each session was after each of its events: [N, len(FEATURES)], in the order of `FEATURES`."""
    place = np.arange(len(sessions.items)) - np.repeat(sessions.starts[:-1], sessions.lengths)
    owners = sessions.users
    first = np.zeros(len(owners), np.bool_)
    first[np.unique(owners * sessions.n_items + sessions.items, return_index=True)[1]] = True
    begun = np.repeat(
        sessions.times[sessions.starts[:-1][sessions.lengths > 0]], sessions.lengths[sessions.lengths > 0]
    )
    since = np.diff(sessions.times, prepend=sessions.times[:1]) * (place > 0)
    distinct = _so_far(first, sessions)
    kinds = sessions.kinds[:, None] == np.arange(len(KINDS))
    columns = [
        np.log1p(place + 1),
        np.log1p(distinct),
        np.log1p(place + 1 - distinct),
        np.log1p((sessions.times - begun) / 1_000),
        np.log1p(since / 1_000),
        *(np.log1p(_so_far(kinds[:, kind], sessions)) for kind in range(len(KINDS))),
        *(kinds[:, kind] for kind in range(len(KINDS))),
        ~first,
    ]
    return np.stack(columns, axis=1).astype(np.float64) if len(owners) else np.zeros((0, len(FEATURES)))


def _so_far(flags: NDArray[np.bool_], sessions: Interactions) -> NDArray[np.int64]:
    """How many of the flags [N] are set in the session up to each event, [N]."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(flags)])
    return np.asarray(total[1:] - np.repeat(total[sessions.starts[:-1]], sessions.lengths))


def _later(flags: NDArray[np.bool_], sessions: Interactions) -> NDArray[np.bool_]:
    """Whether one of the flags [N] is set in the session after each event, [N]."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(flags)])
    return np.asarray(np.repeat(total[sessions.starts[1:]], sessions.lengths) > total[1:])


def _fitted(table: Floats, happened: NDArray[np.bool_]) -> _Fitted:
    mean, deviation = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-9)
    linear = fit_logistic((table - mean) / deviation, happened.astype(np.int64), 2, l2=1.0)
    return _Fitted(mean, deviation, linear)
