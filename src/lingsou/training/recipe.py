"""Recipes: one TOML file says what is trained, on what, how, and what has to come of it."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

import lingsou
from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.core.gates import Gate
from lingsou.core.types import Frozen
from lingsou.encoders.manifest import HeadRole

TaskKind = Literal["matching", "relevance", "classes", "labels", "tags", "click", "history", "masking"]
DataFormat = Literal["pairs", "judgements", "labels", "tags", "histories", "texts", "log", "catalogue", "query-labels"]
MethodName = Literal["full", "top-layers", "frozen", "lora", "adalora", "prefix", "prompt", "adapter"]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class DataSpec(Frozen):
    """Where the examples of a task come from."""

    format: DataFormat = Field(description="of the file; `log` and `catalogue` read the shop itself")
    path: str | None = Field(None, description="file or folder; relative to the recipe, or to --files")
    train_paths: tuple[str, ...] = Field(
        (), description="files of further rows that are learned from and never measured by, such as pseudo-labels"
    )
    columns: Mapping[str, str] = Field({}, description="our name of a column → the file's own")
    limit: Count | None = Field(None, description="at most so many training rows, drawn by the seed, whole groups")
    validation: Share = Field(0.1, description="share held back to choose by, whole groups")
    test: Share = Field(0.1, description="share held back to measure by, whole groups")
    validation_path: str | None = Field(None, description="a file of its own instead of a share")
    test_path: str | None = Field(None, description="a file of its own instead of a share")
    max_suspected: Share | None = Field(
        None, description="refuse a set of which the noise report suspects a larger share of wrong labels; none: any"
    )


class TaskSpec(Frozen):
    """One head and what it learns."""

    kind: TaskKind
    data: DataSpec
    loss: str | None = Field(None, description="of the kind's losses; none: its first")
    metric: str | None = Field(None, description="of the kind's metrics, to choose by; none: its first")
    weight: Positive = Field(1.0, description="of this task's loss beside the others'")
    max_tokens: int = Field(64, ge=8, le=512, description="longer texts are cut")
    crf: bool = Field(False, description="tags: a linear-chain CRF over the token scores")
    characters: bool = Field(
        False,
        description="tags, classes: a model of characters and words beside the encoder; alone when that is late",
    )
    role: HeadRole | None = Field(
        None, description="what understanding reads the head as; none: the task's name, if it is a role"
    )
    meanings: Mapping[str, str] = Field(
        {},
        description="label → what it means: brand, category, product, model, attributes.NAME; empty: nothing",
    )
    hard_negatives: int = Field(0, ge=0, le=64, description="matching: mined products a query, beside the batch's own")
    temperature: Positive = Field(0.02, description="matching, history: cosines are divided by it")


class MethodSpec(Frozen):
    """Which weights move."""

    name: MethodName = "lora"
    rank: Count = Field(16, description="lora, adalora: of the update")
    alpha: Positive = Field(32.0, description="lora, adalora: the update is scaled by alpha / rank")
    dropout: Share = Field(0.0, description="lora, adalora, adapter: of what goes into the update")
    targets: tuple[str, ...] = Field(("query", "key", "value", "dense"), description="lora, adalora: of each layer")
    layers: Count = Field(4, description="top-layers: so many, counted from the last")
    virtual_tokens: Count = Field(20, description="prefix, prompt")
    bottleneck: Count = Field(48, description="adapter: width of its middle")
    word_table: bool = Field(
        False, description="full: the word table too, most of the weights; rows of words never met stay as they are"
    )


class TrainSpec(Frozen):
    """How the weights move."""

    epochs: Positive = 1.0
    batch: Count = Field(32, description="rows a step")
    accumulate: Count = Field(1, description="batches a step; their gradients are averaged")
    optimiser: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Positive | None = Field(None, description="none: the method's own default")
    head_learning_rate: Positive = 1e-2
    layer_decay: float = Field(1.0, gt=0, le=1, description="each layer below moves by so much less")
    weight_decay: float = Field(0.01, ge=0)
    warmup: Share = Field(0.1, description="share of all steps")
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    clip: Positive = Field(1.0, description="the gradient's norm is cut to it")
    dropout: Share = Field(0.0, description="in the encoder's layers")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field("auto", description="auto: bf16 where the device has it")
    gradient_checkpointing: bool = Field(
        False, description="layers are computed again instead of kept: memory for time"
    )
    adversarial: float = Field(0.0, ge=0, description="FGM: length of the step along the word vectors' gradient")
    mixing: Literal["fixed", "uncertainty"] = Field("fixed", description="how tasks' losses are weighed")
    sampling: float = Field(1.0, gt=0, description="temperature: tasks are drawn by rows^(1/temperature)")
    evaluations: int = Field(1, ge=0, description="on the validation set, an epoch")
    patience: int = Field(0, ge=0, description="stop after so many evaluations without a better one; 0: never")
    average: int = Field(0, ge=0, description="the mean of the best so many checkpoints is kept; 0: the best one")
    augment: Mapping[str, Share] = Field({}, description="augmentation → share of the training rows that it changes")
    checkpoint_minutes: Positive = 5.0
    seed: int = Field(0, ge=0)
    threads: int = Field(0, ge=0, description="0: every core this process may use")


class ExportSpec(Frozen):
    """What becomes of the trained weights."""

    precision: Literal["int8", "fp32"] = "int8"
    most_lost: float = Field(0.005, ge=0, description="int8 that loses more of the metric is not taken")
    vocabulary: Literal["whole", "shop"] = Field("whole", description="shop: only pieces that its texts use")
    layers: Count | None = Field(None, description="keep so many layers, evenly spaced, before training")


class GateSpec(Frozen):
    """What a candidate must show before it goes into production."""

    metric: str | None = Field(None, description="of the first task; none: its first")
    margin: float = Field(0.0, description="by which production must be beaten on the first task's test set")
    slice_margin: float = Field(0.05, ge=0, description="no slice and no other task may lose more")

    @property
    def gate(self) -> Gate:
        """The same, for the store."""
        return Gate(metric=self.metric or "", margin=self.margin, slice_margin=self.slice_margin)


class Recipe(Frozen):
    """A whole training: tasks by name, method, schedule, export and gate."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    about: str = Field("", description="what it is for, in a sentence")
    base: str = Field("e5-small", description="e5-small, a folder, or a hub id such as hf:org/name")
    teacher: str | None = Field(
        None,
        description="matching learns its vectors, relevance its scores, instead of grades: `base`, `production`, or a "
        "version of the shop",
    )
    tasks: Mapping[str, TaskSpec] = Field(min_length=1, description="the head's name → its task")
    method: MethodSpec = MethodSpec()
    train: TrainSpec = TrainSpec()
    export: ExportSpec = ExportSpec()
    gate: GateSpec = GateSpec()

    @model_validator(mode="after")
    def _fit_together(self) -> "Recipe":
        alone = [name for name, task in self.tasks.items() if task.kind == "relevance"]
        if alone and len(self.tasks) > 1:
            raise ValueError(f"the cross-encoder '{alone[0]}' reads two texts at once and is trained alone")
        for name, task in self.tasks.items():
            if task.role is not None and task.kind != ("tags" if task.role == "entities" else "classes"):
                raise ValueError(f"the task '{name}' of kind '{task.kind}' cannot have the role '{task.role}'")
            if task.characters and task.kind not in ("tags", "classes"):
                raise ValueError(f"the task '{name}' of kind '{task.kind}' cannot have characters beside the encoder")
        return self


