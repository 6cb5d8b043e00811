"""The `lingsou` command: its verbs, and how their errors end."""

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import structlog
import typer
from rich.markup import escape
from typer.core import TyperGroup

from lingsou import __version__
from lingsou.cli.console import errors
from lingsou.core.errors import LingsouError

_VERBS = {
    "init": "init",
    "keys": "keys",
    "import": "import_",
    "check": "check",
    "quality": "quality",
    "quarantine": "quarantine",
    "index": "index",
    "search": "search",
    "recommend": "recommend",
    "serve": "serve",
    "backup": "backup",
    "restore": "restore",
    "tune": "tune",
    "train": "train",
    "features": "features",
    "evaluate": "evaluate",
    "bench": "bench",
    "demo": "demo",
    "doctor": "doctor",
    "models": "models",
    "events": "events",
    "analytics": "analytics",
    "rules": "rules",
    "judge": "judge",
    "query": "query",
}
"""Verb → the function, or the `Typer` of subverbs, of its module `<verb>_verb`."""


class _Verbs(Mapping[str, Any]):
    """The verbs as commands. Each module is imported when its verb is asked for: all of them take a second."""

    def __getitem__(self, name: str) -> Any:
        return _command(name, _VERBS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(_VERBS)

    def __len__(self) -> int:
        return len(_VERBS)


@cache
def _command(name: str, what: str) -> Any:
    verb = getattr(import_module(f"lingsou.cli.{name}_verb"), what)
    if not isinstance(verb, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(name)(verb)
        verb = alone
    command = typer.main.get_command(verb)
    command.name = name
    return command


class _Group(TyperGroup):
    def __init__(self, **options: Any):
        super().__init__(**options)
        self.commands = _Verbs()  # type: ignore[assignment]

    def list_commands(self, _: Any) -> list[str]:
        return list(_VERBS)


app = typer.Typer(
    name="lingsou",
    cls=_Group,
    help="Lingsou (灵搜): self-hosted search for online shops, in Chinese and English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def run() -> None:
    """Run the command; errors of ours end as one clear message and exit code 2."""
    # Standard output is for results alone. `serve` sets up the logs of the service by itself.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        app()
    except LingsouError as error:
        errors.print(f"[bold red]error:[/] {_escaped(error)}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except OSError as error:
        where = f"'{error.filename}': " if error.filename else ""
        what = escape(where + (error.strerror or str(error)))
        cure = "Check the path, its permissions and the free space of the disk."
        errors.print(f"[bold red]error:[/] {what}.\n[bold]cure:[/] {cure}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("interrupted", highlight=False)
        sys.exit(130)


def _escaped(error: LingsouError) -> str:
    where = [f"row {error.row}"] if error.row is not None else []
    where += [f"field '{error.field}'"] if error.field else []
    text = f"{', '.join(where)}: {error.message}" if where else error.message
    return escape(text) + (f"\n[bold]cure:[/] {escape(error.cure)}" if error.cure else "")
