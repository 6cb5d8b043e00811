"""Going on from a model of the shop: its weights, and of its data what it keeps, to be replayed and measured by.

Source of replay against forgetting: Robins 1995; de Masson d'Autume et al. 2019 for language models.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from lingsou.core.errors import ConfigurationError, InputError, StorageError
from lingsou.core.model_store import ModelStore
from lingsou.training.data.content import joined
from lingsou.training.data.earlier import Earlier, drawn
from lingsou.training.examples import ExampleSet, HistorySet, Splits
from lingsou.training.neural.base import Base, open_base
from lingsou.training.neural.checkpoint import load_weights, write_whole
from lingsou.training.neural.compression import drop_layers
from lingsou.training.neural.device import Device
from lingsou.training.neural.tasks.distil import Teacher
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import Recipe

WEIGHTS, DATA = "weights.safetensors", "data"
"""In an artefact folder: every weight that differs from the base's, and the heads'; and the folder of what it keeps of
its data. Serving reads neither."""

ENCODER, HEAD = "encoder.", "head."
"""What the names in it begin with."""


@dataclass(frozen=True)
class Parent:
    """A version that training goes on from."""

    version: str
    recipe: Recipe
    """That it was made by."""
    base: Base
    """With its weights."""
    heads: Mapping[str, Tensor]
    """By `task.parameter`."""
    reference: str
    """The pretrained model that the first of its line began with, as `open_base` takes it."""
    data: Path
    """Where it keeps data; older versions kept none."""

    def take_up(self, heads: nn.ModuleDict) -> None:
        """Put its heads' weights into those of the same name and shape; labels that are new begin anew."""
        with torch.no_grad():
            for name, value in heads.named_parameters():
                kept = self.heads.get(name)
                if kept is not None and kept.shape == value.shape:
                    value.copy_(kept)


def write_weights(folder: Path, model: TextModel, heads: nn.ModuleDict, reference: str) -> None:
    """Keep what a later training needs to go on, in `weights.safetensors`: what changed since the base, float32.

    The file also says what it is a difference against, for a recipe does not: with `--from`, training began with the
    base and the layers of another one.

    Args:
        folder: gets the file.
        model: trained, everything merged.
        heads: by task.
        reference: of the base that it all began with, as `open_base` takes it.

    Raises:
        StorageError: the file cannot be written.
    """
    layers = model.base.model.config.num_hidden_layers
    known, own = _begun(reference, layers).model.state_dict(), model.base.model.state_dict()
    changed = {name: value for name, value in own.items() if not _same(known.get(name), value.cpu())}
    weights = {f"{ENCODER}{name}": value for name, value in changed.items()}
    weights |= {f"{HEAD}{name}": value for name, value in heads.named_parameters()}
    unchanged = json.dumps(sorted(own.keys() - changed.keys()))
    told = {"base": reference, "layers": str(layers), "unchanged": unchanged}
    content = save({name: value.detach().cpu().contiguous() for name, value in weights.items()}, told)
    write_whole(folder / WEIGHTS, content)


def _same(known: Tensor | None, value: Tensor) -> bool:
    return known is not None and torch.equal(known, value)


def open_parent(recipe: Recipe, version: str, models: Path) -> Parent:
    """The version of the shop's encoder or reranker, whichever `recipe` trains; `production` means the one in force.

    Raises:
        NotFoundError: there is no such version.
        ConfigurationError: nothing is in production, or the version cannot be trained on.
        StorageError: it is damaged.
    """
    reranker = any(spec.kind == "relevance" for spec in recipe.tasks.values())
    store = ModelStore(models / ("reranker" if reranker else "encoder"))
    if version in ("production", "candidate"):
        named = store.alias(version)  # type: ignore[arg-type]
        if named is None:
            raise ConfigurationError(
                f"No {store.task} is {version} yet.", field="--from", cure="Train one without --from first."
            )
        version = named
    store.verify(version)
    about = store.about(version)
    told, folder = about.recipe, store.path(version)
    if not told or not (folder / WEIGHTS).is_file():
        raise ConfigurationError(
            f"{version} cannot be trained on: it holds no {WEIGHTS}.",
            field="--from",
            cure="Train anew; a cut vocabulary and the methods prefix, prompt and adapter leave none.",
        )
    try:
        own = Recipe.model_validate(tomllib.loads(told))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise StorageError(f"The recipe of {version} cannot be read: {error}.", cure="Train anew.") from error
    weights, began = load_weights(folder / WEIGHTS), _told(folder / WEIGHTS)
    if not began and about.parent:
        raise ConfigurationError(
            f"{version} cannot be trained on: it went on from {about.parent} and does not say by which base.",
            field="--from",
            cure="Train anew; versions made since then say it.",
        )
    reference = began.get("base", own.base)
    layers = int(began["layers"]) if began else own.export.layers
    base = _begun(reference, layers)
    encoder = {name.removeprefix(ENCODER): value for name, value in weights.items() if name.startswith(ENCODER)}
    unchanged = set(json.loads(began["unchanged"])) if began else base.model.state_dict().keys() - encoder.keys()
    try:
        missing, unexpected = base.model.load_state_dict(encoder, strict=False)
    except RuntimeError as error:
        raise _unfit(version, reference) from error
    if unexpected or set(missing) != unchanged:
        raise _unfit(version, reference)
    heads = {name.removeprefix(HEAD): value for name, value in weights.items() if name.startswith(HEAD)}
    return Parent(version, own, base, heads, reference, folder / DATA)


