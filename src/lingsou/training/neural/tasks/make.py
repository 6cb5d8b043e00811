"""Task kinds by the names that recipes give them."""

from typing import Any

from lingsou.training.examples import Splits
from lingsou.training.neural.tasks.classification import ClassificationTask
from lingsou.training.neural.tasks.click import ClickTask
from lingsou.training.neural.tasks.history import HistoryTask
from lingsou.training.neural.tasks.masking import MaskingTask
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.tasks.relevance import RelevanceTask
from lingsou.training.neural.tasks.tagging import TaggingTask
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec


def make_task(name: str, spec: TaskSpec, splits: Splits[Any], model: TextModel) -> Task:
    """The task of `spec.kind`; `splits` hold what that kind reads.

    Raises:
        InputError: nothing can be learned from these rows.
        ConfigurationError: the kind has no such loss or metric.
    """
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
