"""`lingsou quarantine`: products that the quality gate held back, looked through, released, dropped."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lingsou.catalog.quarantine import STATES, Entry
from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.errors import RequestError
from lingsou.core.settings import load_settings

AUTHOR = "command line"
_BATCH = 1_000

quarantine = typer.Typer(
    help="Products that the quality gate held back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Ids = Annotated[list[int] | None, typer.Argument(help="Ids of entries, as `list` shows them.")]
OfCheck = Annotated[str | None, typer.Option("--check", help="All that this check holds back.")]


@quarantine.command("list")
def list_(
    data: Data = None,
    check: OfCheck = None,
    state: Annotated[str, typer.Option(help="held, released, dropped or replaced.")] = "held",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this entry: the next page.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What is held back, oldest first, and how often for which problem."""
    if state not in STATES:
        raise RequestError(f"There is no state '{state}'.", field="--state", cure=f"Use {', '.join(STATES)}.")
    with _store(data) as store:
        page = store.quarantine.page(state=state, check=check, after=after, limit=limit)
        counts = store.quarantine.counts()
    if as_json:
        print_json(page.model_dump(mode="json") | {"problems": [each.model_dump() for each in counts]})
        return
    for each in counts:
        errors.print(f"  {each.count:,} × {each.check}: {each.problem}", highlight=False, markup=False)
    if not page.entries:
        output.print(f"No product is {state}.", highlight=False)
        return
    table = Table("id", "product", "title", "checks", "from", "when", box=None)
    for entry in page.entries:
        checks = ", ".join(dict.fromkeys(reason.check for reason in entry.reasons))
        row = (entry.product_id, entry.product.title, checks, _source(entry), f"{entry.held_at:%Y-%m-%d %H:%M}")
        table.add_row(str(entry.id), *(escape(cell) for cell in row))
    output.print(table)
    if page.next is not None:
        errors.print(f"{page.total:,} in all; the next page: --after {page.next}", highlight=False)


@quarantine.command("show")
def show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="Id of an entry.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """One entry: the product as its feed gave it, and every reason."""
    with _store(data) as store:
        entry = store.quarantine.get(id_)
    if as_json:
        print_json(entry.model_dump(mode="json", exclude={"product"}) | {"product": _plain(entry)})
        return
    closed = f", {entry.closed_at:%Y-%m-%d %H:%M} UTC {entry.closed_by}".rstrip() if entry.closed_at else ""
    output.print(f"{entry.state}{closed}; {_source(entry)}", markup=False, highlight=False)
    for reason in entry.reasons:
        text = f"{reason.check}: {reason.field}: {reason.problem}: {reason.evidence} → {reason.repair}"
        output.print(text, markup=False, highlight=False)
    for name, value in _plain(entry).items():
        output.print(f"  {name}: {value}", markup=False, highlight=False)


@quarantine.command("release")
def release(ids: Ids = None, data: Data = None, check: OfCheck = None, as_json: AsJson = False) -> None:
    """Load products as they are, by id or all that a check holds back. Who and when is kept for good."""
    with _store(data) as store:
        done = _each(store, ids or [], check, lambda part: store.quarantine.release(part, AUTHOR))
    if as_json:
        print_json({"released": done})
        return
    output.print(f"{done:,} released", highlight=False)
    errors.print(
        "Searches show it once it is indexed: a running service does that, else: lingsou index", highlight=False
    )


@quarantine.command("drop")
def drop(ids: Ids = None, data: Data = None, check: OfCheck = None, as_json: AsJson = False) -> None:
    """Forget products, by id or all that a check holds back. What the store has of them stays."""
    with _store(data) as store:
        done = _each(store, ids or [], check, lambda part: store.quarantine.drop(part, AUTHOR))
    if as_json:
        print_json({"dropped": done})
    else:
        output.print(f"{done:,} dropped", highlight=False)


def _each(store: Store, ids: Sequence[int], check: str | None, act: Callable[[Sequence[int]], object]) -> int:
    """Act on the entries that were named, in one transaction, or on those of a check, in several."""
    if bool(ids) == (check is not None):
        raise RequestError("Which entries?", cure="Name ids, or --check CHECK. See them: lingsou quarantine list")
    if check is None:
        act(ids)
        return len(set(ids))
    done = 0
    while part := store.quarantine.held(check, _BATCH):
        act(part)
        done += len(part)
    return done


def _store(data: Path | None) -> Store:
    folder = folder_of(data)
    return Store.of(folder, load_settings(folder))


def _source(entry: Entry) -> str:
    return entry.source if entry.row is None else f"{entry.source}, row {entry.row}"


def _plain(entry: Entry) -> dict[str, object]:
    return entry.product.model_dump(mode="json", exclude_defaults=True)
