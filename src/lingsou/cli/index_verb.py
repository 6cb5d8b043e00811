"""`lingsou index`: bring the index up to the store."""

import signal
import threading
import time
from typing import Annotated

import typer

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock


def index(
    data: Data = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Forget the index and build it from the store.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on indexing changes until interrupted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Index what is waiting. May be interrupted and started again at any time."""
    folder = folder_of(data)
    start = time.perf_counter()
    with indexer_lock(folder):
        shop = open_shop(folder.root, read_index=not rebuild)
        try:
            if rebuild:
                shop.engine.clear()
            with progress_bar() as bar:
                task = bar.add_task("indexing", total=None)
                indexer = shop.indexer()
                done = indexer.catch_up(lambda done, total: bar.update(task, completed=done, total=total))
                words = time.perf_counter() - start
                encoding = bar.add_task("encoding", total=None)
                vectors = indexer.embed(lambda done, total: bar.update(encoding, completed=done, total=total))
            if done or vectors:
                shop.engine.compact(force=True)
            seconds = time.perf_counter() - start
            if as_json:
                print_json(
                    {
                        "changes": done,
                        "vectors": vectors,
                        "words_seconds": words,
                        "products": shop.engine.size,
                        "sequence": shop.engine.sequence,
                        "seconds": seconds,
                    }
                )
            else:
                output.print(
                    f"{done:,} changes indexed in {seconds:.1f} s; {shop.engine.size:,} products can be found, "
                    f"{shop.engine.size - shop.engine.count_without_vectors():,} also by meaning."
                )
            if follow:
                stop = threading.Event()
                signal.signal(signal.SIGTERM, lambda *_: stop.set())
                # A parent that ignores interrupts hands that down; one that is sent to us is meant for us.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                errors.print("Following the change log; Ctrl-C ends it.")
                shop.indexer().follow(stop)
        finally:
            shop.close()