def shipped_recipes() -> list[Path]:
    """The files of the recipes that come along, by name: of the source tree, else of the installation."""
    tree = Path(lingsou.__file__).parents[2] / "configs" / "recipes"
    folder = tree if tree.is_dir() else Path(sys.prefix) / "share" / "lingsou" / "recipes"
    return sorted(folder.glob("*.toml"))


def find_recipe(name: str) -> Path:
    """The file that `name` means: a path, or the name of a recipe that comes along.

    Raises:
        NotFoundError: there is none.
    """
    known = {path.stem: path for path in shipped_recipes()}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise NotFoundError(
            f"There is no recipe '{name}'.", cure=f"A file, or one of: {', '.join(known)}. lingsou train recipes"
        )
    return path


def read_recipe(path: Path) -> Recipe:
    """The recipe in the file `path`.

    Raises:
        ConfigurationError: it cannot be read, or a key or value is wrong; the message names it.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", cure="lingsou train recipes") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", cure="Mend that line.") from error
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {first['msg']}.", field=where or None, cure="docs/training.md lists every key."
        ) from error


def gate_of(text: str) -> Gate:
    """The gate of the recipe that a model's manifest tells; one with all defaults where it tells none.

    Raises:
        ConfigurationError: the text is no recipe.
    """
    if not text:
        return Gate()
    try:
        return GateSpec.model_validate(tomllib.loads(text).get("gate", {})).gate
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(
            f"The model's recipe, which names its gate, cannot be read: {error}.", cure="Train anew, or --force."
        ) from error


def recipe_toml(recipe: Recipe) -> str:
    """TOML that `read_recipe` reads as the same recipe; what is as it is by default is left out."""
    values = {"name": recipe.name, "base": recipe.base, **recipe.model_dump(mode="json", exclude_defaults=True)}
    return "\n".join(_lines(values, ())).strip() + "\n"


def _lines(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    if path and len(tables) < len(values):
        yield from ("", f"[{'.'.join(map(_key, path))}]")
    for key, value in values.items():
        if key not in tables and value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        yield from _lines(value, (*path, key))


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """As JSON, which is TOML but for one character that it does not escape."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
