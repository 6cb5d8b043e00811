"""A trained model's tensors, as the builder of the ONNX graph asks for them."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.four_bit import FourBit, four_bit
from lingsou.encoders.graph import Adapter, Additions, Matrix
from lingsou.encoders.weights import Shape
from lingsou.training.neural.text_model import TextModel

_BERT = "bert"
_ROBERTA = {"roberta", "xlm-roberta", "camembert"}
"""The same layers, but their positions are counted from the padding's id + 1."""
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_WORDS = "embeddings.word_embeddings.weight"
_ADAPTER = re.compile(r"encoder\.layer\.(\d+)\.(attention\.)?output\.adapter\.(down|up)\.(weight|bias)")
_PASSED_OVER = re.compile(rf"{_ADAPTER.pattern}$|pooler\.|embeddings\.(position_ids|token_type_ids)$")
_LONGEST = 512
"""Tokens, where a model knows no limit."""


class ModelSource:
    """A `TensorSource` over the encoder of `model`, with what adapters, a prompt or a prefix add to it.

    Args:
        model: of a shape that `is_bert_shaped`.
        rows: rows of the word table to keep, in this order; none: all.

    Raises:
        ConfigurationError: it has parameters that the graph has no place for, such as LoRA's before they are merged.
    """

    def __init__(self, model: TextModel, rows: Sequence[int] | None = None):
        config = model.base.model.config
        self._first = _first_position(config)
        self._rows = rows
        self._states = model.base.model.state_dict()
        self.shape = Shape(
            hidden=config.hidden_size,
            layers=config.num_hidden_layers,
            heads=config.num_attention_heads,
            feed_forward=config.intermediate_size,
            vocabulary=config.vocab_size if rows is None else len(rows),
            positions=config.max_position_embeddings - self._first,
            types=config.type_vocab_size,
            epsilon=config.layer_norm_eps,
        )
        self._check()
        self.additions = Additions(
            self._adapters(),
            prompt=_parameter(model.backbone, "prompt"),
            prefix=_parameter(model.backbone, "prefix"),
        )

    def words(self) -> FourBit | Matrix:
        """The rows kept of the word table; in 4 bits where it came out of 4 bits and nothing changed it."""
        table = self._states[_WORDS]
        values = to_array(table if self._rows is None else table[list(self._rows)])
        packed = four_bit(values)
        return values if packed is None else packed

    def matrix(self, name: str, rows: int) -> Matrix:
        """The matrix `name` as float32 `[rows, in]`."""
        found = to_array(self._states[_theirs(name)])
        assert len(found) == rows
        return found

    def floats(self, name: str, *dims: int) -> Matrix:
        """The vector or table `name` in the shape `dims`."""
        found = to_array(self._states[_theirs(name)])
        return (found[self._first :] if name == "emb.pos" else found).reshape(dims)

    def _adapters(self) -> dict[str, Adapter]:
        found: dict[str, dict[str, Matrix]] = {}
        for name, value in self._states.items():
            if match := _ADAPTER.fullmatch(name):
                layer, attention, part, kind = match.groups()
                field = part if kind == "weight" else f"{part}_bias"
                found.setdefault(f"l{layer}.{'ao' if attention else 'fo'}", {})[field] = to_array(value)
        return {name: Adapter(**parts) for name, parts in found.items()}

    def _check(self) -> None:
        known = {_WORDS, *_EMBEDDINGS.values()}
        for layer in range(self.shape.layers):
            known |= {_theirs(f"l{layer}.{part}.{kind}") for part in _PARTS for kind in "wb"}
        strange = [name for name in self._states if name not in known and not _PASSED_OVER.match(name)]
        strange += [f"no {name}" for name in known if name not in self._states]
        if strange:
            raise ConfigurationError(
                f"The encoder's parameters do not fit a graph of BERT's layers: {', '.join(sorted(strange)[:3])}.",
                cure="Merge what the training method added before the export.",
            )


def is_bert_shaped(encoder: PreTrainedModel) -> bool:
    """Whether our own graph can hold it: layers, activation and positions of BERT or RoBERTa."""
    config = encoder.config
    return (
        config.model_type in {_BERT, *_ROBERTA}
        and config.hidden_act == "gelu"
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
        and not config.is_decoder
    )


def positions_of(encoder: PreTrainedModel) -> int:
    """Tokens of the longest input."""
    config = encoder.config
    return int(getattr(config, "max_position_embeddings", _LONGEST)) - _first_position(config)


def _first_position(config: Any) -> int:
    return (config.pad_token_id or 0) + 1 if config.model_type in _ROBERTA else 0


def _parameter(backbone: nn.Module, name: str) -> Matrix | None:
    found = getattr(backbone, name, None)
    return to_array(found) if isinstance(found, Tensor) else None


def _theirs(name: str) -> str:
    """The parameter that we call `name`."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"


def to_array(value: Tensor) -> Matrix:
    """The numbers, wherever they are, as float32 in this process's memory."""
    return np.ascontiguousarray(value.detach().to(device="cpu", dtype=torch.float32).numpy())
