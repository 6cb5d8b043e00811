"""Bottleneck adapters: two small layers behind each sublayer's dense output. `peft` has none of them.

Houlsby et al., Parameter-Efficient Transfer Learning for NLP (ICML 2019). As there, the layers' LayerNorms move too.
"""

from typing import Any

from torch import Tensor, nn

from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.methods.layers import bert_layers_of
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec


class Adapter(nn.Module):
    """x + up(relu(down(x))); `up` starts at zero, so at first it changes nothing."""

    def __init__(self, hidden: int, bottleneck: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(hidden, bottleneck)
        self.up = nn.Linear(bottleneck, hidden)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, `[…, hidden]`."""
        change: Tensor = self.up(nn.functional.relu(self.down(self.dropout(x))))
        return x + change

    def behind(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        """A forward hook: `output` of `module`, adapted."""
        adapted: Tensor = self(output)
        return adapted


class Adapters(Attached):
    """An `adapter` in each layer's `attention.output` and `output`, between its dense part and its LayerNorm."""

    mergeable = False

    def __init__(self, model: TextModel, spec: MethodSpec, default_learning_rate: float):
        for layer in bert_layers_of(model.base.model):
            for part in (layer.attention.output, layer.output):
                part.adapter = Adapter(model.hidden, spec.bottleneck, spec.dropout).to(model.device)
                part.dense.register_forward_hook(part.adapter.behind)
                part.LayerNorm.requires_grad_(True)
        super().__init__(model, default_learning_rate)
