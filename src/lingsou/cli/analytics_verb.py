"""`lingsou analytics`: what shoppers search for, from the search log."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.settings import load_settings
from lingsou.events import analytics as reports
from lingsou.events.behaviour import open_behaviour
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import open_shop
from lingsou.pipeline.supply import causes, unmet

analytics = typer.Typer(
    help="Queries that are frequent, rising, without results or without clicks, and how long searches take.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Days = Annotated[float, typer.Option("--days", min=0.01, max=36_500, help="The last days up to now.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@analytics.command("top")
def top(data: Data = None, days: Days = 30, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False) -> None:
    """The most frequent queries."""
    _report(reports.top, data, days, limit, as_csv, as_json)


@analytics.command("rising")
def rising(data: Data = None, days: Days = 7, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False) -> None:
    """Queries more frequent than in as many days before, by more than chance."""
    _report(reports.rising, data, days, limit, as_csv, as_json)


@analytics.command("zero")
def zero(data: Data = None, days: Days = 30, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False) -> None:
    """Queries that found nothing, or only with a limit dropped."""
    _report(reports.zero, data, days, limit, as_csv, as_json)


@analytics.command("low-click")
def low_click(
    data: Data = None, days: Days = 30, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False
) -> None:
    """Queries with results that few click on, the surest first."""
    _report(reports.low_click, data, days, limit, as_csv, as_json)


@analytics.command("latency")
def latency(
    data: Data = None, days: Days = 30, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False
) -> None:
    """How long searches took, day by day."""
    _report(reports.latency, data, days, limit, as_csv, as_json)


@analytics.command("supply")
def supply(data: Data = None, days: Days = 30, limit: Limit = 50, as_csv: Csv = False, as_json: AsJson = False) -> None:
    """Queries that led nowhere, and what the catalogue lacks for them; the most frequent failures first."""
    shop = open_shop(folder_of(data).root)
    try:
        shop.understanding.refresh(at_once=True)
        search = PlannedSearch(shop.engine, shop.understanding, shop.encoder.open())
        rows = unmet(search, shop.behaviour.database, days=days, limit=limit)
    finally:
        shop.close()
    _show(rows, as_csv, as_json)
    if rows and not as_csv and not as_json:
        told = ", ".join(f"{cause} {count:,}" for cause, count in causes(rows).items())
        errors.print(f"Failed searches by cause: {told}", highlight=False)


def _report(
    report: Callable[..., Sequence[BaseModel]], data: Any, days: float, limit: int, as_csv: bool, as_json: bool
) -> None:
    folder = folder_of(data)
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        rows = report(behaviour.database, days=days, limit=limit)
    _show(rows, as_csv, as_json)


def _show(rows: Sequence[BaseModel], as_csv: bool, as_json: bool) -> None:
    if as_json:
        print_json({"rows": [row.model_dump() for row in rows]})
    elif as_csv:
        sys.stdout.write(reports.to_csv(rows))
    elif not rows:
        errors.print("Nothing to report for these days.", highlight=False)
    else:
        table = Table(*(name.replace("_", " ") for name in type(rows[0]).model_fields), box=None)
        for row in rows:
            table.add_row(*(_shown(value) for value in row.model_dump().values()))
        output.print(table, highlight=False, markup=False)


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
