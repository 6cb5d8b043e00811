"""`lingsou check`: the data-quality gate on a feed or on the store."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.table import Table

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.mapping import Mapping, load_mapping
from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, folder_of, output, print_json, progress_bar
from lingsou.cli.import_verb import Encoding, Format, MappingFile, guessed_mapping
from lingsou.core.errors import ProductError, RequestError
from lingsou.core.settings import load_settings
from lingsou.core.types import Product
from lingsou.quality.report import CheckReport, FailOn, run_checks

_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


def check(
    feed: Annotated[Path | None, typer.Argument(help="A feed; without one, the store is checked.")] = None,
    data: Data = None,
    mapping: MappingFile = None,
    format_: Format = None,
    encoding: Encoding = None,
    fail_on: Annotated[str, typer.Option(help="error, warning or never.")] = "error",
    examples: Annotated[int, typer.Option(min=0, max=100, help="Examples shown of each problem.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Check data before it is loaded. Exit code: 0 clean, 1 findings at --fail-on or graver, 2 cannot be read."""
    if fail_on not in ("error", "warning", "never"):
        raise RequestError(f"There is no severity '{fail_on}'.", field="--fail-on", cure="Use error, warning or never.")
    if feed:
        rules = load_mapping(mapping) if mapping else guessed_mapping(feed, format_, encoding)
        rows = _feed_rows(feed, rules, format_, encoding)
    else:
        rows = _store_rows(data)
    with progress_bar() as bar:
        report = run_checks(bar.track(rows, description="checking"), examples=examples)
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)
    raise typer.Exit(report.exit_code(cast("FailOn", fail_on)))


def _feed_rows(
    feed: Path, rules: Mapping, format_: str | None, encoding: str | None
) -> Iterator[tuple[int, Product | ProductError]]:
    mapper = rules.mapper
    mapper.require("id", "title")
    for number, row in open_feed(feed, format_).rows(feed, encoding=encoding):
        product = row if isinstance(row, RowProblem) else mapper.product(row)
        yield number, product.error(number) if isinstance(product, RowProblem) else product


def _store_rows(data: Path | None) -> Iterator[tuple[int, Product | ProductError]]:
    folder = folder_of(data)
    with Store.of(folder, load_settings(folder)) as store:
        yield from zip(count(1), (product for batch in store.products() for product in batch), strict=False)


def _print(report: CheckReport) -> None:
    output.print(f"{report.rows:,} rows, {report.rejected:,} not valid")
    table = Table("check", "severity", "field", "problem", "count", box=None)
    for result in report.checks:
        for problem in result.problems:
            severity = f"[{_STYLES[problem.severity]}]{problem.severity}[/]"
            table.add_row(result.id, severity, problem.field, problem.problem, f"{problem.count:,}")
    if table.row_count:
        output.print(table)
    for result in report.checks:
        for example in result.examples:
            where = f"row {example.row}" if example.row is not None else "whole catalogue"
            text = f"{result.id}: {where}, {example.field}: {example.evidence} → {example.repair}"
            output.print(text, markup=False, highlight=False)
        if result.problems:
            output.print(f"  {result.cost}", style="dim", markup=False, highlight=False)
    clean = [result.id for result in report.checks if not result.problems]
    if clean:
        output.print(f"nothing found: {', '.join(clean)}", highlight=False)
