"""LoRA and AdaLoRA, by `peft`: each weight matrix gets an update of low rank, which is folded into it at the end.

Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (ICLR 2022); Zhang et al., Adaptive Budget Allocation
for Parameter-Efficient Fine-Tuning (ICLR 2023). The tuners of `peft` work on the encoder in place, without the
`PeftModel` around it, so the encoder stays what it is to everybody else.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.optional import require
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.methods.layers import layers_of
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec

_NAME = "default"
_FIRST_RANK = 1.5
"""AdaLoRA begins with so many times the rank that it ends with (section 4 of the paper)."""
_FREE, _SETTLED = 0.1, 0.3
"""Shares of all steps: before ranks are cut, and after."""
_ALLOCATIONS = 100
"""At most about so many cuts: each one masks every matrix."""
_ORTHOGONAL = 0.1
"""Weight of AdaLoRA's regularisation (0.1 to 0.5 in the paper)."""
_FEWEST_STEPS = 10


class Lora(Attached):
    """W + alpha / rank · B·A, where B starts at zero."""

    def __init__(self, model: TextModel, spec: MethodSpec, default_learning_rate: float):
        peft = _peft()
        config = peft.LoraConfig(
            r=spec.rank, lora_alpha=spec.alpha, lora_dropout=spec.dropout, target_modules=_targets(model, spec)
        )
        self._tuner: Any = peft.LoraModel(model.base.model, config, _NAME)
        _leave_types_alone(self._tuner)
        super().__init__(model, default_learning_rate)

    def merge(self) -> None:
        """Add the updates to the weights that they are of."""
        self._tuner.merge_and_unload()


class AdaLora(Attached):
    """W + alpha / rank · B·diag(E)·A; entries of E that matter little become zero, until `rank` a matrix are left."""

    def __init__(self, model: TextModel, spec: MethodSpec, default_learning_rate: float, total_steps: int):
        if total_steps < _FEWEST_STEPS:
            raise ConfigurationError(
                f"AdaLoRA cuts its ranks in the course of a training, and {total_steps} steps are too few for it.",
                field="method.name",
                cure=f"lora, or {_FEWEST_STEPS} steps or more (train.epochs, train.batch).",
            )
        peft = _peft()
        first_rank = max(spec.rank + 1, round(_FIRST_RANK * spec.rank))
        self._config: Any = peft.AdaLoraConfig(
            target_r=spec.rank,
            init_r=first_rank,
            lora_alpha=spec.alpha * first_rank / spec.rank,  # it is divided by the first rank for good
            lora_dropout=spec.dropout,
            target_modules=_targets(model, spec),
            tinit=int(_FREE * total_steps),
            tfinal=int(_SETTLED * total_steps),
            deltaT=max(1, total_steps // _ALLOCATIONS),
            total_step=total_steps,
        )
        self._tuner: Any = peft.AdaLoraModel(model.base.model, self._config, _NAME)
        _leave_types_alone(self._tuner)
        super().__init__(model, default_learning_rate)
        named = self.parameters()
        self._rows = [weight for name, weight in named.items() if ".lora_A." in name]
        self._columns = [weight for name, weight in named.items() if ".lora_B." in name]

    def extra_loss(self) -> Tensor:
        """How far the rows of A and the columns of B are from being orthonormal, the mean over all of them."""
        products = [weight @ weight.T for weight in self._rows] + [weight.T @ weight for weight in self._columns]
        stacked = torch.stack(products)
        apart = stacked - torch.eye(stacked.shape[-1], device=stacked.device)
        loss: Tensor = _ORTHOGONAL * torch.linalg.matrix_norm(apart).mean()
        return loss

    def after_step(self, step: int) -> None:
        """Weigh every entry by its gradient, and cut to the budget of this step."""
        self._tuner.update_and_allocate(step)

    def state(self) -> dict[str, Tensor]:
        """The running sensitivities, and which entries are left once that is settled."""
        allocator = self._tuner.rankallocator
        found = {f"sensitivity.{name}": value for name, value in allocator.exp_avg_ipt.items()}
        found |= {f"uncertainty.{name}": value for name, value in allocator.exp_avg_unc.items()}
        return found | {f"left.{name}": torch.tensor(kept) for name, kept in (self._config.rank_pattern or {}).items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up the `state()` of an earlier run."""
        allocator = self._tuner.rankallocator
        device = self._rows[0].device
        state = {name: value.to(device) for name, value in state.items()}
        allocator.exp_avg_ipt = _under("sensitivity.", state)
        allocator.exp_avg_unc = _under("uncertainty.", state)
        allocator.ipt = dict.fromkeys(allocator.exp_avg_ipt)  # tells it that the averages are there
        self._config.rank_pattern = {name: kept.tolist() for name, kept in _under("left.", state).items()} or None

    def merge(self) -> None:
        """Add the updates to the weights that they are of."""
        self._tuner.merge_and_unload()


def _leave_types_alone(tuner: Any) -> None:
    """Spare each update the turn of its input to float32, from which autocast turns it back at once."""
    for part in tuner.modules():
        if hasattr(part, "cast_input_dtype_enabled"):
            part.cast_input_dtype_enabled = False


def _peft() -> Any:
    return require("peft", "train")  # seconds to import, and only these two methods need it


def _targets(model: TextModel, spec: MethodSpec) -> list[str]:
    """Full names of the layers' linear parts that `spec` names: a pooler's `dense` learns nothing here."""
    inside = {id(part) for layer in layers_of(model.base.model) for part in layer.modules()}
    linear = {
        name: part
        for name, part in model.base.model.named_modules()
        if isinstance(part, nn.Linear) and id(part) in inside
    }
    known = sorted({name.rsplit(".", 1)[-1] for name in linear})
    for target in spec.targets:
        if target not in known:
            raise ConfigurationError(
                f"No linear part of the encoder's layers is called '{target}'.",
                field="method.targets",
                cure=f"Any of: {', '.join(known)}.",
            )
    found = [name for name in linear if name.rsplit(".", 1)[-1] in spec.targets]
    if not found:
        raise ConfigurationError("No part is named.", field="method.targets", cure=f"Any of: {', '.join(known)}.")
    return found


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
