"""Task kinds by the names that recipes give them."""

from typing import Any

from lingsou.training.examples import Splits
from lingsou.training.neural.tasks.classification import ClassificationTask
from lingsou.training.neural.tasks.click import ClickTask
from lingsou.training.neural.tasks.distil import DistilledMatching, DistilledRelevance, Teacher
from lingsou.training.neural.tasks.history import HistoryTask
from lingsou.training.neural.tasks.masking import MaskingTask
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.tasks.relevance import RelevanceTask
from lingsou.training.neural.tasks.tagging import TaggingTask
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec


def make_task(name: str, spec: TaskSpec, splits: Splits[Any], model: TextModel, teacher: Teacher | None = None) -> Task:
    """The task of `spec.kind`; `splits` hold what that kind reads. With a `teacher` it is distilled, if it can be.

    Raises:
        InputError: nothing can be learned from these rows.
        ConfigurationError: the kind has no such loss or metric, or the teacher does not fit.
    """
    if teacher is not None and spec.kind == "matching":
        return DistilledMatching(name, spec, splits, model, teacher)
    if teacher is not None and spec.kind == "relevance":
        return DistilledRelevance(name, spec, splits, model, teacher)
    kinds = {
        "matching": MatchingTask,
        "relevance": RelevanceTask,
        "classes": ClassificationTask,
        "labels": ClassificationTask,
        "tags": TaggingTask,
        "click": ClickTask,
        "history": HistoryTask,
        "masking": MaskingTask,
    }
    task: Task = kinds[spec.kind](name, spec, splits, model)
    return task
