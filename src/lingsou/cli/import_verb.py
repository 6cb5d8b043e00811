"""`lingsou import`: load a feed into the store, or print the mapping that would be guessed for it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.table import Table

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.catalog.load import LoadReport, Mode, Progress, load_feed
from lingsou.catalog.mapping import Mapping, load_mapping
from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import FeedError, RequestError
from lingsou.core.settings import load_settings
from lingsou.quality.check import SEVERITIES
from lingsou.quality.gate import Gate
from lingsou.quality.profile import load_profile
from lingsou.quality.report import CheckReport

_SAMPLE = 200

Feed = Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines, Parquet or Google Merchant XML; gzip is fine.")]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="Mapping file; default: guessed from the feed.")]
Format = Annotated[str | None, typer.Option("--format", help="csv, tsv, jsonl, parquet, google; default: by content.")]
Encoding = Annotated[str | None, typer.Option(help="Text encoding; default UTF-8. For example gb18030.")]


def import_(
    feed: Feed,
    data: Data = None,
    mapping: MappingFile = None,
    mode: Annotated[str, typer.Option(help="upsert, full (deletes what is absent), patch, delete.")] = "upsert",
    format_: Format = None,
    encoding: Encoding = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Only print the guessed mapping, to edit and pass on.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Let a full load delete most of the shop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Load a feed. Bad rows go to a rejects file, what the quality profile holds back to quarantine; others load."""
    if mode not in ("upsert", "full", "patch", "delete"):
        raise RequestError(f"There is no mode '{mode}'.", field="--mode", cure="Use upsert, full, patch or delete.")
    rules = load_mapping(mapping) if mapping else guessed_mapping(feed, format_, encoding)
    if guess:
        print(rules.dump(), end="")
        return
    folder = folder_of(data)
    settings = load_settings(folder)
    gate = Gate(load_profile(settings.quality.profile, folder.root)) if mode in ("upsert", "full") else None
    with Store.of(folder, settings) as store, progress_bar() as bar:
        task = bar.add_task("importing", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, total=progress.bytes_total, completed=progress.bytes_done)

        report = load_feed(
            store,
            feed,
            mapping=rules,
            mode=cast("Mode", mode),
            rejects_dir=folder.rejects,
            gate=gate,
            progress=show,
            format=format_,
            encoding=encoding,
            force=force,
        )
    found = gate.finish() if gate else None
    if as_json:
        print_json(_plain(report) | {"checks": found.as_dict()["checks"] if found else []})
    else:
        _print(report, found)


def guessed_mapping(feed: Path, format_: str | None, encoding: str | None) -> Mapping:
    """The mapping guessed from the first rows of a feed.

    Raises:
        FeedError: no row of the beginning can be read.
    """
    problems: list[RowProblem] = []
    rows: list[dict[str, Any]] = []
    for _, row in islice(open_feed(feed, format_).rows(feed, encoding=encoding), _SAMPLE):
        (problems.append(row) if isinstance(row, RowProblem) else rows.append(row))
    if not rows:
        reason = f" The first: {problems[0].reason}" if problems else ""
        raise FeedError(f"'{feed.name}' has no readable row.{reason}", cure="Check --format and --encoding.")
    return guess_mapping(rows)


def _counted(found: CheckReport) -> Iterator[str]:
    for severity in SEVERITIES:
        count = found.count(severity)
        if count:
            yield f"{count:,} {severity}{'s' if count > 1 else ''}"


def _plain(report: LoadReport) -> dict[str, Any]:
    return {**report.__dict__, "rejects_file": report.rejects_file and str(report.rejects_file)}


def _print(report: LoadReport, found: CheckReport | None) -> None:
    counts = {
        "rows": report.rows,
        "accepted": report.accepted,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "deleted": report.deleted,
        "rejected": report.rejected,
        "quarantined": report.quarantined,
        "duplicates": report.duplicates,
    }
    table = Table(*counts, "seconds")
    table.add_row(*(f"{count:,}" for count in counts.values()), f"{report.seconds:.1f}")
    output.print(table)
    for reason, count in report.by_reason.items():
        errors.print(f"  {count:,} × {reason}", highlight=False, markup=False)
    if report.rejects_file:
        errors.print(f"Rejected rows, with reasons and cures: {report.rejects_file}", highlight=False, markup=False)
    for problem, count in report.held_by.items():
        errors.print(f"  {count:,} × {problem}", highlight=False, markup=False)
    if report.quarantined:
        errors.print("Held back, with reasons: lingsou quarantine list", highlight=False)
    if found and (said := ", ".join(_counted(found))):
        errors.print(f"The checks found {said}. Which ones: lingsou check", highlight=False)
    if report.missing:
        errors.print(f"{report.missing:,} ids are not in the store.", highlight=False)
    if not report.complete:
        errors.print("The feed was damaged part-way; nothing was deleted.", highlight=False)
    errors.print(
        "Searches show it once it is indexed: a running service does that, else: lingsou index", highlight=False
    )
