"""The `lingsou` command: its verbs, and how their errors end."""

import sys
from collections.abc import Callable

import structlog
import typer
from rich.markup import escape

from lingsou import __version__
from lingsou.cli import (
    backup_verb,
    bench_verb,
    check_verb,
    demo_verb,
    doctor_verb,
    import_verb,
    index_verb,
    init_verb,
    models_verb,
    restore_verb,
    search_verb,
    serve_verb,
)
from lingsou.cli.console import errors
from lingsou.core.errors import LingsouError

app = typer.Typer(
    name="lingsou",
    help="Lingsou (灵搜): self-hosted search for online shops, in Chinese and English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_VERBS: dict[str, Callable[..., None]] = {
    "init": init_verb.init,
    "import": import_verb.import_,
    "check": check_verb.check,
    "index": index_verb.index,
    "search": search_verb.search,
    "serve": serve_verb.serve,
    "backup": backup_verb.backup,
    "restore": restore_verb.restore,
    "bench": bench_verb.bench,
    "demo": demo_verb.demo,
    "doctor": doctor_verb.doctor,
}
for _name, _verb in _VERBS.items():
    app.command(_name)(_verb)
app.add_typer(models_verb.models, name="models")


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
