"""`lingsou doctor`: what is wrong with this installation or data folder, and the cure."""

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import typer

from lingsou import __version__
from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.core.errors import LingsouError, LockedError
from lingsou.core.settings import DataFolder, load_settings
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.indexer import indexer_lock

_LOW_DISK_GB = 1.0
_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "error": "[red]error[/]  "}


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at."""

    what: str
    state: Literal["ok", "warning", "error"]
    detail: str
    cure: str = ""


def doctor(data: Data = None, as_json: AsJson = False) -> None:
    """Look over the installation and the data folder; exit code 1 when something is broken."""
    found = list(_diagnose(folder_of(data)))
    broken = any(each.state == "error" for each in found)
    if as_json:
        print_json({"ok": not broken, "diagnoses": [each.__dict__ for each in found]})
    else:
        for each in found:
            output.print(_MARKS[each.state], end=" ")
            output.print(f"{each.what}: {each.detail}", markup=False, highlight=False)
            if each.cure:
                output.print(f"        cure: {each.cure}", markup=False, highlight=False)
    if broken:
        raise typer.Exit(1)


def _diagnose(folder: DataFolder) -> Iterator[Diagnosis]:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "sqlalchemy", "rjieba", "fastapi"))
    yield Diagnosis("lingsou", "ok", f"{__version__} on Python {sys.version.split()[0]}; {libraries}")
    if not folder.exists():
        yield Diagnosis(
            "data folder", "error", f"'{folder.root}' is not initialised", f"lingsou init --data {folder.root}"
        )
        return
    yield _disk(folder)
    for look in (_settings, _shop, _indexer, _port):
        yield _guarded(look, folder)


def _guarded(look: Callable[[DataFolder], Diagnosis], folder: DataFolder) -> Diagnosis:
    try:
        return look(folder)
    except LingsouError as error:
        return Diagnosis(look.__name__.strip("_"), "error", error.message, error.cure or "")


def _disk(folder: DataFolder) -> Diagnosis:
    free = shutil.disk_usage(folder.root).free / 2**30
    low = free < _LOW_DISK_GB
    return Diagnosis("disk", "warning" if low else "ok", f"{free:.1f} GiB free", "Free some space." if low else "")


def _settings(folder: DataFolder) -> Diagnosis:
    settings = load_settings(folder)
    where = "a database by URL" if settings.store.url else folder.database.name
    return Diagnosis("settings", "ok", f"valid; store in {where}, {settings.server.workers} workers")


def _shop(folder: DataFolder) -> Diagnosis:
    shop = open_shop(folder.root)
    try:
        waiting = shop.store.pending(shop.engine.sequence)
        detail = f"{shop.store.count():,} products in the store, {shop.engine.size:,} can be found"
        if published := shop.engine.published():
            before = f", before it {published.previous}" if published.previous else ""
            shown = shop.engine.generation
            detail += f"; generation {published.current} is published{before}"
            if shown != published.current:
                cure = "If the settings are meant so, lingsou index --rebuild; else restore the former ones."
                reads = f"these settings fit {shown or 'neither'}"
                return Diagnosis("index", "warning", f"{detail}; {reads}", cure)
        if waiting:
            return Diagnosis(
                "index", "warning", f"{detail}; {waiting:,} changes wait", "lingsou index, or lingsou serve"
            )
        return Diagnosis("index", "ok", detail)
    finally:
        shop.close()


def _indexer(folder: DataFolder) -> Diagnosis:
    try:
        with indexer_lock(folder):
            return Diagnosis("indexer", "ok", "none is running; `lingsou serve` starts one")
    except LockedError:
        return Diagnosis("indexer", "ok", "running")


def _port(folder: DataFolder) -> Diagnosis:
    server = load_settings(folder).server
    try:
        with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET) as probe:
            probe.settimeout(1)
            busy = probe.connect_ex((server.host, server.port)) == 0
    except OSError as error:
        return Diagnosis("port", "error", f"{server.host}: {error.strerror or error}", "Correct server.host.")
    detail = f"{server.host}:{server.port} " + ("is in use, by this service or another program" if busy else "is free")
    return Diagnosis("port", "ok", detail)
