"""Several tasks, one encoder: which task each step trains, and how its loss is weighed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lingsou.training.examples import Rows
from lingsou.training.neural.tasks.task import Task
from lingsou.training.recipe import TrainSpec


@dataclass(frozen=True)
class Step:
    """One optimiser step: batches as (number of the task, its rows), whose gradients are averaged."""

    epoch: int
    batches: Sequence[tuple[int, Rows]]


def plan_steps(tasks: Sequence[Task], spec: TrainSpec) -> list[Step]:
    """Every step of the training, decided by the seed alone, so that a resumed run takes the very same ones.

    An epoch has as many batches as the tasks have together. A task's share is its batches^(1/`sampling`): 1 keeps
    the sizes, more evens them out, and a task that needs more batches than it has begins again.
    """
    steps: list[Step] = []
    epochs, batch, accumulate, seed, sampling = spec.epochs, spec.batch, spec.accumulate, spec.seed, spec.sampling
    whole = int(np.ceil(epochs))
    for epoch in range(whole):
        rngs = [np.random.default_rng([seed, epoch, number]) for number in range(len(tasks))]
        own = [task.epoch(rng, batch) for task, rng in zip(tasks, rngs, strict=True)]
        sizes = np.array([len(each) for each in own], np.float64)
        share = sizes ** (1 / sampling) / (sizes ** (1 / sampling)).sum()
        wanted = np.maximum(np.rint(share * sizes.sum()), 1).astype(int)
        for number, (task, rng) in enumerate(zip(tasks, rngs, strict=True)):
            while len(own[number]) < wanted[number]:
                own[number] = own[number] + task.epoch(rng, batch)
        turns = np.repeat(np.arange(len(tasks)), wanted)
        turns = np.random.default_rng([seed, epoch, len(tasks)]).permutation(turns)
        used = [0] * len(tasks)
        batches: list[tuple[int, Rows]] = []
        for number in turns.tolist():
            batches.append((number, own[number][used[number]]))
            used[number] += 1
        steps.extend(Step(epoch, batches[at : at + accumulate]) for at in range(0, len(batches), accumulate))
        if epoch == whole - 1 and epochs < whole:
            kept = round(len(batches) / accumulate * (epochs - whole + 1))
            first = len(steps) - -(-len(batches) // accumulate)
            del steps[first + max(kept, 1) :]
    return steps


class Weighing(nn.Module):
    """The factor of each task's loss.

    `fixed`: its weight. `uncertainty`: weight · exp(−s) · loss + s / 2, with s learned for each task. Source: Kendall,
    Gal & Cipolla, "Multi-task learning using uncertainty to weigh losses", CVPR 2018.
    """

    def __init__(self, weights: Sequence[float], *, learned: bool):
        super().__init__()
        self._weights = list(weights)
        self.spread = nn.Parameter(torch.zeros(len(weights)), requires_grad=learned)

    def forward(self, task: int, loss: Tensor) -> Tensor:
        """The weighed loss of one task."""
        weighed = loss * self._weights[task]
        if not self.spread.requires_grad:
            return weighed
        return torch.exp(-self.spread[task]) * weighed + self.spread[task] / 2
