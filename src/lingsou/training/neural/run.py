"""From a recipe to a measured model: data, tasks, training, export."""

import hashlib
import resource
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from torch import nn

from lingsou.core.errors import StorageFullError
from lingsou.pipeline.chat import Chat
from lingsou.pipeline.shop import Shop
from lingsou.rules import RuleStore
from lingsou.training.augment import Augmenter
from lingsou.training.data.card import DataCard
from lingsou.training.data.content import fingerprint_in_order, texts_of
from lingsou.training.data.earlier import Earlier
from lingsou.training.data.load import splits_of
from lingsou.training.evaluations import Evaluation
from lingsou.training.examples import HistorySet, PairSet, Splits
from lingsou.training.neural.base import Base, open_base
from lingsou.training.neural.compression import drop_layers, prune_vocabulary, rows_to_keep
from lingsou.training.neural.continual import Parent, earlier_data, open_teacher, with_replay
from lingsou.training.neural.device import Device, choose
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.multitask import plan_steps
from lingsou.training.neural.tasks.distil import Teacher
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel, set_dropout
from lingsou.training.neural.tokens import Cutter
from lingsou.training.neural.trainer import OnScore, OnStep, Trained, Trainer
from lingsou.training.recipe import Recipe, TaskKind
from lingsou.training.robustness import few
from lingsou.training.translation import BackTranslation

_REHEARSED = 3
"""Steps that an estimate is measured on."""
_READ_ONCE: frozenset[TaskKind] = frozenset(("matching", "classes", "labels", "click", "history"))
"""Tasks whose texts a frozen encoder reads once."""


@dataclass(frozen=True)
class Plan:
    """What will run, before hours are spent."""

    steps: int
    rows: Mapping[str, int]
    """Task → training rows."""
    trainable: int
    total: int
    """Weights that move, and all of them."""
    device: str
    precision: str
    seconds: float
    """Estimated from steps that were tried, without evaluations."""
    peak_mb: float
    """Resident memory so far, those steps included."""
    disk_mb: float
    """Free space that checkpoints and exports need."""


@dataclass(frozen=True)
class Prepared:
    """Everything in memory and checked; nothing has moved yet."""

    recipe: Recipe
    base: Base
    model: TextModel
    splits: Mapping[str, Splits[Any]]
    cards: Mapping[str, DataCard]
    tasks: list[Task]
    attached: Attached
    device: Device
    trainer: Trainer
    parent: Parent | None = None
    old: Mapping[str, Earlier] = field(default_factory=dict)
    """Task → what the parent kept of its data."""
    data: Mapping[str, Earlier] = field(default_factory=dict)
    """Task → what the next training may need of this one's data: rows before augmentation."""

    def head(self, name: str) -> nn.Module:
        """The head of a task."""
        return self.trainer.heads[name]

    def evaluate(self, part: str) -> dict[str, Evaluation]:
        """Every task on `validation` or `test`, by the weights as they are."""
        return {task.name: task.evaluate(self.model, self.head(task.name), part) for task in self.tasks}  # type: ignore[arg-type]

    def evaluate_old(self) -> dict[str, Evaluation]:
        """Every task that the parent had too, on the parent's test part: what was forgotten."""
        found = {}
        for task in self.tasks:
            if task.name in self.old:
                spec = self.recipe.tasks[task.name].model_copy(update={"hard_negatives": 0})
                old, train = self.old[task.name], self.splits[task.name].train
                # The head was shaped by the labels of what is trained on now.
                named = Splits(train.take(few(train)), self.splits[task.name].validation, old.test)
                again = make_task(task.name, spec, named, self.model)
                found[task.name] = again.evaluate(self.model, self.head(task.name), "test")
        return found

    def metric(self, name: str) -> str:
        """The metric that a task is chosen by."""
        return next(task.metric for task in self.tasks if task.name == name)

    def plan(self) -> Plan:
        """What will run. A few steps are tried and taken back."""
        seconds = self.trainer.rehearse(_REHEARSED) * self.trainer.steps
        if self.model.frozen and all(self.recipe.tasks[task.name].kind in _READ_ONCE for task in self.tasks):
            seconds /= max(self.recipe.train.epochs, 1.0)  # later epochs find what the first one read
        return Plan(
            steps=self.trainer.steps,
            rows={task.name: task.rows for task in self.tasks},
            trainable=sum(parameter.numel() for parameter in self.trainer.moving.values()),
            total=sum(parameter.numel() for parameter in self.model.parameters()),
            device=str(self.device.device),
            precision=str(self.device.precision or torch.float32).removeprefix("torch."),
            seconds=seconds,
            peak_mb=peak_mb(),
            disk_mb=self.trainer.disk_bytes() / 2**20,
        )

    def train(self, on_step: OnStep | None = None, on_score: OnScore | None = None) -> Trained:
        """Train to the end, or go on from the folder's checkpoint; arguments as for `Trainer.run`."""
        return self.trainer.run(on_step, on_score=on_score)


Data = Mapping[str, tuple[Splits[Any], DataCard]]
"""Task → its examples and their card."""


def read_data(recipe: Recipe, files: Path, shop: Shop | None = None) -> Data:
    """Every task's examples as `prepare` reads them, for those who prepare more than once; errors as there."""
    seed = recipe.train.seed
    return {name: splits_of(spec.data, spec.kind, files, shop, seed=seed) for name, spec in recipe.tasks.items()}


