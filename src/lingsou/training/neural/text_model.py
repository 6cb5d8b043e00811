"""The encoder under training: token states, and the sentence vector that the artefact will give."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lingsou.training.neural.base import Base
from lingsou.training.neural.tokens import Cutter, TokenBatch, TokenTable


def mean_state(states: Tensor, mask: Tensor) -> Tensor:
    """The mean `[batch, hidden]` of `states` `[batch, tokens, hidden]` over the tokens of `mask`."""
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)


class TextModel(nn.Module):
    """A backbone with its tokenizer and prefixes. `backbone` may be wrapped by a method (LoRA, prefix …)."""

    def __init__(self, base: Base):
        super().__init__()
        self.base = base
        self.backbone: nn.Module = base.model
        self.cutter = Cutter(base.tokenizer, base.model.config.pad_token_id or 0)
        self.hidden: int = base.model.config.hidden_size
        self._autocast: torch.dtype | None = None
        self.keeps_states = True
        """Whether what it says of a text may be kept while it is frozen: it is read once then. Not in an estimate."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.backbone.parameters()).device

    @property
    def frozen(self) -> bool:
        """Whether no weight of the backbone moves."""
        return not any(parameter.requires_grad for parameter in self.backbone.parameters())

    def use(self, precision: torch.dtype | None) -> None:
        """Compute matrix products in `precision` from now on; none: float32. Weights stay float32."""
        self._autocast = precision

    def forward(self, tokens: TokenBatch) -> Tensor:
        """Token states float32 `[batch, tokens, hidden]`; without gradients where no weight could take them."""
        with self._arithmetic(), torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            found = self.backbone(input_ids=tokens.ids, attention_mask=tokens.mask)
        states: Tensor = found.last_hidden_state
        return states.float()

    def sentences(self, tokens: TokenBatch) -> Tensor:
        """Unit sentence vectors `[batch, hidden]`."""
        return nn.functional.normalize(self.pooled(tokens), dim=-1)

    def pooled(self, tokens: TokenBatch) -> Tensor:
        """Mean token states `[batch, hidden]`, what sequence heads read."""
        return mean_state(self(tokens), tokens.mask)

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        if self._autocast is None:
            yield
        else:
            with torch.autocast(self.device.type, dtype=self._autocast):
                yield

    @contextmanager
    def frozen_weights_cast(self) -> Iterator[None]:
        """Hold the matrices that do not move in the precision of the products meanwhile.

        Autocast remembers the cast of a weight that moves; one that does not it casts again for every product.
        """
        linear = [part for part in self.modules() if isinstance(part, nn.Linear)] if self._autocast else []
        parts = [part for part in linear if not part.weight.requires_grad]
        exact = [part.weight.data for part in parts]
        try:
            for part in parts:
                part.weight.data = part.weight.data.to(self._autocast)
            yield
        finally:
            for part, weight in zip(parts, exact, strict=True):
                part.weight.data = weight

    @torch.inference_mode()
    def encode(self, table: TokenTable, batch: int = 64) -> Tensor:
        """Sentence vectors `[n, hidden]` on the CPU of all texts of `table`, in evaluation mode, longest last."""
        training = self.training
        self.eval()
        found = torch.empty(len(table), self.hidden)
        order = table.lengths.argsort(kind="stable")
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            found[torch.from_numpy(rows)] = self.sentences(table.batch(rows).to(self.device)).cpu()
        self.train(training)
        return found

    def queries(self, texts: list[str] | tuple[str, ...], max_tokens: int) -> TokenTable:
        """Texts cut as shoppers' queries."""
        return self.cutter.table(texts, prefix=self.base.query_prefix, max_tokens=max_tokens)

    def documents(self, texts: list[str] | tuple[str, ...], max_tokens: int) -> TokenTable:
        """Texts cut as documents."""
        return self.cutter.table(texts, prefix=self.base.document_prefix, max_tokens=max_tokens)


def set_dropout(model: PreTrainedModel | nn.Module, share: float) -> None:
    """Set the share of every dropout in the backbone, attention included."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "dropout_prob", None), float):
            setattr(module, "dropout_prob", share)  # noqa: B010 (a plain number, which nn.Module does not declare)
