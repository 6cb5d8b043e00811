"""Will this session buy, is it over: learnt from complete sessions, and measured on later ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.evaluation.label_metrics import auc, calibration_error, log_loss
from lingsou.recommend.behaviour import Behaviour, outcomes
from lingsou.recommend.interactions import Interactions
from lingsou.recommend.session_learning import by_end
from lingsou.recommend.sessions import PAUSE_MS, sessions_of

MOST, LEAST = 50_000, 100
"""Sessions that are learnt from, the latest; with fewer nothing is."""
_MEASURED = 0.2


def train_behaviour(log: Interactions) -> tuple[Behaviour, dict[str, Any]]:
    """What sessions come to, and how well it is told of the latest fifth of them by what the others taught.

    The report has, for `will_buy` and `will_leave`, right after each event of the sessions measured: `auc`, `log_loss`
    and `base_log_loss` (of the rate of the sessions before) in nats, `calibration_error` (expected, ten bins), `rate`
    (how often it came true) and `events`. NaN is never among it: what cannot be measured is left out.

    Args:
        log: of all shoppers, every event.
    """
    sessions = by_end(sessions_of(log))
    ends = sessions.times[sessions.starts[1:] - 1]
    # A session that may go on has not come to anything yet.
    over = np.flatnonzero(ends < log.times.max(initial=0) - PAUSE_MS)
    sessions = sessions.of(over[-MOST:])
    behaviour, report = Behaviour(), dict[str, Any](sessions=len(sessions))
    if len(sessions) < LEAST:
        return behaviour, report
    cut = int(len(sessions) * (1 - _MEASURED))
    earlier, later = sessions.block(0, cut), sessions.block(cut, len(sessions))
    behaviour.fit(earlier)
    told, came, before = behaviour.along(later), outcomes(later), outcomes(earlier)
    report |= _measured("will_buy", came.buys, told.buys, float(before.buys.mean()))
    report |= _measured("will_leave", came.leaves, told.leaves, float(before.leaves.mean()))
    behaviour.fit(sessions)
    return behaviour, report


def _measured(
    name: str, came: NDArray[np.bool_], told: NDArray[np.float64], base: float
) -> dict[str, dict[str, float | int]]:
    if np.isnan(told).any() or came.all() or not came.any():
        return {}
    values = {
        "auc": auc(came, told),
        "log_loss": log_loss(came, told),
        "base_log_loss": log_loss(came, np.full(len(came), base)),
        "calibration_error": calibration_error(came, told),
        "rate": float(came.mean()),
    }
    return {name: {key: round(value, 5) for key, value in values.items()} | {"events": len(came)}}
