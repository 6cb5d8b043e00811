"""`lingsou init`: make a data folder, its settings, its store and the first API key."""

import os
from typing import Annotated

import typer

from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.errors import ConflictError
from lingsou.core.keys import create_key
from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.settings_file import settings_toml


def init(
    data: Data = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code for products that name none.")] = "CNY",
    store_url: Annotated[
        str | None, typer.Option(help="PostgreSQL URL; default: SQLite in the data folder.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a data folder and print the API key that writes need. The key is shown this once."""
    folder = folder_of(data)
    if folder.exists():
        raise ConflictError(f"'{folder.root}' is initialised already.", cure="For one more key: lingsou keys create")
    _write_settings(folder, currency, store_url)
    try:
        with Store.of(folder, load_settings(folder)) as store:
            key, secret = create_key(store.database, "init")
    except BaseException:
        folder.settings_file.unlink()  # else the folder would pass for an initialised one, whose key nobody has seen
        raise
    if as_json:
        print_json({"data": str(folder.root), "key_id": key.id, "api_key": secret})
        return
    errors.print(f"Data folder: {folder.root} (settings in {folder.settings_file.name})", highlight=False)
    errors.print("API key for writes; it is not shown again:", highlight=False)
    output.print(secret, highlight=False, soft_wrap=True)


def _write_settings(folder: DataFolder, currency: str, store_url: str | None) -> None:
    text = settings_toml(currency=currency, store_url=store_url)
    folder.root.mkdir(parents=True, exist_ok=True)
    # It may hold a database password: for the owner alone.
    with os.fdopen(
        os.open(folder.settings_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
