"""`lingsou models versions | compare | promote | …`: the models that a shop has trained, in its data folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.errors import ConflictError, InputError, NotFoundError, StorageError
from lingsou.core.gates import Difference, Gate, gain
from lingsou.core.gates import compare as differences
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import DataFolder
from lingsou.training.recipe import gate_of

_NEXT = {
    "encoder": "Now: lingsou index --rebuild, then restart the service. "
    "Until then searches go on with the encoder of the index."
}
Task = Annotated[
    str, typer.Argument(metavar="TASK", help="A folder of the shop's `models`, such as ranker or encoder.")
]
Version = Annotated[str, typer.Argument(metavar="[VERSION]", help="A version; default: the candidate.")]


def versions(
    task: Annotated[str, typer.Argument(metavar="[TASK]", help="Such as ranker; default: all.")] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """The versions of the shop's own models, oldest first, and what they were measured at."""
    folder = folder_of(data)
    stores = [_store(task, data)] if task else [ModelStore(folder.models / name) for name in _tasks(folder)]
    rows = [row for store in stores for row in _described(store)]
    if as_json:
        print_json({"versions": rows})
        return
    table = Table("task", "version", "role", "method", "measured", "MiB", box=None)
    for row in rows:
        manifest = row["manifest"] or {"files": {}, "measurements": {}, "method": ""}
        size = sum(file["size"] for file in manifest["files"].values()) / 2**20
        measured = "; ".join(_summary(name, each) for name, each in manifest["measurements"].items())
        named = (row["task"], row["version"], row["role"], manifest["method"])
        table.add_row(*map(escape, (*named, row["problem"] or measured)), f"{size:.1f}")
    output.print(table if rows else "No model was trained here yet: lingsou train --help")


def compare(task: Task, a: str, b: str, data: Data = None, as_json: AsJson = False) -> None:
    """Two versions by every figure that both have. They are given by name, or as `production` and `candidate`."""
    store = _store(task, data)
    first, second = (_resolved(store, each) for each in (a, b))
    rows = differences(store.about(first), store.about(second))
    if as_json:
        print_json({"a": first, "b": second, "figures": [row.model_dump() for row in rows]})
        return
    table = Table("test set", "slice", "metric", first, second, "difference", box=None)
    for row in rows:
        table.add_row(*map(escape, (row.test_set, row.slice, row.metric)), f"{row.a:.4f}", f"{row.b:.4f}", _told(row))
    output.print(table if rows else "They share no test set.")


def promote(
    task: Task,
    version: Version = "candidate",
    metric: Annotated[
        str | None, typer.Option(help="That decides; default: its recipe's, else the first of the measurement.")
    ] = None,
    test_set: Annotated[str, typer.Option(help="That decides; default: its first that production has too.")] = "",
    margin: Annotated[
        float | None, typer.Option(help="Production must be beaten by so much; default: its recipe's, else 0.")
    ] = None,
    slice_margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="No slice and no other test set may be worse than production's by more; default: its recipe's, "
            "else 0.02.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Whatever its figures say.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into production, if its figures let it."""
    store = _store(task, data)
    chosen = _resolved(store, version)
    given = {"metric": metric, "margin": margin, "slice_margin": slice_margin}
    changes = {"test_set": test_set} | {name: value for name, value in given.items() if value is not None}
    gate = None if force else Gate.model_validate(gate_of(store.about(chosen).recipe).model_dump() | changes)
    store.promote(chosen, gate, force=force)
    _print_production(store, as_json)


def rollback(task: Task, data: Data = None, as_json: AsJson = False) -> None:
    """Put the production before this one back."""
    store = _store(task, data)
    store.rollback()
    _print_production(store, as_json)


def withdraw(task: Task, data: Data = None, as_json: AsJson = False) -> None:
    """Have no version in production; `rollback` brings it back."""
    store = _store(task, data)
    store.withdraw()
    _print_production(store, as_json)


def export(
    task: Task,
    places: Annotated[list[str], typer.Argument(metavar="[VERSION] FOLDER", help="Default version: the candidate.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Copy a version's files and its manifest into a new folder."""
    store = _store(task, data)
    if len(places) > 2:
        raise InputError("Too many arguments.", cure=f"lingsou models export {task} VERSION FOLDER")
    version, target = _resolved(store, places[0] if len(places) > 1 else "candidate"), Path(places[-1])
    store.verify(version)
    if target.exists():
        raise ConflictError(f"'{target}' exists.", cure="Name a new folder.")
    shutil.copytree(store.path(version), target)
    if as_json:
        print_json({"version": version, "folder": str(target)})
    else:
        output.print(f"{version} is in {target}.", highlight=False, markup=False)


def collect(
    task: Task,
    keep: Annotated[int, typer.Option(min=0, help="So many of the newest stay, whatever their role.")] = 5,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Remove old versions. Production, candidate and what `rollback` needs stay."""
    removed = _store(task, data).collect(keep)
    if as_json:
        print_json({"removed": removed})
    else:
        output.print(f"Removed: {', '.join(removed) or 'nothing'}.", highlight=False)


def _store(task: str, data: Path | None) -> ModelStore:
    folder = folder_of(data)
    if task not in (known := _tasks(folder)):
        raise NotFoundError(f"No {task} was trained in '{folder.root}'.", cure=f"Have: {', '.join(known) or 'none'}.")
    return ModelStore(folder.models / task)


def _tasks(folder: DataFolder) -> list[str]:
    return sorted(path.name for path in folder.models.iterdir() if path.is_dir()) if folder.models.is_dir() else []


def _resolved(store: ModelStore, name: str) -> str:
    """The version that the user means."""
    if name not in ("production", "candidate"):
        return name
    version = store.aliases().model_dump()[name]
    if version is None:
        raise NotFoundError(f"The {store.task} has no {name}.", cure=f"lingsou models versions {store.task}")
    return str(version)


def _described(store: ModelStore) -> Iterator[dict[str, Any]]:
    aliases = store.aliases()
    for version in store.versions():
        manifest, problem = None, None
        try:
            manifest = store.about(version).model_dump(mode="json")
        except StorageError as error:
            problem = str(error)
        role = ", ".join(name for name in ("production", "candidate") if getattr(aliases, name) == version)
        yield {"task": store.task, "version": version, "role": role, "manifest": manifest, "problem": problem}


def _summary(test_set: str, measurement: dict[str, Any]) -> str:
    values = ", ".join(f"{name} {value:.4f}" for name, value in measurement["values"].items())
    return f"{test_set} ({measurement['rows']:,}): {values}"


def _told(row: Difference) -> str:
    if row.difference is None:
        return "other data"
    return f"{row.difference:+.4f}" + (" worse" if gain(row.metric, row.a, row.b) < 0 else "")


def _print_production(store: ModelStore, as_json: bool) -> None:
    aliases = store.aliases()
    if as_json:
        print_json({"task": store.task, **aliases.model_dump()})
    else:
        output.print(f"{store.task} in production: {aliases.production or 'none'}", highlight=False)
    errors.print(_NEXT.get(store.task, "A running service follows within `index.poll_ms`."), highlight=False)
