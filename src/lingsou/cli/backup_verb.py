"""`lingsou backup`: one archive of the data folder, also while it serves."""

from pathlib import Path
from typing import Annotated

import typer

from lingsou.catalog import backup as backups
from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.core.settings import load_settings
from lingsou.events.backup import EVENTS


def backup(
    target: Annotated[Path, typer.Argument(help="The archive to write, such as shop.tar.gz.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write a consistent backup. The index is left out: it is rebuilt from the store."""
    folder = folder_of(data)
    with Store.of(folder, load_settings(folder)) as store:
        manifest = backups.backup(folder, store, target, [EVENTS])
    if as_json:
        print_json(manifest.model_dump(mode="json"))
    else:
        output.print(f"{target}: {manifest.products:,} products, up to change {manifest.sequence:,}.", highlight=False)
