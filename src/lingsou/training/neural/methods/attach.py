"""One function for every method: it decides which weights of the encoder move."""

import torch

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import Rows
from lingsou.training.neural.methods.adapter import Adapters
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.methods.layers import layers_of
from lingsou.training.neural.methods.low_rank import AdaLora, Lora
from lingsou.training.neural.methods.prefix import Prefix
from lingsou.training.neural.methods.prompt import Prompt
from lingsou.training.neural.methods.word_rows import WordRows
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodName, MethodSpec

LEARNING_RATES: dict[MethodName, float] = {
    "full": 5e-5,
    "top-layers": 1e-4,
    "frozen": 1e-3,
    "lora": 5e-4,
    "adalora": 2e-3,
    "prefix": 1e-2,
    "prompt": 1e-2,
    "adapter": 1e-3,
}
"""For AdamW and batches of about 32: stable on e5-small, not tuned. The fewer weights move, the farther each must."""


def attach(model: TextModel, spec: MethodSpec, seed: int, total_steps: int, words: Rows | None = None) -> Attached:
    """Set which weights of `model.backbone` move, and put in those that the method adds.

    Methods change the encoder in place. `prompt` and `prefix` also wrap it, so that it is called through
    `model.backbone`; `model.base.model` is the encoder itself under every method.

    Args:
        model: whose dropout and attention are already set: a method's own dropout must not be overwritten.
        spec: the method.
        seed: of the new weights' first values.
        total_steps: optimiser steps of the whole training; `adalora` plans its ranks by it.
        words: ids that occur in the training texts. With `full` and `word_table`, only these rows of the word table
            are weights of the optimiser. None: the whole table. Rows that are never met stay as they are in both
            cases, but for e5-small the whole table is 96M of 118M weights, 1.5 GB with gradient and moments, and its
            AdamW step takes 0.8 s a core where 20,000 rows take 0.06 s.

    Raises:
        ConfigurationError: the method does not fit the model or the number of steps.
    """
    encoder = model.base.model
    rate = LEARNING_RATES[spec.name]
    encoder.requires_grad_(False)
    match spec.name:
        case "frozen":
            return Attached(model, rate)
        case "full":
            return _full(model, spec, rate, words)
        case "top-layers":
            return _top_layers(model, spec, rate)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):  # every one, or it warns of many
        torch.manual_seed(seed)
        match spec.name:
            case "lora":
                return Lora(model, spec, rate)
            case "adalora":
                return AdaLora(model, spec, rate, total_steps)
            case "prefix":
                return Prefix(model, spec, rate)
            case "prompt":
                return Prompt(model, spec, rate)
            case "adapter":
                return Adapters(model, spec, rate)


def _full(model: TextModel, spec: MethodSpec, rate: float, words: Rows | None) -> Attached:
    encoder = model.base.model
    for layer in layers_of(encoder):
        layer.requires_grad_(True)
    for name, parameter in encoder.named_parameters():
        if name.startswith("embeddings."):
            parameter.requires_grad_(spec.word_table or parameter.ndim == 1)  # tables have two axes, LayerNorm one
    if spec.word_table and words is not None:
        return WordRows(model, rate, words)
    return Attached(model, rate)


def _top_layers(model: TextModel, spec: MethodSpec, rate: float) -> Attached:
    layers = layers_of(model.base.model)
    if spec.layers > len(layers):
        raise ConfigurationError(
            f"The encoder has {len(layers)} layers, not {spec.layers}.",
            field="method.layers",
            cure=f"1 to {len(layers)}, or the method full.",
        )
    for layer in layers[-spec.layers :]:
        layer.requires_grad_(True)
    return Attached(model, rate)
