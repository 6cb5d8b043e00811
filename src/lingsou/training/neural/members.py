"""One recipe trained with several seeds: the mean of the members' weights, and the mean of what they predict.

The mean of weights costs a search nothing, for it is one model again: Wortsman et al., "Model soups: averaging weights
of multiple fine-tuned models improves accuracy without increasing inference time", ICML 2022, greedy as there.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError, ConflictError
from lingsou.pipeline.shop import Shop
from lingsou.training.neural.checkpoint import Weights, load_weights, write_whole
from lingsou.training.neural.continual import ENCODER, HEAD, WEIGHTS, write_weights
from lingsou.training.neural.processes import require_one
from lingsou.training.neural.run import Data, Prepared, prepare, run_key
from lingsou.training.neural.tasks.tagging import TagHead
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from lingsou.training.neural.trainer import OnStep, Trained
from lingsou.training.recipe import Recipe, TaskKind

Values = Mapping[str, Mapping[str, float]]
"""Task → metric → value."""

_LINEAR: tuple[TaskKind, ...] = ("relevance", "classes", "labels", "tags")
"""Kinds whose heads' outputs can be averaged; of matching the cosines are, of others nothing."""


@dataclass(frozen=True)
class Member:
    """One training, done."""

    seed: int
    folder: Path
    score: float
    """On validation, what weights are chosen by."""
    test: Values
    steps: int
    seconds: float


@dataclass(frozen=True)
class Members:
    """All trainings of a recipe."""

    run: Prepared
    """With the mean of the weights in place, to be delivered."""
    trained: Trained
    members: Sequence[Member]
    """By seed."""
    kept: Sequence[int]
    """The seeds whose weights' mean it is."""
    together: Values
    """The mean of all members' predictions on the test parts, of the tasks that it can be told of; not delivered."""

    @property
    def made(self) -> str:
        """How the weights came about, in words."""
        seeds = ", ".join(map(str, self.kept))
        return f"the mean of the weights of seeds {seeds}" if len(self.kept) > 1 else f"the best of the seeds, {seeds}"


def train_members(
    recipe: Recipe,
    seeds: int,
    data: Data,
    files: Path,
    folder: Path,
    shop: Shop | None = None,
    *,
    on_member: Callable[[int, int], OnStep | None] = lambda *_: None,
) -> Members:
    """Train with `seeds` seeds from the recipe's own on, over the same rows. Goes on after a kill.

    Members join the mean from the best on validation downwards, as long as it gets no worse there; so what comes out
    is on validation at least as good as the best of them.

    Args:
        recipe: what to train.
        seeds: how many.
        data: what `read_data` gives: the split is the same for all.
        files: relative paths of the recipe begin here.
        folder: gets `seed-<seed>/`.
        shop: for data that is the shop's own.
        on_member: told of each member's seed and steps as it begins, gives what is told of its steps.

    Raises:
        ConfigurationError: the method leaves no weights that can be averaged; or as `prepare` says.
        ConflictError: the folder has members of another recipe or other data.
    """
    require_one("Training with several seeds")
    if recipe.method.name in ("prefix", "prompt", "adapter"):
        raise ConfigurationError(
            f"The weights of '{recipe.method.name}' stay beside the encoder's and cannot be averaged over seeds.",
            field="method.name",
            cure="lora or full; or one seed.",
        )
    first = recipe.train.seed
    members = [
        _member(
            recipe.model_copy(update={"train": recipe.train.model_copy(update={"seed": seed})}),
            data,
            files,
            folder / f"seed-{seed}",
            shop,
            on_member,
        )
        for seed in range(first, first + seeds)
    ]
    run = prepare(recipe, files, folder, shop, data=data)
    run.attached.merge()
    weights = _weights(run, members)
    first_ranked, *others = sorted(members, key=lambda each: -each.score)
    kept, best = [first_ranked.seed], first_ranked.score
    for member in others:
        _put(run, _mean([weights[seed] for seed in (*kept, member.seed)]))
        score = _score(run)
        if score >= best:
            kept, best = [*kept, member.seed], score
    together = _together(run, list(weights.values()))
    _put(run, _mean([weights[seed] for seed in kept]))
    trained = Trained((), sum(each.steps for each in members), (), sum(each.seconds for each in members))
    return Members(run, trained, members, sorted(kept), together)


