"""`lingsou models`: the encoders on this machine, and the models that a shop has trained."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lingsou.cli import model_versions
from lingsou.cli.console import AsJson, errors, output, print_json
from lingsou.core.settings import EncoderSettings
from lingsou.encoders import list_models, pull
from lingsou.encoders.models import ModelEntry, show

models = typer.Typer(
    help="Text encoders, and the models of the shop's own.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Folder = Annotated[
    Path | None,
    typer.Option("--models", help="Models folder; default: $LINGSOU_MODELS_DIR, else ~/.local/share/lingsou/models."),
]


@models.command("pull")
def pull_(
    name: Annotated[str, typer.Argument(help="e5-small (built offline), a folder, or a hub id such as hf:org/name.")],
    folder: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Make it anew although it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a model into the models folder."""
    target = _folder(folder)
    with errors.status(f"bringing {name} into {target}"):
        entry = pull(name, target, force=force)
    _print([entry], as_json)


@models.command("list")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """Every model of the folder."""
    _print(list_models(_folder(folder)), as_json)


@models.command("show")
def show_(name: str, folder: Folder = None, as_json: AsJson = False) -> None:
    """One model, its files compared with its manifest."""
    _print([show(name, _folder(folder))], as_json)


for verb in (
    model_versions.versions,
    model_versions.compare,
    model_versions.promote,
    model_versions.rollback,
    model_versions.withdraw,
    model_versions.export,
    model_versions.collect,
):
    models.command()(verb)


def _folder(folder: Path | None) -> Path:
    return folder or EncoderSettings().models_dir


def _print(entries: list[ModelEntry], as_json: bool) -> None:
    if as_json:
        print_json({"models": [_plain(entry) for entry in entries]})
        return
    table = Table("model", "dimension", "licence", "MiB", "state", "folder", box=None)
    for entry in entries:
        manifest = entry.manifest
        size = sum(file.size for file in manifest.files.values()) / 2**20 if manifest else 0
        facts = (str(manifest.dimension), manifest.licence) if manifest else ("", "")
        table.add_row(entry.name, *facts, f"{size:.0f}", entry.problem or "ok", str(entry.folder))
    output.print(table if entries else "No model yet: lingsou models pull e5-small")


def _plain(entry: ModelEntry) -> dict[str, object]:
    manifest = entry.manifest.model_dump(mode="json") if entry.manifest else None
    return {"name": entry.name, "folder": str(entry.folder), "problem": entry.problem, "manifest": manifest}
