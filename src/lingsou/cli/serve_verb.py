"""`lingsou serve`: the HTTP service and the indexer."""

from typing import Annotated

import typer

from lingsou.cli.console import Data, errors, folder_of
from lingsou.core.settings import load_settings


def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on.", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Serving processes.", show_default=False)] = None,
) -> None:
    """Serve until interrupted. Settings come from lingsou.toml; options here win."""
    from lingsou.serving.supervisor import serve as run

    folder = folder_of(data)
    chosen = {"host": host, "port": port, "workers": workers}
    server = load_settings(folder).server.model_copy(update={k: v for k, v in chosen.items() if v is not None})
    errors.print(f"Lingsou at http://{server.host}:{server.port} (API: /docs); Ctrl-C ends it.", highlight=False)
    run(folder.root, server)
