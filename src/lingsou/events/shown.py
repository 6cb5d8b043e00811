"""What logged searches showed, and what became of it: searches joined with impressions and clicks."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from lingsou.events.behaviour import Behaviour
from lingsou.events.joins import journeys
from lingsou.events.log import Selection
from lingsou.events.masking import PLACEHOLDERS
from lingsou.events.searches import milliseconds_ago
from lingsou.events.tables import searches


@dataclass(frozen=True)
class ShownProduct:
    """A product that a search showed or that was clicked in its results."""

    query_id: str
    id: str
    place: int
    """From 1."""
    clicked: bool


def asked(behaviour: Behaviour, days: float) -> dict[str, str]:
    """Query id → text of the last days' plain searches: first pages, with words, without filters or masked text."""
    plain = (searches.c.page == 1, searches.c.filters == "", searches.c.text != "")
    chosen = select(searches.c.query_id, searches.c.text).where(searches.c.time >= milliseconds_ago(days), *plain)
    with behaviour.database.read() as connection:
        rows = connection.execute(chosen.order_by(searches.c.number)).all()
    return {query_id: text for query_id, text in rows if not any(each in text for each in PLACEHOLDERS)}


def frequency(behaviour: Behaviour, days: float) -> Counter[str]:
    """How often each text was searched."""
    return Counter(asked(behaviour, days).values())


def shown(behaviour: Behaviour, days: float) -> list[ShownProduct]:
    """Every product whose place in the results of a search is known. Robots are left out."""
    since = datetime.now(UTC) - timedelta(days=days)
    found = journeys(behaviour.events.read(Selection(since=since, actions=("impression", "click"))))
    columns = (found.query_id, found.object_id, found.ordinal, found.clicks)
    return [
        ShownProduct(query_id, id_, int(place), bool(clicks))
        for query_id, id_, place, clicks in zip(*columns, strict=True)
        if place > 0
    ]