def prepare(
    recipe: Recipe,
    files: Path,
    folder: Path,
    shop: Shop | None = None,
    *,
    data: Data | None = None,
    parent: Parent | None = None,
    replay: float = 0.0,
) -> Prepared:
    """Read data, open the base, cut texts, attach the method; every error of the user's shows here.

    Args:
        recipe: what to do.
        files: relative paths of the recipe begin here.
        folder: of this run; checkpoints in it are resumed.
        shop: for data that is the shop's own.
        data: what to learn from and to measure by; none: what `read_data` gives.
        parent: go on from this version instead of the base that the recipe names.
        replay: so many of the parent's old rows are learned again, as a share of the new.

    Raises:
        InputError: data that nothing can be learned from.
        ConfigurationError: the recipe does not fit the data, the base or the device.
        StorageFullError: checkpoints would not fit on the disk.
    """
    device = choose(recipe.train.precision, recipe.train.threads)
    data = data or read_data(recipe, files, shop)
    splits: dict[str, Splits[Any]] = {name: sets for name, (sets, _) in data.items()}
    cards = {name: card for name, (_, card) in data.items()}
    old = earlier_data(parent, recipe) if parent else {}
    splits |= {name: with_replay(splits[name], each, replay, recipe.train.seed) for name, each in old.items()}
    learned = {name: Earlier(sets.train, sets.test) for name, sets in splits.items()}
    if recipe.train.augment:
        rules = RuleStore(shop.store.database).in_force()[1] if shop else ()
        translate = None
        if shop and "translation" in recipe.train.augment:
            translate = BackTranslation(Chat(shop.settings.llm), shop.folder.translations)
        augment = Augmenter(recipe.train.augment, rules=rules, translate=translate)
        rng = np.random.default_rng(recipe.train.seed)
        splits = {name: replace(sets, train=augment(sets.train, rng)) for name, sets in splits.items()}
    base = parent.base if parent else open_base(recipe.base)
    if recipe.export.layers and base.model.config.num_hidden_layers > recipe.export.layers:
        base = drop_layers(base, recipe.export.layers)
    if recipe.export.vocabulary == "shop":
        base = prune_vocabulary(base, rows_to_keep(base, used_pieces(base, splits)))
    device.prepare(base.model)
    set_dropout(base.model, recipe.train.dropout)
    if recipe.train.gradient_checkpointing:
        base.model.activation_checkpointing_enable({"use_reentrant": False})
    teacher = open_teacher(recipe, shop.folder.models if shop else None, device) if recipe.teacher else None
    run = assemble(recipe, base, splits, cards, device, folder, teacher)
    if parent is not None:
        parent.take_up(run.trainer.heads)
    return replace(run, parent=parent, old=old, data=learned)


def used_pieces(base: Base, splits: Mapping[str, Splits[Any]]) -> set[int]:
    """Every piece that a text of any part uses."""
    cutter = Cutter(base.tokenizer, 0)
    used = set(cutter.table([""], prefix=base.document_prefix, max_tokens=512).used().tolist())
    for sets in splits.values():
        for part in (sets.train, sets.validation, sets.test):
            texts = {*texts_of(part), *(part.texts if isinstance(part, PairSet | HistorySet) else ())}
            used |= set(cutter.table(sorted(texts), prefix=base.query_prefix, max_tokens=512).used().tolist())
    return used


def assemble(
    recipe: Recipe,
    base: Base,
    splits: Mapping[str, Splits[Any]],
    cards: Mapping[str, DataCard],
    device: Device,
    folder: Path,
    teacher: Teacher | None = None,
) -> Prepared:
    """Tasks, method and trainer over data that is in memory; arguments and errors as in `prepare`."""
    key = run_key(recipe, splits, (base.model, *([teacher.model] if teacher else ())))
    model = TextModel(base).to(device.device)
    model.use(device.precision)
    tasks = [make_task(name, spec, splits[name], model, teacher) for name, spec in recipe.tasks.items()]
    accumulate = recipe.train.accumulate * device.processes.count
    steps = plan_steps(tasks, recipe.train.model_copy(update={"accumulate": accumulate}))
    # Masked words are guessed by the whole table, so there it has to stay whole.
    masks = any(spec.kind == "masking" for spec in recipe.tasks.values())
    words = np.array(sorted(used_pieces(base, splits)), np.int64) if recipe.method.word_table and not masks else None
    attached = attach(model, recipe.method, recipe.train.seed, len(steps), words)
    weights = {name: spec.weight for name, spec in recipe.tasks.items()}
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(model, attached, tasks, steps, weights, recipe.train, device, folder, key=key)
    needed, free = trainer.disk_bytes(), shutil.disk_usage(folder).free
    if needed > free:
        raise StorageFullError(
            f"Checkpoints and exports take {needed / 2**20:,.0f} MiB, and '{folder}' has {free / 2**20:,.0f} MiB left.",
            cure="Free some space, name another folder, or choose a method that moves fewer weights.",
        )
    return Prepared(recipe, base, model, splits, cards, tasks, attached, device, trainer)


def run_key(recipe: Recipe, splits: Mapping[str, Splits[Any]], models: Iterable[nn.Module] = ()) -> str:
    """Names the recipe, the very rows and the weights it began with: a checkpoint of another key is not resumed."""
    told = orjson.dumps(recipe.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(told)
    for name, sets in sorted(splits.items()):
        parts = map(fingerprint_in_order, (sets.train, sets.validation, sets.test))
        digest.update(f"{name} {' '.join(parts)}\n".encode())
    for model in models:
        for name, value in model.state_dict().items():
            digest.update(f"{name} {tuple(value.shape)}\n".encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def peak_mb() -> float:
    """The most memory that this process ever had resident."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
