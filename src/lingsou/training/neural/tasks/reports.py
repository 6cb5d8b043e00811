"""What the evaluations of all tasks share: modes, slices, and the worst examples."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lingsou.evaluation.slices import LEAST
from lingsou.training.examples import ExampleSet, Rows
from lingsou.training.neural.tasks.task import Worst

MOST_WORST = 20


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """No gradients and evaluation mode for the time; modes are put back."""
    modes = [module.training for module in modules]
    try:
        with torch.no_grad():
            for module in modules:
                module.eval()
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.train(mode)


def by_slice(examples: ExampleSet, measure: Callable[[Rows], Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    """`measure` of the rows of each slice (`language: zh`); slices of fewer than five rows and NaNs are left out."""
    found: dict[str, Mapping[str, float]] = {}
    for dimension, values in examples.slices.items():
        names, place = np.unique(np.array(values), return_inverse=True)
        for number, name in enumerate(names.tolist()):
            rows = np.flatnonzero(place == number)
            if len(rows) >= LEAST:
                measured = measure(rows)
                found[f"{dimension}: {name}"] = {key: value for key, value in measured.items() if value == value}
    return found


def worst(losses: NDArray[np.floating], describe: Callable[[int], tuple[str, str, str]]) -> list[Worst]:
    """The rows of the highest `losses` [n], worst first. `describe` gives text, expected and found of a row."""
    order = np.argsort(-losses, kind="stable")[:MOST_WORST].tolist()
    return [Worst(*describe(row), float(losses[row])) for row in order]
