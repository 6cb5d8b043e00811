"""Will this shopper buy in this session, and is this its last event: chances, from what the session has been so far.

Logistic regression on sums over the session: its chances are calibrated by what it maximises, it is fitted in seconds
by NumPy alone, and each weight can be read. A chance is that of the moment right after an event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.models.logistic import fit_logistic
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
    weights: Floats
    """[len(FEATURES)]"""
    bias: float

    def chances(self, table: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-(table @ self.weights + self.bias))))

    def state(self) -> dict[str, Any]:
        return {"bias": self.bias, "weights": dict(zip(FEATURES, self.weights.tolist(), strict=True))}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "_Fitted":
        return cls(np.array([state["weights"][name] for name in FEATURES], np.float64), float(state["bias"]))


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
        table, came = features(sessions), outcomes(sessions)
        self._leaves = _fitted(table, came.leaves)
        bought = np.bincount(sessions.users, sessions.kinds == _BOUGHT, minlength=len(sessions)) > 0
        enough = min(int(bought.sum()), int((~bought).sum())) >= _LEAST
        self._buys = _fitted(table, came.buys) if enough else None

    def chances(self, running: Interactions) -> Chances:
        """Of running sessions, a row each; NaN for those without an event.

        Raises:
            InputError: nothing was learnt.
        """
        some = np.flatnonzero(running.lengths > 0)
        last = self._chances(features(running)[running.starts[some + 1] - 1])
        found = Chances(np.full(len(running), np.nan), np.full(len(running), np.nan))
        found.buys[some], found.leaves[some] = last.buys, last.leaves
        return found

    def along(self, sessions: Interactions) -> Chances:
        """As they were right after each event, [N] each.

        Raises:
            InputError: nothing was learnt.
        """
        return self._chances(features(sessions))

    def state(self) -> dict[str, Any]:
        """What was learnt, as plain values: a weight for each feature."""
        parts = {"buys": self._buys, "leaves": self._leaves}
        return {name: None if part is None else part.state() for name, part in parts.items()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Behaviour":
        """What `state` gave.

        Raises:
            KeyError: a feature has no weight.
        """
        found = cls()
        found._buys, found._leaves = (
            None if state[name] is None else _Fitted.of(state[name]) for name in ("buys", "leaves")
        )
        return found

    @property
    def known(self) -> bool:
        """Whether anything was learnt."""
        return self._leaves is not None

    def _chances(self, table: Floats) -> Chances:
        if self._leaves is None:
            raise InputError("Nothing is known of sessions.", cure="Fit on complete sessions first.")
        nothing = np.full(len(table), np.nan)
        return Chances(nothing if self._buys is None else self._buys.chances(table), self._leaves.chances(table))


@dataclass(frozen=True)
class Outcomes:
    """What came after each event of complete sessions."""

    buys: NDArray[np.bool_]
    """[N]: a purchase, later in the session."""
    leaves: NDArray[np.bool_]
    """[N]: nothing."""


def outcomes(sessions: Interactions) -> Outcomes:
    """Of complete sessions, a row each."""
    return Outcomes(_later(sessions.kinds == _BOUGHT, sessions), sessions.ages == 0)


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
    mean, deviation = table.mean(axis=0), table.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    linear = fit_logistic((table - mean) / scale, happened.astype(np.int64), 2, l2=1.0)
    weights = (linear.weight[1] - linear.weight[0]) / scale
    return _Fitted(weights, float(linear.bias[1] - linear.bias[0] - mean @ weights))
