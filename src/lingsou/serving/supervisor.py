"""`lingsou serve`: the indexer beside the web workers, started, watched and stopped together."""

import multiprocessing
import os
import shutil
import tempfile
import threading
from multiprocessing.context import SpawnProcess
from pathlib import Path

import structlog
import uvicorn

from lingsou.core.errors import LockedError
from lingsou.core.settings import DataFolder, ServerSettings
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock
from lingsou.serving.telemetry import MULTIPROCESS_VARIABLE, configure_logging
from lingsou.serving.worker import PARENT_VARIABLE

_RESTART_PAUSE_S = 1.0


def serve(root: Path, server: ServerSettings) -> None:
    """Serve until interrupted. The indexer runs in its own process and is started again if it dies."""
    os.environ["LINGSOU_DATA_DIR"] = str(root)
    configure_logging(server.log_format)
    stop = threading.Event()
    keeper = threading.Thread(target=_keep_indexer, args=(root, stop), name="indexer-keeper", daemon=True)
    keeper.start()
    metrics = tempfile.mkdtemp(prefix="lingsou-metrics-") if server.workers > 1 else None
    if metrics:
        os.environ[MULTIPROCESS_VARIABLE] = metrics
        os.environ[PARENT_VARIABLE] = str(os.getpid())
    try:
        uvicorn.run(
            "lingsou.console.app:app_from_environment",
            factory=True,
            host=server.host,
            port=server.port,
            workers=server.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    finally:
        stop.set()
        keeper.join(timeout=10)
        if metrics:
            shutil.rmtree(metrics, ignore_errors=True)


def _keep_indexer(root: Path, stop: threading.Event) -> None:
    log = structlog.get_logger("lingsou.supervisor")
    context = multiprocessing.get_context("spawn")
    process: SpawnProcess | None = None
    while not stop.is_set():
        if process is None or not process.is_alive():
            if process is not None:
                log.error("the indexer died; starting it again", exit_code=process.exitcode)
                stop.wait(_RESTART_PAUSE_S)
            process = context.Process(target=run_indexer, args=(root, os.getpid()), daemon=True)
            process.start()
        stop.wait(0.2)
    if process is not None:
        process.terminate()
        process.join(timeout=5)


def run_indexer(root: Path, parent: int | None = None) -> None:
    """Follow the change log for as long as the parent lives; wait while another process indexes."""
    shop = open_shop(root)
    configure_logging(shop.settings.server.log_format)
    log = structlog.get_logger("lingsou.indexer")
    stop = threading.Event()
    if parent is not None:
        threading.Thread(target=_stop_with_parent, args=(parent, stop), daemon=True).start()
    waiting = False
    while not stop.is_set():
        try:
            with indexer_lock(DataFolder(root)):
                log.info("indexing", sequence=shop.engine.sequence)
                shop.indexer().follow(stop)
        except LockedError:
            if not waiting:
                log.info("another process indexes this folder; standing by")
            waiting = True
            stop.wait(_RESTART_PAUSE_S)
    shop.close()


def _stop_with_parent(parent: int, stop: threading.Event) -> None:
    # A killed parent cannot tell us; its child is handed to another process.
    while not stop.wait(0.5):
        if os.getppid() != parent:
            stop.set()
