"""Where the verbs print: results to standard output, everything else to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lingsou.core.settings import DataFolder, default_data_folder

_UNWRAPPED = 10_000
"""Columns where no terminal says how many: a path or table row in a pipe or log must not be cut in two."""


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=_UNWRAPPED)


output = _console()
errors = _console(stderr=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; default: $LINGSOU_DATA_DIR, else ./lingsou-data.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def folder_of(data: Path | None) -> DataFolder:
    """The data folder that the user means."""
    return DataFolder(data or default_data_folder())


def print_json(value: Any) -> None:
    """One JSON object on one line of standard output."""
    print(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with counts, elapsed and remaining time on standard error; silent where that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        yield bar
