"""What a method made of an encoder: the weights that move, and how they become plain weights again."""

from collections.abc import Mapping

from torch import Tensor, nn

from lingsou.training.neural.text_model import TextModel


class Attached:
    """A method at work on `model.backbone`. Methods that need more than `requires_grad` extend it."""

    mergeable = True
    """Whether `merge` leaves the plain encoder; if not, the export has to know the method."""

    def __init__(self, model: TextModel, default_learning_rate: float):
        self.model = model
        self.default_learning_rate = default_learning_rate
        self.trainable = sum(parameter.numel() for parameter in self.parameters().values())
        """Weights of the backbone that move."""
        self.total = sum(parameter.numel() for parameter in model.backbone.parameters())
        """All its weights, those of the method included."""

    def parameters(self) -> dict[str, nn.Parameter]:
        """The weights of the backbone that move, by names that stay the same from one run to the next."""
        named = self.model.backbone.named_parameters()
        return {name: parameter for name, parameter in named if parameter.requires_grad}

    def extra_loss(self) -> Tensor | None:
        """What the method adds to the loss of every step, a scalar."""
        return None

    def after_step(self, step: int) -> None:
        """To be called after the optimiser's step number `step`, counted from 1, before gradients are cleared."""

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold beside `parameters()`, by name."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up the `state()` of an earlier run."""

    def merge(self) -> None:
        """Fold what was learned into the encoder's own weights where that can be done; training ends with it."""
