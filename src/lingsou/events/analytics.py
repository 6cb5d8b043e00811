"""What shoppers search for, and what becomes of it.

Every function takes the last `days` up to now; with `language`, as `text.language` names it, only queries in it.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from typing import Any

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy import Integer, cast, desc, func, select

from lingsou.core.database import Database
from lingsou.core.types import Frozen
from lingsou.events.searches import milliseconds_ago
from lingsou.events.tables import events, searches

RISING_Z = 3.0
"""Standard deviations of a rise that counts; about one false one in a thousand texts."""

RISING_LEAST = 5
LOW_CLICK_LEAST = 10
"""Searches of a text below which nothing is said about its clicks."""

_DAY_MS = 86_400_000
_VISITOR = func.coalesce(searches.c.session_id, searches.c.user_id, searches.c.query_id)


class TopQuery(Frozen):
    """A text, and how often it was searched."""

    text: str
    searches: int
    visitors: int = Field(description="distinct sessions, else shoppers")
    mean_total: float = Field(description="results found, on average")


class RisingQuery(Frozen):
    """A text that is searched more than in the window before, by more than chance."""

    text: str
    searches: int
    before: int = Field(description="searches in the window of equal length before")
    growth: float = Field(description="share of all searches now, by that before; one added to both counts")
    z: float = Field(description="signed root of the log-likelihood ratio: about standard deviations")


class ZeroQuery(Frozen):
    """A text that found nothing, or only after a limit in its words was dropped."""

    text: str
    searches: int
    zero: int = Field(description="of these, without any result")
    relaxed: int = Field(description="of these, only with a limit dropped")


class LowClickQuery(Frozen):
    """A text that finds products on which few click."""

    text: str
    searches: int
    clicked: int = Field(description="searches with at least one click")
    rate: float
    low: float = Field(description="95 % Wilson interval of the rate")
    high: float


class DayVolume(Frozen):
    """How much was searched on one day (UTC)."""

    day: str
    searches: int = Field(description="with words, first pages alone")
    zero: int = Field(description="of these, without any result")
    clicked: int = Field(description="of these, with at least one click")
    visitors: int


class DayLatency(Frozen):
    """How long the searches of one day (UTC) took, in milliseconds."""

    day: str
    searches: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def top(database: Database, *, days: float = 30, limit: int = 100, language: str | None = None) -> list[TopQuery]:
    """The most searched texts."""
    count = func.count()
    chosen = (
        select(searches.c.text, count, func.count(_VISITOR.distinct()), func.avg(searches.c.total))
        .where(*_first_pages(days, language))
        .group_by(searches.c.text)
        .order_by(desc(count), searches.c.text)
        .limit(limit)
    )
    with database.read() as connection:
        rows = connection.execute(chosen).all()
    return [TopQuery(text=a, searches=b, visitors=c, mean_total=round(float(d), 1)) for a, b, c, d in rows]


def rising(database: Database, *, days: float = 7, limit: int = 100, language: str | None = None) -> list[RisingQuery]:
    """The texts that rose most surely against the window of equal length before."""
    now, before = _counts(database, days, 0, language), _counts(database, 2 * days, days, language)
    all_now, all_before = sum(now.values()), sum(before.values())
    found = []
    for text, count in now.items():
        z = _rise(count, all_now, before[text], all_before)
        if count >= RISING_LEAST and z >= RISING_Z:
            growth = (count + 1) / (all_now + 1) / ((before[text] + 1) / (all_before + 1))
            found.append(
                RisingQuery(text=text, searches=count, before=before[text], growth=round(growth, 2), z=round(z, 2))
            )
    return sorted(found, key=lambda each: (-each.z, each.text))[:limit]


def zero(database: Database, *, days: float = 30, limit: int = 100, language: str | None = None) -> list[ZeroQuery]:
    """The texts that most often found nothing as they were typed."""
    none = func.sum(cast(searches.c.total == 0, Integer))
    relaxed = func.sum(cast(searches.c.relaxed & (searches.c.total > 0), Integer))
    chosen = (
        select(searches.c.text, func.count(), none, relaxed)
        .where(*_first_pages(days, language))
        .group_by(searches.c.text)
        .having(none + relaxed > 0)
        .order_by(desc(none), desc(relaxed), searches.c.text)
        .limit(limit)
    )
    with database.read() as connection:
        rows = connection.execute(chosen).all()
    return [ZeroQuery(text=a, searches=b, zero=c, relaxed=d) for a, b, c, d in rows]


def low_click(
    database: Database, *, days: float = 30, limit: int = 100, language: str | None = None
) -> list[LowClickQuery]:
    """The texts with results whose click rate is most surely low: by the upper end of its interval.

    A search counts as clicked when a click event that is not a robot's names its query.
    """
    clicks = _clicks()
    clicked = func.count(clicks.c.query_id)
    chosen = (
        select(searches.c.text, func.count(), clicked)
        .outerjoin(clicks, clicks.c.query_id == searches.c.query_id)
        .where(*_first_pages(days, language), searches.c.total > 0)
        .group_by(searches.c.text)
        .having(func.count() >= LOW_CLICK_LEAST)
    )
    with database.read() as connection:
        rows = connection.execute(chosen).all()
    found = []
    for text, count, hits in rows:
        low, high = wilson(hits, count)
        found.append(LowClickQuery(text=text, searches=count, clicked=hits, rate=hits / count, low=low, high=high))
    return sorted(found, key=lambda each: (each.high, -each.searches, each.text))[:limit]


def volume(database: Database, *, days: float = 30, limit: int = 366, language: str | None = None) -> list[DayVolume]:
    """Searches, those without results and those with clicks of each day, newest first; empty days are missing."""
    day = (searches.c.time // _DAY_MS).label("day")
    none = func.sum(cast(searches.c.total == 0, Integer))
    clicks = _clicks()
    chosen = (
        select(day, func.count(), none, func.count(clicks.c.query_id), func.count(_VISITOR.distinct()))
        .outerjoin(clicks, clicks.c.query_id == searches.c.query_id)
        .where(*_first_pages(days, language))
        .group_by("day")
        .order_by(desc("day"))
        .limit(limit)
    )
    with database.read() as connection:
        rows = connection.execute(chosen).all()
    return [
        DayVolume(day=str(np.datetime64(a, "D")), searches=b, zero=c, clicked=d, visitors=e) for a, b, c, d, e in rows
    ]


def latency(database: Database, *, days: float = 30, limit: int = 366, language: str | None = None) -> list[DayLatency]:
    """Percentiles of each day, newest first; all pages count."""
    chosen = select(searches.c.time, searches.c.took_ms).where(*_in_window(days, language))
    with database.read() as connection:
        rows = connection.execute(chosen).all()
    if not rows:
        return []
    day = np.array([row[0] for row in rows], np.int64) // _DAY_MS
    took = np.array([row[1] for row in rows])
    found = []
    for each in np.unique(day)[::-1][:limit]:
        own = took[day == each]
        p50, p95, p99 = (round(float(value), 3) for value in np.percentile(own, (50, 95, 99)))
        shown = str(np.datetime64(int(each), "D"))
        found.append(DayLatency(day=shown, searches=len(own), p50_ms=p50, p95_ms=p95, p99_ms=p99))
    return found


def wilson(successes: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a rate (Wilson 1927)."""
    if count == 0:
        return 0.0, 1.0
    rate, square = successes / count, z * z
    middle = (rate + square / (2 * count)) / (1 + square / count)
    half = z * sqrt(rate * (1 - rate) / count + square / (4 * count * count)) / (1 + square / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def to_csv(rows: Sequence[BaseModel]) -> str:
    """The rows with a line of names; a text that a spreadsheet would run as a formula gets an apostrophe."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(type(rows[0]).model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _tame(value) for name, value in row.model_dump().items()} for row in rows)
    return out.getvalue()


def _tame(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _first_pages(days: float, language: str | None) -> tuple[Any, ...]:
    return *_in_window(days, language), searches.c.text != "", searches.c.page == 1


def _clicks() -> Any:
    """The queries that were clicked on, not by robots."""
    return select(events.c.query_id).where(events.c.action == "click", events.c.bot.is_(False)).distinct().subquery()


def _in_window(days: float, language: str | None) -> tuple[Any, ...]:
    since = searches.c.time >= milliseconds_ago(days)
    return (since, searches.c.language == language) if language else (since,)


def _counts(database: Database, since_days: float, until_days: float, language: str | None) -> Counter[str]:
    chosen = (
        select(searches.c.text, func.count(_VISITOR.distinct()))
        .where(*_first_pages(since_days, language), searches.c.time < milliseconds_ago(until_days))
        .group_by(searches.c.text)
    )
    with database.read() as connection:
        return Counter({text: count for text, count in connection.execute(chosen).all()})  # noqa: C416 (rows are no pairs)


def _rise(now: int, all_now: int, before: int, all_before: int) -> float:
    """Signed root of Dunning's log-likelihood ratio (1993) of two shares."""
    if not all_now or not all_before:
        return 0.0
    share = (now + before) / (all_now + all_before)
    ratio = sum(
        2 * count * log(count / (total * share)) for count, total in ((now, all_now), (before, all_before)) if count
    )
    rest = sum(
        2 * (total - count) * log((total - count) / (total * (1 - share)))
        for count, total in ((now, all_now), (before, all_before))
        if total > count and share < 1
    )
    return sqrt(max(0.0, ratio + rest)) * (1 if now / all_now > before / all_before else -1)
