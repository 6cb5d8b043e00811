"""What a model does on held-out examples: figures, slices, confusions, and its worst mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Worst:
    """One example that the model gets badly wrong, for people to read."""

    text: str
    expected: str
    found: str
    loss: float


@dataclass(frozen=True)
class Evaluation:
    """What a model does on one part of a task's data."""

    values: Mapping[str, float]
    """Metric → value; higher is better, but for metrics whose name ends in `loss`."""
    rows: int
    slices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Slice (such as `language: zh`) → metric → value."""
    confusion: tuple[Sequence[str], Any] | None = None
    """Labels [k], and counts int `[k, k]`: row is what was expected, column what was found."""
    worst: Sequence[Worst] = ()


@dataclass(frozen=True)
class Perturbed:
    """The same part with its texts perturbed in one way."""

    evaluation: Evaluation
    changed: float
    """Share of the texts that the perturbation could change; the others count as they are."""
