"""Where a pretrained encoder keeps its layers."""

from collections.abc import Sequence
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from lingsou.core.errors import ConfigurationError


def layers_of(model: PreTrainedModel) -> Sequence[nn.Module]:
    """The transformer layers, the lowest first.

    Raises:
        ConfigurationError: the model has no list of layers.
    """
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == model.config.num_hidden_layers:
            return list(module)
    raise ConfigurationError(
        f"The layers of a {type(model).__name__} are not known.", field="base", cure="A model of the BERT family."
    )


def bert_layers_of(model: PreTrainedModel) -> Sequence[Any]:
    """The same, for methods that reach into them: each has `attention.self`, `attention.output` and `output`.

    Raises:
        ConfigurationError: the model is built in another way.
    """
    layers = layers_of(model)
    parts = ("attention.self.key", "attention.output.dense", "output.dense")
    known = {name for name, _ in layers[0].named_modules()}
    if known.issuperset(parts):
        return layers
    raise ConfigurationError(
        f"This method does not know the inside of a {type(model).__name__}.",
        field="method.name",
        cure="lora or top-layers, or a base model of the BERT or RoBERTa family.",
    )
