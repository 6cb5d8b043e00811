"""What mining reads of the log: who asked what, and which products it led to."""

from datetime import UTC, datetime, timedelta

import numpy as np

from lingsou.events.behaviour import Behaviour
from lingsou.events.bots import behaves_like_a_bot
from lingsou.events.log import Selection
from lingsou.training.expansions.searches import Asked

MOST_SEARCHES = 1_000_000
_LED = frozenset({"click", "cart", "purchase"})


def read_searches(behaviour: Behaviour, days: float) -> tuple[Asked, list[tuple[str, str, str]]]:
    """The searches of the last days, at most a million, and (query id, product id, visitor) of what they led to.

    Robots are left out.

    Raises:
        StorageError: the log cannot be read.
    """
    behaviour.searches.flush()
    rows = behaviour.searches.asked(days, MOST_SEARCHES)
    columns = behaviour.events.read(Selection(since=datetime.now(UTC) - timedelta(days=days)))
    columns = columns.where(~columns.bot & ~behaves_like_a_bot(columns))
    clicks = [
        (query_id, product, visitor)
        for action, query_id, product, visitor in zip(
            columns.action, columns.query_id, columns.object_id, columns.visitor, strict=True
        )
        if action in _LED and query_id is not None and product is not None
    ]
    asked = Asked(
        [query_id for query_id, _, _, _ in rows],
        [text for _, text, _, _ in rows],
        [visitor for _, _, visitor, _ in rows],
        np.array([time for _, _, _, time in rows], np.int64),
    )
    return asked, clicks
