"""Analytics: what shoppers search for, with charts, tables, CSV, and the way from a bad query to a rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lingsou.console.ops import charts
from lingsou.console.ops.desk import desk_of, labels_of, show
from lingsou.core.database import Database
from lingsou.events import analytics as reports
from lingsou.events.analytics import DayLatency, DayVolume
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.supply import Unmet, unmet

router = APIRouter(prefix="/analytics", include_in_schema=False)
WINDOWS = (1, 7, 30, 90)
LANGUAGES = ("zh", "en", "mixed")
_SHORT, _LONG, _CSV = 10, 200, 100_000
_SUPPLY = 50
"""Queries that are asked again to find the cause: about a second."""

Report = Callable[..., Sequence[Any]]
TABLES: Mapping[str, Report] = {
    "zero": reports.zero,
    "low-click": reports.low_click,
    "rising": reports.rising,
    "top": reports.top,
}
SUPPLY = "supply"
"""Asks the shop itself besides the log, so it has a page of its own alone."""
REPORTS: Mapping[str, Report] = {**TABLES, "volume": reports.volume, "latency": reports.latency}


@dataclass(frozen=True)
class Window:
    """Which searches are looked at."""

    days: int = 30
    language: str = ""

    @classmethod
    def of(cls, request: Request) -> "Window":
        """From the address; what makes no sense in it is left out."""
        days, language = request.query_params.get("days", ""), request.query_params.get("language", "")
        return cls(next((each for each in WINDOWS if str(each) == days), 30), language if language in LANGUAGES else "")

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return f"days={self.days}" + (f"&language={self.language}" if self.language else "")

    def all_days(self) -> list[str]:
        """The days (UTC) that it touches, oldest first."""
        today = datetime.now(UTC).date()
        return [str(today - timedelta(days=each)) for each in range(self.days, -1, -1)]

    def rows(self, name: str, database: Database, limit: int) -> Sequence[Any]:
        """The rows of a report."""
        return REPORTS[name](database, days=self.days, limit=limit, language=self.language or None)


@router.get("")
def dashboard(request: Request) -> Response:
    """Everything at one look."""
    window, database = Window.of(request), _database(request)
    volume, latency = (window.rows(name, database, 366) for name in ("volume", "latency"))
    days, text = window.all_days(), labels_of(request).text
    return show(
        request,
        "analytics.html",
        window=window,
        windows=WINDOWS,
        languages_searched=LANGUAGES,
        tables={name: window.rows(name, database, _SHORT) for name in TABLES},
        volume=volume,
        latency=latency,
        volume_chart=volume_chart(days, volume, text),
        latency_chart=latency_chart(days, latency, text),
        totals=totals(volume),
    )


@router.get("/{name}.csv")
def as_csv(request: Request, name: str) -> Response:
    """One report as a file for spreadsheets."""
    if name not in REPORTS and name != SUPPLY:
        raise HTTPException(404)
    window = Window.of(request)
    rows = _unmet(request, window) if name == SUPPLY else window.rows(name, _database(request), _CSV)
    content = reports.to_csv(rows)
    file = f"lingsou-{name}-{window.days}d{f'-{window.language}' if window.language else ''}.csv"
    # The mark at the start tells spreadsheets that it is UTF-8.
    return Response(
        "\ufeff" + content,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"},
    )


@router.get("/{name}")
def report(request: Request, name: str) -> Response:
    """One table in full."""
    if name not in TABLES and name != SUPPLY:
        raise HTTPException(404)
    window = Window.of(request)
    rows = _unmet(request, window) if name == SUPPLY else window.rows(name, _database(request), _LONG)
    return show(
        request,
        "report.html",
        window=window,
        windows=WINDOWS,
        languages_searched=LANGUAGES,
        name=name,
        rows=rows,
        most=_SUPPLY if name == SUPPLY else _LONG,
    )


@dataclass(frozen=True)
class Totals:
    """A window in three numbers."""

    searches: int
    zero_share: float
    click_share: float


def totals(volume: Sequence[DayVolume]) -> Totals:
    """Added up over the days."""
    searches = sum(day.searches for day in volume)
    count = max(searches, 1)
    return Totals(searches, sum(day.zero for day in volume) / count, sum(day.clicked for day in volume) / count)


def volume_chart(days: Sequence[str], volume: Sequence[DayVolume], text: Any) -> charts.Chart:
    """Searches of each day, those without results on top."""
    by_day = {day.day: day for day in volume}
    zero = [by_day[day].zero if day in by_day else 0 for day in days]
    found = [by_day[day].searches - by_day[day].zero if day in by_day else 0 for day in days]
    return charts.stacked_bars(days, [("found", text("found"), found), ("zero", text("without_results"), zero)])


def latency_chart(days: Sequence[str], latency: Sequence[DayLatency], text: Any) -> charts.Chart:
    """Percentiles of the days that have any."""
    held = {day.day: day for day in latency}
    names = [day for day in days if day in held]
    parts = [(each, each, [getattr(held[day], f"{each}_ms") for day in names]) for each in ("p50", "p95", "p99")]
    return charts.lines(names, parts, " ms")


def _unmet(request: Request, window: Window) -> list[Unmet]:
    shop = desk_of(request).shop
    search = PlannedSearch(shop.engine, shop.understanding, shop.encoder.encoder)
    database, language = _database(request), window.language or None
    return unmet(search, database, days=window.days, limit=_SUPPLY, language=language)


def _database(request: Request) -> Database:
    return desk_of(request).shop.behaviour.database
