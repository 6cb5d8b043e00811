"""A training loop of ten lines, for tests of tasks."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import DataSpec, TaskSpec


def spec(kind: str, **changes: object) -> TaskSpec:
    return TaskSpec.model_validate({"kind": kind, "data": DataSpec(format="labels"), "max_tokens": 32, **changes})


@dataclass
class Learned:
    head: nn.Module
    losses: list[float]


def learn(task: Task, model: TextModel, *, steps: int, batch: int = 32, rate: float = 3e-3, seed: int = 0) -> Learned:
    torch.manual_seed(seed)
    head = task.head(model.hidden)
    moving = [weight for weight in (*model.parameters(), *head.parameters()) if weight.requires_grad]
    optimiser = torch.optim.AdamW(moving, lr=rate, weight_decay=0.0)
    rng, losses = np.random.default_rng(seed), list[float]()
    while len(losses) < steps:
        for rows in task.epoch(rng, batch):
            optimiser.zero_grad()
            loss = task.loss(model, head, rows)
            assert loss.shape == ()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
    return Learned(head, losses)


def same_batches(task: Task) -> None:
    """The same seed gives the same batches, another seed others, and every row comes once."""
    first, again, other = (task.epoch(np.random.default_rng(seed), 4) for seed in (1, 1, 2))
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in again]
    assert [rows.tolist() for rows in first] != [rows.tolist() for rows in other]
    assert sorted(np.concatenate(first).tolist()) == list(range(task.rows))
