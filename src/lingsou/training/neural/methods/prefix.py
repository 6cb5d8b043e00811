"""Prefix tuning: in each layer, every token also attends to a few learned keys and values.

Li and Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation (ACL 2021). The `PrefixTuningConfig` of
`peft` hands the prefix over as a cache of earlier tokens. An encoder takes that, but moves every text's positions by
its length, which the paper's method does not; gradient checkpointing drops a cache; and it starts with normal random
keys and values, which disturb a pretrained encoder most: the cosines between texts keep a correlation of 0.5 with
those before. With keys and values of words, as in section 7.4, it is 0.7, and with the start made here 0.99; the MLP
that the authors needed around the prefix for stability is left out.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask

from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.methods.layers import bert_layers_of
from lingsou.training.neural.methods.prompt import check_positions, with_virtual
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec

_FREQUENT = 5_000
"""Keys begin as those of some of the first so many words, which tokenizers keep for frequent ones."""


class Prefixed(nn.Module):
    """The encoder with `prefix` `[layers, 2, virtual tokens, hidden]`: keys and values."""

    def __init__(self, encoder: PreTrainedModel, prefix: Tensor):
        super().__init__()
        self.encoder = encoder
        self.prefix = nn.Parameter(prefix)
        for layer in bert_layers_of(encoder):
            # inside the layer, where gradient checkpointing does not drop it
            layer.attention.self.register_forward_pre_hook(self._give, with_kwargs=True)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """What the encoder gives; the mask is made here, for it must be as wide as keys, not as the text."""
        batch, tokens = input_ids.shape
        virtual = self.prefix.shape[2]
        mask = create_bidirectional_mask(
            config=self.encoder.config,
            inputs_embeds=self.prefix.new_empty(batch, tokens, 1),
            encoder_hidden_states=self.prefix.new_empty(batch, virtual + tokens, 1),
            attention_mask=with_virtual(attention_mask, virtual),
            allow_is_bidirectional_skip=False,  # a mask that is left out would be made anew, too narrow
        )
        return self.encoder(input_ids=input_ids, attention_mask=mask)

    def _give(self, attention: Any, inputs: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return inputs, named | {"past_key_values": _Earlier(self.prefix)}


class _Earlier:
    """The part of a `transformers` cache that attention uses: it puts earlier keys and values before the text's."""

    def __init__(self, prefix: Tensor):
        self._prefix = prefix

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        return self._before(keys, self._prefix[layer, 0]), self._before(values, self._prefix[layer, 1])

    def _before(self, own: Tensor, prefix: Tensor) -> Tensor:
        batch, heads, _, width = own.shape
        split = prefix.to(own.dtype).view(-1, heads, width).transpose(0, 1).expand(batch, -1, -1, -1)
        return torch.cat([split, own], 2)


class Prefix(Attached):
    """Only `prefix` moves."""

    mergeable = False

    def __init__(self, model: TextModel, spec: MethodSpec, default_learning_rate: float):
        check_positions(model.base.model, spec.virtual_tokens, 0)  # they start as one text
        prefix = _quiet_start(model, _frequent_words(model.base.model, spec.virtual_tokens))
        model.backbone = Prefixed(model.base.model, prefix)
        super().__init__(model, default_learning_rate)


@torch.no_grad()
def _quiet_start(model: TextModel, words: Tensor) -> Tensor:
    """Keys of `words`, moved until all of them weigh about as much as one token; values of zero.

    The move is against the mean query q of each head: k − log(n) · √width · q / |q|² lowers the mean logit by log(n).
    """
    encoder = model.base.model
    layers = bert_layers_of(encoder)
    found: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        found[module] = output[0].float()

    hooks = [
        part.register_forward_hook(keep)
        for layer in layers
        for part in (layer.attention.self.key, layer.attention.self.query)
    ]
    encoder(input_ids=words[None].to(model.device))
    for hook in hooks:
        hook.remove()
    prefix = torch.zeros(len(layers), 2, len(words), model.hidden, device=model.device)
    for number, layer in enumerate(layers):
        attention = layer.attention.self
        query = found[attention.query].mean(0).view(attention.num_attention_heads, -1)
        against = query / query.square().sum(-1, keepdim=True) * query.shape[-1] ** 0.5
        prefix[number, 0] = found[attention.key] - math.log(len(words)) * against.flatten()
    return prefix


def _frequent_words(encoder: PreTrainedModel, count: int) -> Tensor:
    """Ids `[count]` of words drawn by torch's seed, special ones left out."""
    config = encoder.config
    special = [config.pad_token_id, config.bos_token_id, config.eos_token_id]
    first = 1 + max([number for number in special if number is not None], default=0)
    last = min(max(first + count, _FREQUENT), config.vocab_size)
    return first + torch.randperm(last - first).repeat(1 + count // (last - first))[:count]
