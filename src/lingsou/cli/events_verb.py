"""`lingsou events`: events in and out of files, and one shopper's data."""

from pathlib import Path
from typing import Annotated

import typer

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.errors import InputError
from lingsou.core.settings import load_settings
from lingsou.events import persons
from lingsou.events.behaviour import Behaviour, open_behaviour
from lingsou.events.log import Selection
from lingsou.events.transfer import export_events, import_events

events = typer.Typer(
    help="Import and export events; show or erase one shopper's data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Person = Annotated[str, typer.Option("--user", help="User, client or session id, or a pseudonym (p_…).")]


@events.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help=".jsonl, .csv or .parquet; .gz may follow the first two.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Append the events of a file. What is there already counts as a duplicate."""
    with _opened(data) as behaviour:
        done = import_events(behaviour.events, file)
    if as_json:
        print_json(done.model_dump(mode="json"))
        return
    counts = f"{done.accepted:,} new, {done.duplicates:,} known already, {done.rejected:,} rejected"
    output.print(f"{done.rows:,} rows: {counts}.", highlight=False)
    for problem in done.problems:
        where = f"row {problem.row}" + (f", {problem.field}" if problem.field else "")
        errors.print(f"  {where}: {problem.reason}", highlight=False, markup=False)


@events.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="A new file: .jsonl, .csv or .parquet; .gz may follow the first two.")],
    data: Data = None,
    bots: Annotated[bool, typer.Option("--bots", help="Also the events of declared robots.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the events to a file, as they are stored: ids of people as pseudonyms, text masked."""
    with _opened(data) as behaviour:
        count = export_events(behaviour.events.pages(Selection(bots=bots)), file)
    if as_json:
        print_json({"events": count, "file": str(file)})
    else:
        output.print(f"{file}: {count:,} events.", highlight=False)


@events.command("show")
def show(user: Person, data: Data = None) -> None:
    """Print all that is stored of one shopper, as one JSON object: the answer to a request for access."""
    with _opened(data) as behaviour:
        print_json(persons.of_person(behaviour.database, behaviour.privacy, _person(user)))


@events.command("erase")
def erase(user: Person, data: Data = None, as_json: AsJson = False) -> None:
    """Erase all that `show` prints, down to the bytes on disk. There is no way back."""
    with _opened(data) as behaviour:
        erased = persons.erase(behaviour.database, behaviour.privacy, _person(user))
    if as_json:
        print_json(erased.model_dump())
    else:
        output.print(f"Erased {erased.events:,} events and {erased.searches:,} searches.", highlight=False)
        errors.print("Backups and exports made before still hold them.", highlight=False)


def _opened(data: Path | None) -> Behaviour:
    folder = folder_of(data)
    return open_behaviour(folder, load_settings(folder))


def _person(user: str) -> str:
    if not user.strip():
        raise InputError("The id is blank.", field="--user", cure="Give the id that the shop knows the shopper by.")
    return user.strip()
