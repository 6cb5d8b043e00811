"""`lingsou demo`: the demo shop, made, loaded, indexed and served."""

from pathlib import Path
from typing import Annotated

import typer

from lingsou.catalog.load import Progress, load_feed
from lingsou.catalog.store import Store
from lingsou.cli.console import errors, progress_bar
from lingsou.cli.import_verb import guessed_mapping
from lingsou.cli.init_verb import init
from lingsou.cli.serve_verb import serve
from lingsou.core.settings import DataFolder, load_settings
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock


def demo(
    data: Annotated[Path, typer.Option("--data", help="Data folder of the demo shop.")] = Path("demo-shop"),
    products: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many products to make.")] = 3_200,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop.")] = 7,
    host: Annotated[str | None, typer.Option(show_default=False)] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, show_default=False)] = None,
    serve_: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the shop when it is loaded.")] = True,
) -> None:
    """Make a bilingual demo shop, load it as any feed, index it and serve it. Done once, it only serves."""
    folder = DataFolder(data)
    if not folder.exists():
        init(data=data)
    with Store.of(folder, load_settings(folder)) as store:
        if not store.count():
            _load(store, folder, products, seed)
    with indexer_lock(folder), progress_bar() as bar:
        shop = open_shop(data)
        task = bar.add_task("indexing", total=None)
        if shop.indexer().catch_up(lambda done, total: bar.update(task, completed=done, total=total)):
            shop.engine.compact(force=True)
        errors.print(f"The demo shop has {shop.engine.size:,} products.", highlight=False)
        shop.close()
    errors.print(f"Try: lingsou search --data {data} '蓝色T恤' --facet brand", highlight=False)
    if serve_:
        serve(data=data, host=host, port=port, workers=None)


def _load(store: Store, folder: DataFolder, products: int, seed: int) -> None:
    from lingsou.demo import write_shop
    from lingsou.demo.shop import CATALOGUE, LABELS, write_labels

    source = folder.root / "feed"
    with errors.status(f"making {products:,} products with pictures"):
        write_shop(source, products, seed)
        write_labels(folder.root / LABELS)
    with progress_bar() as bar:
        loading = bar.add_task("importing", total=None)

        def show(progress: Progress) -> None:
            bar.update(loading, total=progress.bytes_total, completed=progress.bytes_done)

        feed = source / CATALOGUE
        load_feed(
            store,
            feed,
            mapping=guessed_mapping(feed, None, None),
            mode="full",
            rejects_dir=folder.rejects,
            progress=show,
        )
