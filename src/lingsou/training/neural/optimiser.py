"""Optimiser and schedule of a training."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.methods.layers import layers_of
from lingsou.training.recipe import TrainSpec

_LAYER = re.compile(r"(?:^|\.)layers?\.(\d+)\.")
_MOMENTUM = 0.9
_FUSED = {"cpu", "cuda", "mps"}


def make_optimiser(
    attached: Attached, heads: Mapping[str, nn.Module], spec: TrainSpec, extra: Sequence[nn.Parameter] = ()
) -> Optimizer:
    """AdamW or SGD (momentum 0.9) over everything that moves. Learning rates are those before the schedule.

    Weights with one axis (biases, LayerNorms) and embedding tables do not decay; for tables that would move words that
    no text has. With `spec.layer_decay`, the top layer moves at the full rate, each one below by so much less than
    the one above it, and the embeddings least. Groups carry the names of their parameters (`param_names`).

    Args:
        attached: the method at work on the encoder.
        heads: the tasks' heads by name; they move at `spec.head_learning_rate`.
        spec: how weights move.
        extra: further weights that do not decay, such as those of the tasks' losses; they move as heads do.

    Raises:
        ConfigurationError: nothing moves, or SGD is asked for without a learning rate.
    """
    rate = _rate(attached, spec)
    depth = _depths(attached)
    named = [
        (f"backbone.{name}", parameter, rate * spec.layer_decay ** depth(name), _decays(name, parameter))
        for name, parameter in attached.parameters().items()
    ]
    for head, module in heads.items():
        named += [
            (f"heads.{head}.{name}", parameter, spec.head_learning_rate, _decays(name, parameter))
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        ]
    named += [(f"extra.{place}", each, spec.head_learning_rate, False) for place, each in enumerate(extra)]
    if not named:
        raise ConfigurationError(
            "Nothing moves: the encoder is frozen, and the tasks have no head.",
            field="method.name",
            cure="Another method than frozen.",
        )
    members: dict[tuple[float, float], list[tuple[str, nn.Parameter]]] = {}
    for name, parameter, own_rate, decays in named:
        members.setdefault((own_rate, spec.weight_decay if decays else 0.0), []).append((name, parameter))
    groups: list[dict[str, Any]] = [
        {"params": group, "lr": own_rate, "weight_decay": decay} for (own_rate, decay), group in members.items()
    ]
    fused = all(parameter.device.type in _FUSED for _, parameter, _, _ in named)
    if spec.optimiser == "sgd":
        return SGD(groups, momentum=_MOMENTUM, fused=fused)
    return AdamW(groups, fused=fused)


def schedule_of(spec: TrainSpec, total_steps: int) -> Callable[[int], float]:
    """Step (counted from 0) → factor of the learning rates.

    It rises evenly to 1 over the first `spec.warmup` of the steps; then it stays, falls evenly, or falls along half a
    cosine, such that it would be 0 just after the last step. No step has the factor 0.
    """
    rising = math.ceil(spec.warmup * total_steps)
    falling = max(1, total_steps - rising)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        if spec.schedule == "constant":
            return 1.0
        share = min(1.0, (step - rising) / falling)
        return 1.0 - share if spec.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * share))

    return factor


def _rate(attached: Attached, spec: TrainSpec) -> float:
    if spec.learning_rate is not None:
        return spec.learning_rate
    if spec.optimiser == "sgd":
        raise ConfigurationError(
            "The methods' default learning rates are AdamW's; SGD would stand still at them.",
            field="train.learning_rate",
            cure="Name one, such as 0.05.",
        )
    return attached.default_learning_rate


def _depths(attached: Attached) -> Callable[[str], int]:
    """Name of a weight → how many layers lie above its own."""
    layers = len(layers_of(attached.model.base.model))

    def depth(name: str) -> int:
        if found := _LAYER.search(name):
            return layers - 1 - int(found[1])
        return layers if "embeddings." in name else 0

    return depth


def _decays(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and "embeddings." not in name
