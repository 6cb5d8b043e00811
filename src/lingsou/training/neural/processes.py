"""Several processes at work on one training, one for each device, as `torchrun` or `accelerate launch` start them.

Each takes its share of a step's batches, and their gradients are added up, so that N processes take the very steps of
one whose `accumulate` is N times as large. The first of them alone measures, writes and prints.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.optional import require


@dataclass(frozen=True)
class Processes:
    """Which process of the training it is, of how many."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that measures and writes."""
        return self.rank == 0

    def add_up(self, weights: Iterable[nn.Parameter]) -> None:
        """Make each weight's gradient the sum over all processes; one that is nowhere stays away."""
        if self.count == 1:
            return
        moving = list(weights)
        there = torch.tensor([each.grad is not None for each in moving], device=moving[0].device).float()
        parts = [torch.zeros_like(each) if each.grad is None else each.grad for each in moving]
        flat = torch.cat([*(part.reshape(-1) for part in parts), there])
        summed = _accelerate().utils.reduce(flat, "sum")
        anywhere = summed[-len(moving) :].tolist()
        sums = summed[: -len(moving)].split([each.numel() for each in moving])
        for each, found, part in zip(moving, anywhere, sums, strict=True):
            each.grad = part.view_as(each).clone() if found else None

    def agree(self, *, enough: bool, device: torch.device) -> bool:
        """What the first process says."""
        if self.count == 1:
            return enough
        return bool(_accelerate().utils.broadcast(torch.tensor(float(enough), device=device)))


ALONE = Processes()


def launched() -> bool:
    """Whether this process was started as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def join() -> tuple[Processes, torch.device]:
    """Meet the others: which process it is, and the device that is its own."""
    state = _accelerate().PartialState(cpu=not torch.cuda.is_available())
    return Processes(state.process_index, state.num_processes), state.device


def require_one(what: str) -> None:
    """Refuse `what` where several processes were started: it trains more than one model.

    Raises:
        ConfigurationError: there are several.
    """
    if launched():
        raise ConfigurationError(f"{what} is done by one process.", cure="Start it without torchrun or accelerate.")


def _accelerate() -> Any:
    return require("accelerate", "train")  # seconds to import
