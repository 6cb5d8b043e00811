"""`lingsou restore`: a data folder from a backup."""

from pathlib import Path
from typing import Annotated

import typer

from lingsou.catalog import backup as backups
from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.events.backup import EVENTS


def restore(
    archive: Annotated[Path, typer.Argument(help="What `lingsou backup` wrote.")],
    data: Data = None,
    store_url: Annotated[
        str | None, typer.Option(help="Restore into this database; default: where it was.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Move what is there aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a data folder. Stop its service first; `lingsou index` or `lingsou serve` builds the index anew."""
    folder = folder_of(data)
    restored = backups.restore(archive, folder, url=store_url, force=force, companions=[EVENTS])
    if as_json:
        print_json(restored.model_dump(mode="json"))
        return
    manifest = restored.manifest
    output.print(
        f"{folder.root}: {manifest.products:,} products of {manifest.created_at:%Y-%m-%d %H:%M} UTC.", highlight=False
    )
    for note in restored.notes:
        output.print(note, highlight=False, markup=False)
