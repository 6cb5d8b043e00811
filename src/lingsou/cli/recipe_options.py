"""What the verbs on recipes share: their options, and from those the recipe, its folders and the shop."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lingsou.cli.console import folder_of
from lingsou.core.errors import InputError
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.training.recipe import Recipe, find_recipe, read_recipe, recipe_toml
from lingsou.training.search import set_by_path

Name = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe that comes along, or the path of a file.")]
Files = Annotated[Path | None, typer.Option(help="Where the recipe's relative paths begin; default: its own folder.")]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder of this run; default: DATA/training/NAME. An unfinished run goes on.", show_default=False
    ),
]
Change = Annotated[
    list[str] | None, typer.Option("--set", help="Change a key of the recipe, as train.epochs=2; repeatable.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Forget an unfinished run.")]

_SHOP = ("log", "catalogue")
_WRITTEN = (
    *("checkpoint", "checkpoints", "best", "cards", "fp32", "int8", "tensorboard", "trials", "seed-*"),
    *("report.html", "report.json", "fold-*.json", "search.sqlite*", "search.lock", "best.toml"),
)
"""What trainings, cross-validations and searches leave in the folder of a run."""


@dataclass(frozen=True)
class Chosen:
    """What is to be done, and where."""

    recipe: Recipe
    text: str
    """TOML: the file as it stands, or where keys were changed, the recipe that came of it."""
    files: Path
    place: Path
    """Folder of the run."""
    shop: Shop | None


@contextmanager
def chosen(
    name: str,
    data: Path | None,
    files: Path | None,
    out: Path | None,
    change: Sequence[str] | None,
    *,
    restart: bool,
    folder: str = "{}",
    with_shop: bool = False,
) -> Iterator[Chosen]:
    """The recipe and everything around it; the shop is closed in the end.

    Args:
        name: of the recipe.
        data: option.
        files: option.
        out: option.
        change: option.
        restart: option.
        folder: of the run below `training/`, with `{}` for the recipe's name.
        with_shop: there must be one.

    Raises:
        InputError: a change has no value, or there is no folder for the run.
        NotFoundError, ConfigurationError: the recipe or the shop cannot be opened.
    """
    path = find_recipe(name)
    told = _changed(read_recipe(path), change or ())
    root = folder_of(data)
    taught = told.teacher not in (None, "base")
    wanted = with_shop or taught or any(spec.data.format in _SHOP for spec in told.tasks.values())
    shop = open_shop(root.root) if wanted or root.exists() else None
    try:
        if shop is None and out is None:
            raise InputError(
                "There is no shop to keep the model in.", cure="--out FOLDER, or --data with a shop's folder."
            )
        place = out or root.root / "training" / folder.format(told.name)
        if restart and place.is_dir():
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                raise InputError("Several processes cannot forget a run together.", cure=f"Remove {place} first.")
            _forget(place)
        text = recipe_toml(told) if change else path.read_text("utf-8-sig")
        yield Chosen(told, text, files or path.parent, place, shop)
    finally:
        if shop is not None:
            shop.close()


def _forget(place: Path) -> None:
    """Remove what runs write; whatever else lies in a folder that was named by --out is not ours."""
    for pattern in _WRITTEN:
        for path in place.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _changed(told: Recipe, changes: Sequence[str]) -> Recipe:
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"--set {change} has no value.", cure="--set train.epochs=2")
        told = set_by_path(told, key.strip(), value.strip())
    return told
