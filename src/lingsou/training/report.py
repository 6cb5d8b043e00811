"""The report of one training, for a person to audit: what came of it, where it is weak, and what it was made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from pydantic import BaseModel

from lingsou.evaluation.significance import Interval
from lingsou.training.data.card import DataCard
from lingsou.training.evaluations import Evaluation, Perturbed


class Moment(Protocol):
    """A point of the training's curves, as the journal keeps them."""

    @property
    def step(self) -> int:
        """Steps done."""

    @property
    def epoch(self) -> float:
        """Which epoch it was in."""

    @property
    def losses(self) -> Mapping[str, float]:
        """Task → mean loss since the point before."""

    @property
    def rate(self) -> float:
        """Learning rate."""

    @property
    def seconds(self) -> float:
        """Of training so far."""

    @property
    def values(self) -> Mapping[str, Mapping[str, float]]:
        """Task → metric → value on validation; empty between two evaluations."""


@dataclass(frozen=True)
class TaskReport:
    """One head: what it learned from, and how good it is."""

    name: str
    metric: str
    """That the weights were chosen by: a key of every evaluation's values."""
    card: DataCard
    before: Evaluation | None
    """The base on the test part before any training, with the head as it was initialised; none: not measured."""
    validation: Evaluation
    test: Evaluation
    interval: Interval | None = None
    """95 % interval of the metric on the test part."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Slice of the test part → how much it was measured on, see `report_tables.slice_counts`."""
    robustness: Mapping[str, Perturbed] = field(default_factory=dict)
    """Perturbation → the test part with its texts perturbed."""

    @property
    def kind(self) -> str:
        """Which task it is, such as `matching`."""
        return self.card.kind


@dataclass(frozen=True)
class Precision:
    """What fewer bits a weight cost."""

    chosen: str
    """`int8` or `fp32`: what is served."""
    why: str
    figures: Mapping[str, tuple[float, float]]
    """Task → its metric with fp32, and with int8, on the same rows."""


@dataclass(frozen=True)
class TrainingReport:
    """Everything on the page."""

    name: str
    about: str
    recipe_text: str
    """TOML."""
    base: str
    method: str
    trainable: int
    total: int
    """Weights that moved, and all of them."""
    seconds: float
    peak_mb: float
    machine: str
    points: Sequence[Moment]
    tasks: Sequence[TaskReport]
    kept: Sequence[int] = ()
    """The step whose weights were kept, or those that were averaged."""
    precision: Precision | None = None
    """None: nothing was exported."""
    versions: Mapping[str, str] = field(default_factory=dict)


def plain(report: TrainingReport) -> dict[str, Any]:
    """The report as values for JSON, with what the page leaves out; infinite and undefined numbers become null."""
    names = ("step", "epoch", "losses", "rate", "seconds", "values")
    points = [{name: getattr(point, name) for name in names} for point in report.points]
    found: dict[str, Any] = orjson.loads(
        orjson.dumps(_without_points(report) | {"points": points}, _simple, orjson.OPT_SERIALIZE_NUMPY)
    )
    return found


def _without_points(report: TrainingReport) -> dict[str, Any]:
    return {name: value for name, value in vars(report).items() if name != "points"}


def _simple(value: Any) -> Any:
    """What `orjson` does not know: models, other mappings and sequences than dictionaries and lists, other arrays."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
