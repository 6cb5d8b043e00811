"""The `Task` protocol: data → batch → head → loss → metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from lingsou.encoders.graph import LateInteraction
from lingsou.encoders.manifest import HeadManifest
from lingsou.training.evaluations import Evaluation as Evaluation
from lingsou.training.evaluations import Worst as Worst
from lingsou.training.examples import Rows
from lingsou.training.neural.text_model import TextModel

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class ExportedHead:
    """A linear head for the graph: scores = `weight` [k, hidden] · x + `bias` [k]."""

    manifest: HeadManifest
    over: Literal["pooled", "states"]
    """x is the mean of a text's token states, before it is made a unit vector; or each token's state."""
    weight: Tensor
    bias: Tensor
    crf: Mapping[str, Tensor] = field(default_factory=dict)
    """`start` [k], `end` [k], `transitions` [k, k] of a CRF, when the head has one."""
    characters: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """The arrays of what decides by characters beside the head, if anything does."""
    late: LateInteraction | None = None
    """What is added to the number of a cross-encoder."""


@runtime_checkable
class Task(Protocol):
    """One head and what it learns. Made of its splits and its `TaskSpec`; texts are cut into tokens once."""

    name: str
    metric: str
    """The metric to choose by: a key of `Evaluation.values`."""
    rows: int
    """Training rows."""

    def head(self, hidden: int) -> nn.Module:
        """The parameters of the task's own, freshly initialised; an empty module where it has none."""
        ...

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """The batches of one epoch as training rows, decided by `rng` alone."""
        ...

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of a batch, a scalar."""
        ...

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Measure on a part that was not trained on. Leaves modes (train, eval) as they were."""
        ...

    def export(self, head: nn.Module) -> ExportedHead | None:
        """How the head is served; none where the encoder itself is the product."""
        ...
