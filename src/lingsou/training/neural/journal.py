"""What a training says while it runs: points for curves, in the checkpoint and for TensorBoard."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from lingsou.core.types import Frozen


class Point(Frozen):
    """A moment of the training."""

    step: int = Field(description="steps done")
    epoch: float
    losses: Mapping[str, float] = Field(description="task → mean loss since the last point")
    rate: float = Field(description="learning rate of the encoder's last layer")
    seconds: float = Field(description="of training so far, over all starts")
    values: Mapping[str, Mapping[str, float]] = Field({}, description="task → metric → value on validation")


class Journal:
    """Points in order; each also goes to TensorBoard where it is installed, and there is a folder for it."""

    def __init__(self, folder: Path | None, points: Sequence[Mapping[str, Any]] = ()):
        self.points = [Point.model_validate(each) for each in points]
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # curves are in the report all the same
            return
        start = self.points[-1].step + 1 if self.points else None
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=start)

    def add(self, point: Point) -> None:
        """Keep a point."""
        self.points.append(point)
        if self._writer is None:
            return
        for task, loss in point.losses.items():
            self._writer.add_scalar(f"loss/{task}", loss, point.step)
        self._writer.add_scalar("learning-rate", point.rate, point.step)
        for task, values in point.values.items():
            for metric, value in values.items():
                self._writer.add_scalar(f"{metric}/{task}", value, point.step)

    def plain(self) -> list[dict[str, Any]]:
        """The points as JSON values."""
        return [each.model_dump(mode="json") for each in self.points]

    def close(self) -> None:
        """Write out what TensorBoard still holds."""
        if self._writer is not None:
            self._writer.close()
