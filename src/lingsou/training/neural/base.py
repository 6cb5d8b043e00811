"""Base models: the default encoder's weights as a `transformers` model, a folder's, or a hub's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, BertConfig, BertModel, PreTrainedModel

from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.encoders.build import (
    DOCUMENT_PREFIX,
    E5_SMALL,
    LICENCE,
    PUBLISHED,
    QUERY_PREFIX,
    pinned_weights,
)
from lingsou.encoders.tokenizer_json import tokenizer_json
from lingsou.encoders.weights import Weights


@dataclass(frozen=True)
class Base:
    """A pretrained encoder and how to feed it. `tokenizer` is the text of a `tokenizer.json`."""

    name: str
    model: PreTrainedModel
    tokenizer: bytes
    query_prefix: str
    document_prefix: str
    licence: str = ""
    published: str = ""
    """The published model that it is, such as `intfloat/multilingual-e5-small`."""


def open_base(reference: str, package: Path | None = None) -> Base:
    """The base model that `reference` names: `e5-small`, a folder of `transformers` files, or `hf:owner/name`.

    Args:
        reference: what to open; only a hub id asks the network.
        package: where the weights of `e5-small` lie; none: the installed package.

    Raises:
        NotFoundError: there is no such folder.
        ConfigurationError: the folder or the hub's files are not an encoder with a fast tokenizer.
        MissingExtraError: the package that carries the weights of `e5-small` is not installed.
    """
    if reference == E5_SMALL:
        return _e5_small(package)
    source = reference.removeprefix("hf:")
    local = Path(source).expanduser()
    if source == reference and not local.is_dir():
        raise NotFoundError(
            f"There is no base model '{reference}'.",
            cure=f"{E5_SMALL}, the folder of a transformers model, or a hub id such as hf:org/name.",
        )
    return _from_files(source if source != reference else str(local), reference)


def _e5_small(package: Path | None) -> Base:
    with pinned_weights(package) as path:
        weights = Weights.open(path)
        tokenizer = tokenizer_json(weights)
        model = bert_of(weights)
    return Base(E5_SMALL, model, tokenizer, QUERY_PREFIX, DOCUMENT_PREFIX, LICENCE, PUBLISHED)


def bert_of(weights: Weights) -> BertModel:
    """The weights, dequantised to float32, as a `BertModel` without pooler and without dropout."""
    shape = weights.shape
    config = BertConfig(
        vocab_size=len(weights.pieces.texts),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=weights.pieces.pad,
        bos_token_id=weights.pieces.bos,
        eos_token_id=weights.pieces.eos,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.device("meta"):  # no time is lost on random numbers that are replaced at once
        model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in _states(weights)}, assign=True)
    positions = torch.arange(shape.positions)[None]
    model.embeddings.register_buffer("position_ids", positions, persistent=False)
    model.embeddings.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)
    return model


def _states(weights: Weights) -> Any:
    """Name in `BertModel` and value of every tensor."""
    shape, hidden = weights.shape, weights.shape.hidden

    def norm(theirs: str, ours: str) -> Any:
        yield f"{theirs}.weight", _copy(weights.floats(f"{ours}.w", hidden))
        yield f"{theirs}.bias", _copy(weights.floats(f"{ours}.b", hidden))

    yield "embeddings.word_embeddings.weight", weights.matrix("emb.word", len(weights.pieces.texts))
    yield "embeddings.position_embeddings.weight", _copy(weights.floats("emb.pos", shape.positions, hidden))
    yield "embeddings.token_type_embeddings.weight", _copy(weights.floats("emb.type", shape.types, hidden))
    yield from norm("embeddings.LayerNorm", "emb.ln")
    for layer in range(shape.layers):
        ours, theirs = f"l{layer}", f"encoder.layer.{layer}"
        for part, name, rows in (
            ("q", "attention.self.query", hidden),
            ("k", "attention.self.key", hidden),
            ("v", "attention.self.value", hidden),
            ("ao", "attention.output.dense", hidden),
            ("fi", "intermediate.dense", shape.feed_forward),
            ("fo", "output.dense", hidden),
        ):
            yield f"{theirs}.{name}.weight", weights.matrix(f"{ours}.{part}.w", rows)
            yield f"{theirs}.{name}.bias", _copy(weights.floats(f"{ours}.{part}.b", rows))
        yield from norm(f"{theirs}.attention.output.LayerNorm", f"{ours}.aln")
        yield from norm(f"{theirs}.output.LayerNorm", f"{ours}.oln")


def _copy(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values.copy()  # the mapped file is read-only


def _from_files(source: str, reference: str) -> Base:
    from transformers import AutoTokenizer
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = AutoModel.from_pretrained(source, dtype=torch.float32)
        fast = AutoTokenizer.from_pretrained(source, use_fast=True)
        tokenizer = fast.backend_tokenizer.to_str().encode()
    except (OSError, ValueError, AttributeError) as error:
        reason = str(error).strip().split("\n", 1)[0][:300]
        raise ConfigurationError(
            f"'{reference}' is not an encoder that can be trained: {reason}",
            cure="A folder or hub id with config.json, model.safetensors and tokenizer.json.",
        ) from error
    finally:
        logging.set_verbosity(verbosity)
    model.pooler = None  # sentence vectors are means of token states
    e5 = "e5" in reference.lower().replace("_", "-").split("/")[-1].split("-")
    prefixes = (QUERY_PREFIX, DOCUMENT_PREFIX) if e5 else ("", "")
    return Base(Path(source).name, model, tokenizer, *prefixes, published=source)
