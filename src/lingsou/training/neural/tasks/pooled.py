"""Texts as pooled states; a frozen encoder reads each text once."""

import torch
from torch import Tensor
from torch.nn import functional

from lingsou.training.examples import Rows
from lingsou.training.neural.tasks.reports import evaluating
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenTable

_BATCH = 64


class PooledTexts:
    """The pooled states of a table's texts."""

    def __init__(self, table: TokenTable):
        self.table = table
        self._kept: Tensor | None = None
        self._of: tuple[object, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    def rows(self, model: TextModel, rows: Rows) -> Tensor:
        """Mean token states `[rows, hidden]` on the model's device, with gradients where its weights move."""
        if model.frozen and model.keeps_states:
            return self.all(model)[torch.from_numpy(rows)].to(model.device)
        return model.pooled(self.table.batch(rows).to(model.device))

    def sentences(self, model: TextModel, rows: Rows) -> Tensor:
        """The same as unit vectors."""
        return functional.normalize(self.rows(model, rows), dim=-1)

    def all(self, model: TextModel) -> Tensor:
        """All texts, `[n, hidden]`, on the CPU, in evaluation mode.

        They are kept as long as no weight of a frozen model changes, and always read in the same batches,
        so that a training that was resumed sees the same numbers.
        """
        if not model.frozen:
            self._kept = None
            return self._read(model)
        state = _state(model)
        if self._kept is None or self._of != state:
            self._kept, self._of = self._read(model), state
        return self._kept

    def _read(self, model: TextModel) -> Tensor:
        found = torch.empty(len(self.table), model.hidden)
        order = self.table.lengths.argsort(kind="stable")
        with evaluating(model):
            for first in range(0, len(order), _BATCH):
                rows = order[first : first + _BATCH]
                found[torch.from_numpy(rows)] = model.pooled(self.table.batch(rows).to(model.device)).cpu()
        return found


def _state(model: TextModel) -> tuple[object, ...]:
    """Changes whenever a weight does: PyTorch counts the changes of each tensor in place."""
    return tuple((id(weight), weight._version) for weight in model.backbone.parameters())
