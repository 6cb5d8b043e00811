from typing import Any

import numpy as np
import pytest
import torch

from lingsou.training.examples import Rows
from lingsou.training.neural.multitask import Weighing, plan_steps
from lingsou.training.recipe import TrainSpec


class Rowed:
    """Only what planning asks of a task."""

    def __init__(self, rows: int):
        self.rows = rows

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        order = rng.permutation(self.rows)
        return [order[at : at + batch] for at in range(0, self.rows, batch)]


def plan(sizes: list[int], **spec: Any) -> list[Any]:
    tasks: Any = [Rowed(size) for size in sizes]
    return plan_steps(tasks, TrainSpec(batch=10, **spec))


def test_one_epoch_takes_every_row_once() -> None:
    steps = plan([95])
    rows = np.concatenate([rows for step in steps for _, rows in step.batches])
    assert len(steps) == 10
    assert sorted(rows.tolist()) == list(range(95))


def test_the_seed_decides_everything() -> None:
    def told(seed: int) -> list[Any]:
        return [
            (step.epoch, [(task, rows.tolist()) for task, rows in step.batches]) for step in plan([40, 20], seed=seed)
        ]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_temperature_evens_the_tasks_out() -> None:
    def counts(sampling: float) -> list[int]:
        drawn = [task for step in plan([900, 100], sampling=sampling) for task, _ in step.batches]
        return [drawn.count(0), drawn.count(1)]

    assert counts(1.0) == [90, 10]
    assert counts(2.0) == [75, 25]  # 90^½ : 10^½ = 3 : 1


@pytest.mark.parametrize(("epochs", "steps"), [(0.5, 5), (1.0, 10), (1.5, 15), (2.0, 20)])
def test_epochs_may_be_broken(epochs: float, steps: int) -> None:
    assert len(plan([100], epochs=epochs)) == steps


def test_accumulated_batches_share_a_step() -> None:
    steps = plan([100], accumulate=4)
    assert [len(step.batches) for step in steps] == [4, 4, 2]


def test_fixed_weights_multiply_and_learned_ones_balance() -> None:
    fixed = Weighing([2.0, 0.5], learned=False)
    assert float(fixed(0, torch.tensor(3.0))) == 6.0
    learned = Weighing([1.0, 1.0], learned=True)
    optimiser = torch.optim.SGD(learned.parameters(), lr=0.2)
    for _ in range(300):  # the best s of a loss L is log 2L
        (learned(0, torch.tensor(4.0)) + learned(1, torch.tensor(0.5))).backward()
        optimiser.step()
        optimiser.zero_grad()
    assert learned.spread.tolist() == pytest.approx([np.log(8.0), 0.0], abs=1e-2)
