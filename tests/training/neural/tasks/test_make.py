"""Every kind of the recipe has its task."""

from typing import Any, get_args

import numpy as np
import pytest

from lingsou.training.examples import HistorySet, LabelSet, PairSet, Span, Splits, TagSet, TextSet
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskKind
from tests.training.neural.tasks.learning import spec

PAIRS = PairSet.of([("red", "red dress", 1.0), ("red", "shoe", 0.0)])
SETS: dict[str, Any] = {
    "matching": PAIRS,
    "relevance": PAIRS,
    "click": PAIRS,
    "classes": LabelSet(("red", "blue"), (("a",), ("b",))),
    "labels": LabelSet(("red", "blue"), (("a",), ("a", "b")), multiple=True),
    "tags": TagSet(("red",), ((Span(0, 3, "colour"),),)),
    "history": HistorySet(("red", "blue"), ((0, 1),), ("s",), np.zeros(1)),
    "masking": TextSet(("red", "blue")),
}


@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_every_kind_is_made_and_measured(kind: str, tiny_model: TextModel) -> None:
    examples = SETS[kind]
    task = make_task("it", spec(kind), Splits(examples, examples, examples), tiny_model)
    assert isinstance(task, Task)
    assert (task.name, task.rows) == ("it", len(examples))
    head = task.head(tiny_model.hidden)
    batches = task.epoch(np.random.default_rng(0), 8)
    assert task.loss(tiny_model, head, batches[0]).shape == ()
    assert task.metric in task.evaluate(tiny_model, head, "validation").values
