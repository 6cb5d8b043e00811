"""A smaller encoder out of a larger one: fewer layers, or fewer words. Training comes after it, and mends the loss."""

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import nn

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.base import Base
from lingsou.training.neural.vocabulary import pieces_to_keep, prune_tokenizer


def kept_layers(layers: int, keep: int) -> list[int]:
    """Which `keep` of `layers` layers stay: evenly spaced, the first and the last among them.

    Raises:
        ConfigurationError: there are not so many.
    """
    if not 1 <= keep <= layers:
        raise ConfigurationError(
            f"The encoder has {layers} layers, of which {keep} cannot be kept.",
            field="export.layers",
            cure=f"1 to {layers}.",
        )
    return [int(number) for number in np.rint(np.linspace(0, layers - 1, keep))]


def drop_layers(base: Base, keep: int) -> Base:
    """A copy of `base` with `keep` of its layers; `base` itself is left alone, for it may be the teacher.

    The copy has to be trained: the layers left do not know each other yet. Source: Sajjad et al. 2023 (On the effect
    of dropping layers), Sanh et al. 2019 (a student begun with layers of its teacher).

    Raises:
        ConfigurationError: the encoder has not so many layers, or they are not known.
    """
    model = copy.deepcopy(base.model)
    config = model.config
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    stack = next((each for each in lists if len(each) == config.num_hidden_layers), None)
    if stack is None:
        raise ConfigurationError(
            f"The layers of a {type(model).__name__} are not known.", field="base", cure="A model of the BERT family."
        )
    kept = set(kept_layers(len(stack), keep))
    for number in reversed(range(len(stack))):
        if number not in kept:
            del stack[number]
    for number, layer in enumerate(stack):
        parts: Iterable[Any] = layer.modules()
        for part in parts:
            if hasattr(part, "layer_idx"):  # by which attention finds its part of a prefix
                part.layer_idx = number
    config.num_hidden_layers = keep
    return dataclasses.replace(base, model=model)


def rows_to_keep(base: Base, used: Iterable[int]) -> list[int]:
    """Rows of the word table that a shop needs, sorted: the pieces `used` by its texts and what `pieces_to_keep` adds.

    Raises:
        ConfigurationError: the tokenizer is of a kind that cannot be cut down.
    """
    # Up to the padding's, ids stay as they are: RoBERTa counts positions from it.
    low = range((base.model.config.pad_token_id or 0) + 1)
    return sorted({*pieces_to_keep(base.tokenizer, used), *low})


def prune_vocabulary(base: Base, rows: Sequence[int]) -> Base:
    """`base` with only the `rows` (`rows_to_keep`) of its word table, and a tokenizer to match.

    Texts made of these pieces are cut as before and have the same vectors. The model is changed in place: use what
    is returned.

    Raises:
        ConfigurationError: the tokenizer is of a kind that cannot be cut down.
    """
    tokenizer = prune_tokenizer(base.tokenizer, rows)
    table: Any = base.model.get_input_embeddings()
    config = base.model.config
    places = {row: place for place, row in enumerate(rows)}
    weight = table.weight.detach()[list(rows)]
    base.model.set_input_embeddings(
        nn.Embedding(len(rows), weight.shape[1], padding_idx=table.padding_idx, _weight=weight)
    )
    config.vocab_size = len(rows)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        if (number := getattr(config, name, None)) is not None:
            setattr(config, name, places.get(number))
    return dataclasses.replace(base, tokenizer=tokenizer)