def _told(path: Path) -> dict[str, str]:
    """What the file of weights says of itself; empty for older ones."""
    with safe_open(path, framework="pt") as file:
        found: dict[str, str] | None = file.metadata()
    return found or {}


def _unfit(version: str, reference: str) -> StorageError:
    return StorageError(
        f"The weights of {version} do not fit its base '{reference}': their names or shapes differ.",
        cure="Put back the base that it was trained from, or train anew.",
    )


def open_teacher(recipe: Recipe, models: Path | None, device: Device) -> Teacher:
    """The model that `recipe.teacher` names, to be read alone.

    Raises:
        As `open_parent`; and ConfigurationError where a version is named and there is no shop.
    """
    assert recipe.teacher is not None
    if recipe.teacher == "base":
        base, heads = open_base(recipe.base), dict[str, Tensor]()
    elif models is None:
        raise ConfigurationError(
            f"The teacher '{recipe.teacher}' is a version of a shop, and none is given.",
            field="teacher",
            cure="Name the shop: --data FOLDER, or teach by `base`.",
        )
    else:
        parent = open_parent(recipe, recipe.teacher, models)
        base, heads = parent.base, dict(parent.heads)
    device.prepare(base.model)
    model = TextModel(base).to(device.device)
    model.use(device.precision)
    model.eval()
    return Teacher(model, heads)


def _begun(reference: str, layers: int | None) -> Base:
    """The base with so many layers, none: all; its vocabulary whole."""
    base = open_base(reference)
    if layers is None or layers == base.model.config.num_hidden_layers:
        return base
    return drop_layers(base, layers)


def earlier_data(parent: Parent, recipe: Recipe) -> dict[str, Earlier]:
    """What the parent keeps of its data, of the tasks that `recipe` has too.

    Raises:
        StorageError: it is damaged.
    """
    found = {}
    for name, spec in recipe.tasks.items():
        known, path = parent.recipe.tasks.get(name), data_file(parent.data, name)
        if known is not None and known.kind == spec.kind and path.is_file():
            found[name] = Earlier.read(path, spec.kind)
    return found


def data_file(folder: Path, task: str) -> Path:
    """Where the data of a task is kept."""
    return folder / f"{task}.jsonl.gz"


def with_replay(new: Splits[Any], old: Earlier, share: float, seed: int) -> Splits[Any]:
    """New training rows without those of the old test part, and old ones beside them: `share` of their number.

    Raises:
        InputError: all new rows are of the old test part.
    """
    measured = set(_names(old.test))
    fresh = _without(new.train, measured)
    if not len(fresh):
        raise InputError(
            f"All {len(new.train):,} rows to learn from are of the test part of the model that training goes on from.",
            cure="Train on new data, or without --from.",
        )
    fitting = _without(old.train, {*measured, *_names(new.validation), *_names(new.test)})
    replayed = fitting.take(drawn(_names(fitting), round(share * len(fresh)), seed))
    train = joined([fresh, replayed]) if len(replayed) else fresh
    return Splits(train, new.validation, new.test)


def _without(examples: ExampleSet, names: set[str]) -> ExampleSet:
    rows = [row for row, name in enumerate(_names(examples)) if name not in names]
    return examples.take(np.array(rows, np.int64))


def _names(examples: ExampleSet) -> list[str]:
    """By which rows of two trainings are told to be the same: their groups; of histories, whose nobody kept, all."""
    if isinstance(examples, HistorySet):
        return ["\0".join(examples.texts[item] for item in items) for items in examples.items]
    return examples.keys()
