"""How much of a task's quality is left when its texts are typed badly, or otherwise."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import nn

from lingsou.training.augment import PERTURBATIONS
from lingsou.training.evaluations import Perturbed
from lingsou.training.examples import Splits
from lingsou.training.neural.tasks.classification import ClassificationTask
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.tagging import TaggingTask
from lingsou.training.neural.tasks.task import Part, Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec
from lingsou.training.robustness import changed, few, perturbed


def robustness(
    name: str,
    spec: TaskSpec,
    splits: Splits[Any],
    model: TextModel,
    head: nn.Module,
    kinds: Iterable[str] = PERTURBATIONS,
    seed: int = 0,
    part: Part = "test",
    fitted: Task | None = None,
) -> dict[str, Perturbed]:
    """Kind of perturbation → the task's evaluation on `part` with its texts perturbed.

    The task is made anew of the perturbed part and of the few rows of the others that name its labels, so nothing
    else is cut into tokens again. Masked-token adaptation has no robustness: its head guesses among the pieces of the
    very texts it was made of, and is thrown away. Cost: one evaluation of the part for each kind.

    Args:
        name: of the task.
        spec: of the task; negatives are not mined.
        splits: that it was trained and measured on.
        model: trained.
        head: trained.
        kinds: of perturbations.
        seed: each kind's draws depend on it and the kind alone.
        part: to perturb and measure.
        fitted: the task that was trained, of which comes what was fitted beside its head; none: the head alone.

    Raises:
        ConfigurationError: there is no such perturbation.
    """
    if spec.kind == "masking":
        return {}
    spec = spec.model_copy(update={"hard_negatives": 0})
    sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    small = {each: examples.take(few(examples)) for each, examples in sets.items()}
    found = {}
    for kind in kinds:
        rng = np.random.default_rng([seed, *kind.encode()])
        typed = perturbed(sets[part], kind, rng)
        task = make_task(name, spec, Splits(**small | {part: typed}), model)
        if isinstance(task, ClassificationTask) and isinstance(fitted, ClassificationTask):
            task.take_characters(fitted)
        if isinstance(task, TaggingTask) and isinstance(fitted, TaggingTask):
            task.take_characters(fitted)
        found[kind] = Perturbed(task.evaluate(model, head, part), changed(sets[part], typed))
    return found
