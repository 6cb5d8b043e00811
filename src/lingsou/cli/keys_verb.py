"""`lingsou keys`: the API keys of a shop; one for each program and each person that writes or judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.table import Table

from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.database import Database
from lingsou.core.keys import ApiKey, create_key, list_keys, revoke_key
from lingsou.core.settings import load_settings

keys = typer.Typer(help="The API keys of a shop.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it, such as 'Ann' or 'feed'.")],
    data: Data = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="read or write; several times for both. Default: both.", metavar="SCOPE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once."""
    scopes: Any = tuple(scope or ("read", "write"))
    with _database(data) as database:
        key, secret = create_key(database, name, scopes)
    if as_json:
        print_json({**_described(key), "api_key": secret})
        return
    errors.print(f"API key {key.id} for {key.name}; it is not shown again:", highlight=False, markup=False)
    output.print(secret, highlight=False, soft_wrap=True)


@keys.command("list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Every key, revoked ones too, oldest first; never what is secret about them."""
    with _database(data) as database:
        found = list_keys(database)
    if as_json:
        print_json({"keys": [_described(key) for key in found]})
        return
    table = Table("id", "name", "may", "made", "revoked", box=None)
    for key in found:
        revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
        table.add_row(key.id, key.name, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d %H:%M}", revoked)
    output.print(table)


@keys.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id: what stands between ls_ and the next _.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key useless from now on, in running services too."""
    with _database(data) as database:
        key = revoke_key(database, key_id)
    if as_json:
        print_json(_described(key))
    else:
        errors.print(f"Revoked: {key.id} ({key.name}).", highlight=False, markup=False)


@contextmanager
def _database(data: Any) -> Iterator[Database]:
    folder = folder_of(data)
    with Store.of(folder, load_settings(folder)) as store:
        yield store.database


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