def _member(
    recipe: Recipe,
    data: Data,
    files: Path,
    folder: Path,
    shop: Shop | None,
    on_member: Callable[[int, int], OnStep | None],
) -> Member:
    """A member as its folder has it, else by training."""
    path, seed = folder / "member.json", recipe.train.seed
    key = run_key(recipe, {name: sets for name, (sets, _) in data.items()})
    if path.is_file():
        found: dict[str, Any] = orjson.loads(path.read_bytes())
        if found.pop("key") != key:
            raise ConflictError(
                f"The member in '{folder}' is of another recipe or other data.",
                cure="--restart to begin anew, or another folder.",
            )
        return Member(seed=seed, folder=folder, **found)
    run = prepare(recipe, files, folder, shop, data=data)
    trained = run.train(on_member(seed, run.trainer.steps))
    told = {
        "score": _score(run),
        "test": {name: dict(each.values) for name, each in run.evaluate("test").items()},
        "steps": trained.steps,
        "seconds": trained.seconds,
    }
    run.attached.merge()
    write_weights(folder, run.model, run.trainer.heads, recipe.base)
    write_whole(path, orjson.dumps({"key": key, **told}))
    return Member(seed=seed, folder=folder, **told)  # type: ignore[arg-type]


def _score(run: Prepared) -> float:
    found = run.evaluate("validation")
    return sum(found[task.name].values[task.metric] for task in run.tasks) / len(run.tasks)


def _weights(run: Prepared, members: Sequence[Member]) -> dict[int, Weights]:
    """Seed → all weights that any member changed; where it did not, as training began."""
    changed = {each.seed: load_weights(each.folder / WEIGHTS) for each in members}
    names = {name for each in changed.values() for name in each}
    begun = {f"{ENCODER}{name}": value for name, value in run.base.model.state_dict().items()}
    begun = {name: value.detach().clone() for name, value in begun.items() if name in names}
    return {seed: {**begun, **each} for seed, each in changed.items()}


def _mean(members: Sequence[Weights]) -> Weights:
    return {name: torch.stack([each[name] for each in members]).mean(0) for name in members[0]}


def _put(run: Prepared, weights: Weights) -> None:
    run.base.model.load_state_dict(_under(ENCODER, weights), strict=False)
    run.trainer.heads.load_state_dict(_under(HEAD, weights), strict=False)


def _under(prefix: str, weights: Weights) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _together(run: Prepared, weights: Sequence[Weights]) -> Values:
    model = _Ensemble(run.model, [_under(ENCODER, each) for each in weights])
    found = {}
    for task in run.tasks:
        kind = run.recipe.tasks[task.name].kind
        if kind == "matching" or kind in _LINEAR:
            heads = [deepcopy(run.head(task.name)) for _ in weights]
            for head, each in zip(heads, weights, strict=True):
                head.load_state_dict(_under(f"{HEAD}{task.name}.", each), strict=False)
            evaluation = task.evaluate(model, _Heads(heads, vectors=kind == "matching"), "test")
            found[task.name] = dict(evaluation.values)
    return found


class _Ensemble(TextModel):
    """The members' states side by side, `[batch, tokens, members · hidden]`; their weights take turns in one model."""

    def __init__(self, model: TextModel, members: Sequence[Weights]):
        super().__init__(model.base)
        self.hidden *= len(members)
        self._members = members
        self._autocast = model._autocast

    @property
    def frozen(self) -> bool:
        """No: weights change within a pass."""
        return False

    def forward(self, tokens: TokenBatch) -> Tensor:
        """Token states."""
        found = []
        for weights in self._members:
            self.base.model.load_state_dict(weights, strict=False)
            found.append(super().forward(tokens))
        return torch.cat(found, -1)


class _Heads(nn.Module):
    """Each member's head over its own states: the mean of what they say, or their unit vectors side by side.

    The cosine of vectors that stand side by side is the mean of the members' cosines.
    """

    def __init__(self, heads: Sequence[nn.Module], *, vectors: bool):
        super().__init__()
        self._heads = nn.ModuleList(heads)
        self._vectors = vectors
        self.register_buffer("temperature", torch.ones(()))
        self.crf: nn.Module | None = None
        if isinstance(heads[0], TagHead) and heads[0].crf is not None:
            self.crf = deepcopy(heads[0].crf)
            with torch.no_grad():
                for name, value in self.crf.named_parameters():
                    others = [head.get_submodule("crf").get_parameter(name) for head in heads]
                    value.copy_(torch.stack(list(others)).mean(0))

    def forward(self, states: Tensor, *tokens: TokenBatch) -> Tensor:
        parts = states.chunk(len(self._heads), dim=-1)
        found = [head(part, *tokens) for head, part in zip(self._heads, parts, strict=True)]
        if self._vectors:
            return torch.cat([functional.normalize(each, dim=-1) for each in found], -1)
        return torch.stack(found).mean(0)
