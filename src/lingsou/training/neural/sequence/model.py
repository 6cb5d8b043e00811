"""SASRec with relative places: vectors of a history's items to the vector of what comes next.

A history asks by cosine, so popular items get no longer vectors; how near two items stand in it counts, not at which
place, so a session's third click reads as its tenth. Sources: Kang & McAuley, "Self-Attentive Sequential
Recommendation", ICDM 2018; Gupta et al., "NISER: Normalized Item and Session Representations", 2019; Press et al.,
"Train Short, Test Long" (ALiBi), ICLR 2022, for where the slopes begin.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_MOST_STEPS = 64
"""Steps apart that are told from each other; further ones are alike."""


class Block(nn.Module):
    """Causal self-attention and a feed-forward layer, each after a normalisation and beside what came in."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        slopes = 0.5 ** torch.arange(1, heads + 1)
        self.distance = nn.Parameter(-slopes[:, None] * torch.arange(_MOST_STEPS))

    def forward(self, states: Tensor, hidden: Tensor) -> Tensor:
        """States [B, L, width] to the same; `hidden` [B, 1, L, L] is added to attention: 0 or −∞."""
        users, steps, width = states.shape
        parts = self.mixed(self.before(states)).view(users, steps, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        place = torch.arange(steps, device=states.device)
        apart = (place[:, None] - place[None, :]).clamp(0, _MOST_STEPS - 1)
        logits = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads) + self.distance[:, apart] + hidden
        mixed = (torch.softmax(logits, -1) @ value).transpose(1, 2).reshape(users, steps, width)
        states = states + functional.dropout(self.joined(mixed), self.dropout, self.training)
        further = self.narrow(functional.gelu(self.wide(self.between(states))))
        return states + functional.dropout(further, self.dropout, self.training)


class HistoryEncoder(nn.Module):
    """Vectors of the items of histories to what each step asks for."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.scale = math.sqrt(width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.last = nn.LayerNorm(width)
        self.asked = nn.Linear(width, width, bias=False)
        # To begin with, each step asks for what is like its own item.
        nn.init.eye_(self.asked.weight)

    def forward(self, states: Tensor, known: Tensor) -> Tensor:
        """Unit vectors [B, L, width] and which steps are real [B, L] to unit vectors of what comes next [B, L, width].

        Histories end at the last step; what is before them is not real.
        """
        steps = states.shape[1]
        place = torch.arange(steps, device=states.device)
        # A step that is not real attends to itself alone, so that no row of the softmax is empty.
        seen = (place[:, None] >= place[None, :]) & known[:, None, None, :] | (place[:, None] == place[None, :])
        hidden = torch.zeros_like(seen, dtype=states.dtype).masked_fill(~seen, float("-inf"))
        states = functional.dropout(states * self.scale, self.dropout, self.training)
        for block in self.blocks:
            states = block(states, hidden)
        return functional.normalize(self.asked(self.last(states)), dim=-1)


class LastStep(nn.Module):
    """What the last step asks for: the part that is served."""

    def __init__(self, encoder: HistoryEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, states: Tensor, known: Tensor) -> Tensor:
        """[B, L, width] and [B, L] to [B, width]."""
        found: Tensor = self.encoder(states, known)[:, -1]
        return found


class ItemVectors(nn.Module):
    """An item's vector: its own, the mean of its attributes', and its projected text; then of length 1."""

    def __init__(self, own: Tensor, attributes: Tensor, text: Tensor | None):
        """Begin from these.

        Args:
            own: [items, width].
            attributes: [attributes, width].
            text: [items, text width], never changed; none: items have no text vectors.
        """
        super().__init__()
        self.own = nn.Embedding(own.shape[0], own.shape[1], sparse=True, _weight=own)
        self.attributes = nn.EmbeddingBag.from_pretrained(attributes, freeze=False, mode="mean", sparse=True)
        self.text = text  # no buffer: it is neither trained nor stored
        width = own.shape[1]
        self.projection = nn.Parameter(torch.zeros(0 if text is None else text.shape[1], width))

    def forward(self, items: Tensor, flat: Tensor, starts: Tensor, named: Tensor) -> Tensor:
        """Vectors [n, width].

        Args:
            items: numbers [n].
            flat: their attributes, one item's after the other's.
            starts: where each item's begin in `flat`, [n].
            named: [n] 1 where the item's own vector counts, 0 where it is to be known by its content alone.
        """
        total = self.own(items) * named[:, None]
        if self.attributes.num_embeddings:
            total = total + self.attributes(flat, starts)
        if self.text is not None:
            total = total + self.text[items] @ self.projection
        return functional.normalize(total, dim=-1)
