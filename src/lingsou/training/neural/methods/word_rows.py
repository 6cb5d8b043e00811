"""The rows of the word table that a shop's texts use, as weights of their own."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lingsou.training.examples import Rows
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.text_model import TextModel


class _Words(nn.Module):
    """Looks a word up among the rows that move, else in the table, which does not."""

    def __init__(self, table: Any, words: Rows):
        """`words` sorted: `rows` are in the order of the table."""
        super().__init__()
        self.table = table.requires_grad_(False)
        place = torch.full((table.num_embeddings,), -1)
        place[torch.from_numpy(words)] = torch.arange(len(words))
        self.place = nn.Buffer(place.to(table.weight.device), persistent=False)
        self.rows = nn.Parameter(table.weight[self.place >= 0].clone())

    def forward(self, ids: Tensor) -> Tensor:
        place = self.place[ids]
        moved = nn.functional.embedding(place.clamp(min=0), self.rows)
        return torch.where((place >= 0).unsqueeze(-1), moved, self.table(ids))

    @torch.no_grad()
    def whole(self) -> nn.Module:
        """The table with its rows as they have become."""
        self.table.weight[self.place >= 0] = self.rows
        table: nn.Module = self.table
        return table


class WordRows(Attached):
    """The whole encoder moves, of the word table only the rows `words`; `merge` writes them back."""

    def __init__(self, model: TextModel, default_learning_rate: float, words: Rows):
        self._encoder: Any = model.base.model
        self._words = _Words(self._encoder.get_input_embeddings(), np.unique(words))
        self._encoder.set_input_embeddings(self._words)
        super().__init__(model, default_learning_rate)

    def merge(self) -> None:
        """Put the plain table back, with what its rows have learned."""
        self._encoder.set_input_embeddings(self._words.whole())
