"""`lingsou index`: bring the index up to the store, or build one beside it and switch."""

import signal
import threading
import time
from contextlib import ExitStack, closing
from typing import Annotated

import typer

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import RequestError
from lingsou.core.settings import DataFolder
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.retrieval.indexer import indexer_lock


def index(
    data: Data = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build a new index beside the one in use, then switch to it.")
    ] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Switch back to the index before.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on indexing changes until interrupted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Index what is waiting. May be interrupted and started again at any time."""
    folder = folder_of(data)
    if rollback:
        if rebuild or follow:
            raise RequestError("--rollback goes alone.", cure="Run it first, then the other.")
        _roll_back(folder, as_json)
        return
    with ExitStack() as held:
        if follow or not rebuild:
            held.enter_context(indexer_lock(folder))
        shop = held.enter_context(closing(open_shop(folder.root, read_index=not rebuild)))
        _index(shop, as_json, rebuild=rebuild)
        if follow:
            stop = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            # A parent that ignores interrupts hands that down; one that is sent to us is meant for us.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            errors.print("Following the change log; Ctrl-C ends it.")
            shop.indexer().follow(stop)


def _index(shop: Shop, as_json: bool, *, rebuild: bool) -> None:
    start = time.perf_counter()
    with ExitStack() as built:
        engine = built.enter_context(shop.engine.building()) if rebuild else shop.engine
        indexer = shop.indexer(engine)
        with progress_bar() as bar:
            task = bar.add_task("indexing", total=None)
            done = indexer.catch_up(lambda done, total: bar.update(task, completed=done, total=total))
            words = time.perf_counter() - start
            encoding = bar.add_task("encoding", total=None)
            vectors = indexer.embed(lambda done, total: bar.update(encoding, completed=done, total=total))
        if done or vectors:
            engine.compact(force=True)
        if rebuild:
            # What came meanwhile, so that little is left for the service's indexer.
            done += indexer.catch_up()
            vectors += indexer.embed()
    seconds = time.perf_counter() - start
    if as_json:
        print_json(
            {
                "changes": done,
                "vectors": vectors,
                "words_seconds": words,
                "encoder_seconds": indexer.encoder_seconds,
                "products": engine.size,
                "sequence": engine.sequence,
                "generation": engine.generation,
                "seconds": seconds,
            }
        )
        return
    output.print(
        f"{done:,} changes indexed in {seconds:.1f} s ({indexer.encoder_seconds:.1f} s in the encoder); "
        f"{engine.size:,} products can be found, {engine.size - engine.count_without_vectors():,} also by meaning."
    )
    if rebuild:
        output.print(f"Generation {engine.generation} is published.", highlight=False)


def _roll_back(folder: DataFolder, as_json: bool) -> None:
    with closing(open_shop(folder.root, read_index=False)) as shop:
        published = shop.engine.roll_back()
        shop.engine.refresh()
        shown = shop.engine.generation
    if as_json:
        print_json({"generation": published.current, "previous": published.previous, "fits": shown})
        return
    output.print(f"Generation {published.current} is published again, {published.previous} is kept.", highlight=False)
    if shown != published.current:
        output.print("It was built with other settings: restore those and restart the service.", highlight=False)
