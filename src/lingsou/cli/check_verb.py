"""`lingsou check`: the data-quality gate on a feed or on the store."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, cast

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.mapping import Mapping, load_mapping
from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.cli.import_verb import Encoding, Format, MappingFile, guessed_mapping
from lingsou.core.errors import ProductError, RequestError
from lingsou.core.settings import load_settings
from lingsou.core.types import Product
from lingsou.quality.audit import registered_audits
from lingsou.quality.columns import columns_of
from lingsou.quality.page import page
from lingsou.quality.profile import Profile, load_profile
from lingsou.quality.report import CheckReport, FailOn, run_audits, run_checks

Rows = Callable[[], Iterator[tuple[int, Product | ProductError]]]
_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


def check(
    feed: Annotated[Path | None, typer.Argument(help="A feed; without one, the store is checked.")] = None,
    data: Data = None,
    mapping: MappingFile = None,
    format_: Format = None,
    encoding: Encoding = None,
    profile: Annotated[
        str | None, typer.Option(help="strict, default, lenient or a TOML file; default: the shop's quality.profile.")
    ] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="error, warning or never; default: as the profile says, `error` mostly.")
    ] = None,
    examples: Annotated[int, typer.Option(min=0, max=100, help="Examples shown of each problem.")] = 3,
    deep: Annotated[bool, typer.Option("--deep", help="Audits too, which learn from the whole catalogue.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file, as a page.")] = None,
    before: Annotated[Path | None, typer.Option(help="An earlier report (--json) to compare the page with.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check data before it is loaded. Exit code: 0 clean, 1 findings at --fail-on or graver, 2 cannot be read."""
    if fail_on not in (None, "error", "warning", "never"):
        raise RequestError(f"There is no severity '{fail_on}'.", field="--fail-on", cure="Use error, warning or never.")
    kept = _profile(profile, data)
    if feed:
        rules = load_mapping(mapping) if mapping else guessed_mapping(feed, format_, encoding)
        rows = partial(_feed_rows, feed, rules, format_, encoding)
    else:
        rows = partial(_store_rows, data)
    earlier = _report_in(before) if before else None
    with progress_bar() as bar:
        checks = kept.checks_to_run(examples)
        report = run_checks(bar.track(rows(), description="checking"), checks=checks, examples=examples)
        if deep:
            report = _audited(report, rows, kept, examples, bar)
    report = kept.applied(report)
    if html:
        source = feed.name if feed else folder_of(data).root.resolve().name
        html.write_text(page(report, source, earlier), encoding="utf-8")
        errors.print(f"Report: {html}", highlight=False, markup=False)
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report)
    raise typer.Exit(report.exit_code(cast("FailOn", fail_on)) if fail_on else kept.exit_code(report))


def _profile(name: str | None, data: Path | None) -> Profile:
    """The one that was named, else that of the shop, where there is one."""
    folder = folder_of(data)
    if name is not None or not folder.exists():
        return load_profile(name or "default")
    return load_profile(load_settings(folder).quality.profile, folder.root)


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


def _audited(report: CheckReport, rows: Rows, kept: Profile, examples: int, bar: Progress) -> CheckReport:
    valid = ((row, product) for row, product in rows() if isinstance(product, Product))
    columns = columns_of(bar.track(valid, total=report.rows - report.rejected, description="reading again"))
    audits = [audit for audit in registered_audits() if kept.wants(audit.id)]
    task = bar.add_task("audits", total=len(audits))

    def tell(name: str) -> None:
        bar.update(task, description=f"audit {name}", advance=0 if name == audits[0].id else 1)

    found = run_audits(columns, audits=audits, examples=examples, progress=tell)
    return report.model_copy(update={"checks": (*report.checks, *found)})


def _report_in(path: Path) -> CheckReport:
    try:
        return CheckReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RequestError(f"'{path}' cannot be read: {error}.", field="--before", cure="Check the path.") from error
    except ValidationError as error:
        raise RequestError(
            f"'{path.name}' holds no report of checks.", field="--before", cure="Make one: lingsou check --json > FILE."
        ) from error


def _print(report: CheckReport) -> None:
    output.print(f"{report.rows:,} rows, {report.rejected:,} not valid")
    table = Table("check", "severity", "field", "problem", "count", box=None)
    for result in report.checks:
        for problem in result.problems:
            severity = f"[{_STYLES[problem.severity]}]{problem.severity}[/]"
            table.add_row(result.id, severity, escape(problem.field), escape(problem.problem), f"{problem.count:,}")
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
