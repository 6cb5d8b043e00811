"""`lingsou query expansions`: other names that the shop's own data tells, mined, listed, and dropped."""

from contextlib import closing
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lingsou.catalog.vectors import VectorStore
from lingsou.cli.console import AsJson, Data, folder_of, output, print_json, progress_bar
from lingsou.core.errors import StorageError
from lingsou.core.settings import load_settings
from lingsou.pipeline.shop import open_shop
from lingsou.query.expansion import MINED_SOURCES, ShopNames
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.text.lexicon import read_lexicon
from lingsou.text.segment import Segmenter

expansions = typer.Typer(
    help="Other names that the shop's own data tells.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Phrase = Annotated[str, typer.Argument(help="The words of a query.")]
Name = Annotated[str, typer.Argument(help="What stands for them.")]


@expansions.command("mine")
def mine(
    data: Data = None,
    days: Annotated[int, typer.Option(min=1, help="How far back the log is read.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Mine the catalogue, the encoder and the log anew; the names found replace those of before."""
    from lingsou.training.expansions import mine as mine_names
    from lingsou.training.expansions.log import read_searches
    from lingsou.training.expansions.mining import sample

    with closing(open_shop(folder_of(data).root)) as shop:
        count = shop.store.count()
        if not count:
            raise StorageError("The shop has no products.", cure="lingsou import FEED")
        products = sample(shop.store.products(), count)
        encoder = shop.encoder.open()
        embedder = DocumentEmbedder(encoder, VectorStore(shop.store.database, encoder.fingerprint)) if encoder else None
        asked, clicks = read_searches(shop.behaviour, days)
        with progress_bar() as bar:
            task = bar.add_task("encoding phrases", total=None)
            found = mine_names(
                products,
                shop.engine.segmenter,
                encode=encoder.encode_queries if encoder else None,
                vectors=embedder.vectors if embedder else None,
                asked=asked,
                clicks=clicks,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        version = shop.names.replace(found.names)
    if as_json:
        print_json({"version": version, "products": len(products), "names": dict(found.counts)})
    else:
        told = ", ".join(f"{count} {source}" for source, count in sorted(found.counts.items())) or "none"
        output.print(f"version {version}: {told}", highlight=False)


@expansions.command("list")
def list_names(
    data: Data = None,
    source: Annotated[str | None, typer.Option(help=f"Only of one source: {', '.join(MINED_SOURCES)}.")] = None,
    dropped: Annotated[bool, typer.Option("--dropped", help="What was dropped instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """The mined names that are in the table, or what was dropped."""
    names = _names(data)
    names.refresh()
    if dropped:
        pairs = sorted(names.dropped)
        if as_json:
            print_json({"dropped": [{"phrase": phrase, "name": name} for phrase, name in pairs]})
        else:
            table = Table("phrase", "name", box=None)
            for pair in pairs:
                table.add_row(*map(escape, pair))
            output.print(table)
        return
    found = [each for each in names.names if source in (None, each.source) and not names.is_dropped(each)]
    if as_json:
        print_json({"version": names.version, "names": [each.model_dump(mode="json") for each in found]})
        return
    table = Table("phrase", "name", "weight", "source", "evidence", box=None)
    for each in found:
        table.add_row(escape(each.phrase), escape(each.name), f"{each.weight:.2f}", each.source, str(each.evidence))
    output.print(table)


@expansions.command("drop")
def drop(
    phrase: Phrase,
    name: Name,
    data: Data = None,
    restore: Annotated[bool, typer.Option("--restore", help="Take a drop back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Never use a name for some words again, whatever its source: mined, or of the package's tables."""
    names = _names(data)
    changed = True
    if restore:
        names.restore(phrase, name)
    else:
        changed = names.drop(phrase, name)
    if as_json:
        print_json({"changed": changed})
    else:
        output.print("restored" if restore else "dropped" if changed else "nothing new", highlight=False)


def _names(data: Data) -> ShopNames:
    folder = folder_of(data)
    settings = load_settings(folder)
    segmenter = Segmenter(read_lexicon(folder.lexicon))
    return ShopNames(folder.mined_names, folder.dropped_names, segmenter, settings.understanding.expansions)
