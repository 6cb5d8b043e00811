"""Going on from a model of the shop: its weights, its old data to be replayed, and its old test set.

Source of replay against forgetting: Robins 1995; de Masson d'Autume et al. 2019 for language models.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.model_store import ModelStore
from lingsou.pipeline.shop import Shop
from lingsou.training.data.content import joined
from lingsou.training.data.load import splits_of
from lingsou.training.examples import Splits
from lingsou.training.neural.base import Base, open_base
from lingsou.training.neural.checkpoint import load_weights, save_weights
from lingsou.training.neural.compression import drop_layers
from lingsou.training.neural.device import Device
from lingsou.training.neural.tasks.distil import Teacher
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import Recipe

WEIGHTS = "weights.safetensors"
"""In an artefact folder: every weight that differs from the base's, and the heads'. Serving does not read it."""

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

    def take_up(self, heads: nn.ModuleDict) -> None:
        """Put its heads' weights into those of the same name and shape; labels that are new begin anew."""
        with torch.no_grad():
            for name, value in heads.named_parameters():
                kept = self.heads.get(name)
                if kept is not None and kept.shape == value.shape:
                    value.copy_(kept)


def write_weights(folder: Path, model: TextModel, heads: nn.ModuleDict, recipe: Recipe) -> None:
    """Keep what a later training needs to go on, in `weights.safetensors`: what changed since the base, float32."""
    known = _begun(recipe).model.state_dict()
    changed = {
        f"{ENCODER}{name}": value
        for name, value in model.base.model.state_dict().items()
        if name not in known or known[name].shape != value.shape or not torch.equal(known[name], value.cpu())
    }
    save_weights(folder / WEIGHTS, changed | {f"{HEAD}{name}": value for name, value in heads.named_parameters()})


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
    told = store.about(version).recipe
    folder = store.path(version)
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
    weights = load_weights(folder / WEIGHTS)
    base = _begun(own)
    encoder = {name.removeprefix(ENCODER): value for name, value in weights.items() if name.startswith(ENCODER)}
    base.model.load_state_dict(encoder, strict=False)
    heads = {name.removeprefix(HEAD): value for name, value in weights.items() if name.startswith(HEAD)}
    return Parent(version, own, base, heads)


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


def _begun(recipe: Recipe) -> Base:
    """The base as a training by `recipe` begins with it, its vocabulary whole."""
    base = open_base(recipe.base)
    return drop_layers(base, recipe.export.layers) if recipe.export.layers else base


def old_splits(parent: Parent, files: Path, shop: Shop | None) -> dict[str, Splits[Any]]:
    """The data that the parent learned from, as far as it can still be read, by task."""
    seed = parent.recipe.train.seed
    return {
        name: splits_of(spec.data, spec.kind, files, shop, seed=seed, noise=False)[0]
        for name, spec in parent.recipe.tasks.items()
    }


def with_replay(new: Splits[Any], old: Splits[Any], share: float, seed: int) -> Splits[Any]:
    """New training rows, and old ones beside them: `share` of their number. Held-out groups stay out of both."""
    held = {*new.validation.keys(), *new.test.keys(), *old.validation.keys(), *old.test.keys()}
    wanted = round(share * len(new.train))
    fitting = np.array([row for row, key in enumerate(old.train.keys()) if key not in held], np.int64)
    if not wanted or not len(fitting):
        return new
    drawn = np.random.default_rng(seed).permutation(fitting)[:wanted]
    fresh = np.array([row for row, key in enumerate(new.train.keys()) if key not in held], np.int64)
    return Splits(joined([new.train.take(fresh), old.train.take(np.sort(drawn))]), new.validation, new.test)
