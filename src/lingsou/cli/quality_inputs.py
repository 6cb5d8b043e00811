"""`lingsou quality events|images|reviews`: what is wrong with data beside the catalogue."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.table import Table

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import FeedError, RequestError
from lingsou.core.settings import load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.quality.check import SEVERITIES, Finding
from lingsou.quality.events import MOST, event_report, latest_events
from lingsou.quality.images import image_files, inspect_images
from lingsou.quality.profile import FAILING
from lingsou.quality.report import FailOn
from lingsou.quality.reviews import Review, review_findings


def _severity(value: str) -> str:
    if value not in FAILING:
        raise RequestError(f"There is no severity '{value}'.", field="--fail-on", cure="Use error, warning or never.")
    return value


FailingOn = Annotated[
    str, typer.Option("--fail-on", callback=_severity, help="error, warning or never: exit code 1 from there on.")
]
_SHOWN = 20


def events(
    data: Data = None,
    most: Annotated[int, typer.Option(min=100, help="So many of the latest events.")] = MOST,
    fail_on: FailingOn = "error",
    as_json: AsJson = False,
) -> None:
    """Events that were sent twice, come from robots or nobody, or tell what cannot be."""
    folder = folder_of(data)
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        latest = latest_events(behaviour.database, most)
    _tell(event_report(latest.events, latest.received), len(latest.events), "events", fail_on, as_json)


def images(
    folder: Annotated[Path, typer.Argument(help="Image files, named by product id: `ID.jpg`, `ID_2.jpg`.")],
    fail_on: FailingOn = "error",
    as_json: AsJson = False,
) -> None:
    """Image files that are broken, small, blank, or the same on several products."""
    if not folder.is_dir():
        raise RequestError(f"There is no folder '{folder}'.", field="folder", cure="Name the folder of the images.")
    files = list(image_files(folder))
    found: list[Finding] = []
    with progress_bar() as bar:
        inspect_images(bar.track(files, description="looking"), examples=0, sink=found.append)
    _tell(found, len(files), "image files", fail_on, as_json)


def reviews(
    file: Annotated[Path, typer.Argument(help="Reviews: id, product_id, text, and if known user_id, time.")],
    fail_on: FailingOn = "error",
    as_json: AsJson = False,
) -> None:
    """Reviews that copy each other, follow one template, or come in bursts."""
    rows, refused = [], 0
    for each in _reviews(file):
        if isinstance(each, Review):
            rows.append(each)
        else:
            refused += 1
            if refused <= _SHOWN:
                errors.print(f"row {each[0]}, {each[1]}", highlight=False, markup=False)
    if refused:
        errors.print(f"{refused:,} rows were left out.", highlight=False)
    if not rows:
        raise FeedError(f"'{file.name}' holds no review.", cure="Give columns id, product_id and text.")
    _tell(review_findings(rows), len(rows), "reviews", fail_on, as_json)


def _reviews(file: Path) -> Iterator[Review | tuple[int, str]]:
    """Each row as a review, or its number and what is wrong with it."""
    for number, row in open_feed(file, None).rows(file):
        if isinstance(row, RowProblem):
            yield number, f"{row.field}: {row.reason}"
            continue
        try:
            yield _review(number, row)
        except (KeyError, ValueError) as error:
            yield number, str(error) if isinstance(error, ValueError) else f"there is no {error}"


def _review(number: int, row: Mapping[str, Any]) -> Review:
    time = str(row.get("time") or "").strip()
    return Review(
        id=str(row["id"]),
        product_id=str(row["product_id"]),
        text=str(row["text"]),
        user_id=str(row.get("user_id") or ""),
        time=datetime.fromisoformat(time) if time else None,
        row=number,
    )


def _tell(found: Iterable[Finding], looked_at: int, what: str, fail_on: str, as_json: bool) -> None:
    """Print findings, the gravest first, and end with the exit code."""
    findings = sorted(found, key=lambda each: SEVERITIES.index(each.severity))
    if as_json:
        print_json({"rows": looked_at, "findings": [each.model_dump(mode="json") for each in findings]})
    else:
        output.print(f"{looked_at:,} {what}, {len(findings):,} findings", highlight=False)
        table = Table("severity", "problem", "evidence", "repair", box=None)
        for each in findings[:_SHOWN]:
            table.add_row(each.severity, each.problem, each.evidence, each.repair)
        if findings:
            output.print(table, markup=False, highlight=False)
        if len(findings) > _SHOWN:
            output.print(f"and {len(findings) - _SHOWN:,} more; all with --json", highlight=False)
    failing = FAILING[cast("FailOn", fail_on)]
    raise typer.Exit(int(any(each.severity in failing for each in findings)))
