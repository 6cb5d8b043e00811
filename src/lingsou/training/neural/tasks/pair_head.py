"""The head of a cross-encoder: how well the document meets each of the query's words, and a linear map of the whole."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lingsou.training.neural.text_model import mean_state
from lingsou.training.neural.tokens import TokenBatch

_SCALE, _MIDDLE = 20.0, 0.85
"""At first the score is 20 · (late interaction − 0.85): cosines of such encoders lie close together, and high."""


class PairHead(nn.Module):
    """scale · late interaction + weight · mean token state + bias.

    It begins as late interaction alone, and thus without any training ranks nearly as the encoder's vectors do; a head
    that begins by chance has to learn that from the pairs first.
    """

    def __init__(self, hidden: int, end: int):
        """Args: `end`, the id of the token that ends a text."""
        super().__init__()
        self.end = end
        self.scale = nn.Parameter(torch.tensor(_SCALE))
        self.linear = nn.Linear(hidden, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, -_SCALE * _MIDDLE)

    def forward(self, states: Tensor, tokens: TokenBatch) -> Tensor:
        """The number of each pair `[batch]`, from its token states `[batch, tokens, hidden]`."""
        whole: Tensor = self.linear(mean_state(states, tokens.mask))[:, 0]
        return whole + self.scale * late_interaction(states, tokens.ids, tokens.mask, self.end)


def late_interaction(states: Tensor, ids: Tensor, mask: Tensor, end: int) -> Tensor:
    """The mean, over the query's tokens, of the largest cosine with a token of the document, `[batch]`.

    Both texts are in one sequence, `<s> query </s></s> document </s>`. The query's tokens are those before the first
    `end`, the document's those after the second that are not `end`.

    Args:
        states: `[batch, tokens, hidden]`.
        ids: `[batch, tokens]`.
        mask: `[batch, tokens]`, 1 where there is a token.
        end: the id of the token that ends a text.

    Source: MaxSim of Khattab and Zaharia 2020 (ColBERT), here between states that have seen both texts.
    """
    ends = (ids == end).long().cumsum(1)
    query = (ends == 0).to(states.dtype)
    query[:, 0] = 0.0  # <s>
    document = (ends >= 2) & (ids != end) & (mask > 0)
    unit = functional.normalize(states, dim=-1)
    cosines = (unit @ unit.transpose(1, 2)).masked_fill(~document[:, None, :], -1.0)
    return (cosines.amax(2) * query).sum(1) / query.sum(1).clamp(min=1.0)
