"""Prompt and prefix: what they add to the encoder's arithmetic, worked out another way."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.methods.prefix import _frequent_words
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.methods.test_attach import attached, states

BATCH = TokenBatch(
    torch.tensor([[0, 12, 13, 14, 15, 2], [0, 20, 2, 1, 1, 1]]), torch.tensor([[1] * 6, [1] * 3 + [0] * 3])
)


def test_prompt_of_words_is_the_text_with_these_words_before_it() -> None:
    model, method = attached("prompt", virtual_tokens=2)
    words = torch.tensor([30, 40])
    table = model.base.model.state_dict()["embeddings.word_embeddings.weight"]
    with torch.no_grad():
        method.parameters()["prompt"].copy_(table[words])
    plain = TextModel(make_tiny_base())
    longer = TokenBatch(
        torch.cat([words.expand(2, 2), BATCH.ids], 1), torch.cat([torch.ones(2, 2, dtype=torch.int64), BATCH.mask], 1)
    )
    with torch.no_grad():
        torch.testing.assert_close(model(BATCH), plain(longer)[:, 2:], atol=1e-6, rtol=1e-5)


def test_prompt_starts_at_zero_and_knows_the_limit_of_positions() -> None:
    model, method = attached("prompt", virtual_tokens=20)
    assert method.parameters()["prompt"].count_nonzero() == 0
    fits = TokenBatch(torch.full((1, 44), 12), torch.ones(1, 44, dtype=torch.int64))
    assert model(fits).shape == (1, 44, 32)
    too_long = TokenBatch(torch.full((1, 45), 12), torch.ones(1, 45, dtype=torch.int64))
    with pytest.raises(ConfigurationError, match="20 virtual and 45 real tokens") as caught:
        model(too_long)
    assert caught.value.field == "method.virtual_tokens"
    assert caught.value.cure == "At most 19, or shorter texts (max_tokens of the task)."


@pytest.mark.parametrize("name", ["prefix", "prompt"])
def test_no_more_virtual_words_than_positions(name: str) -> None:
    _, method = attached(name, virtual_tokens=63)  # type: ignore[arg-type]
    assert method.trainable == 63 * 32 * (4 if name == "prefix" else 1)
    with pytest.raises(ConfigurationError, match="64 positions"):
        attached(name, virtual_tokens=65)  # type: ignore[arg-type]


def test_prefix_keys_and_values_come_first_in_every_layer() -> None:
    """The attention of the first layer, worked out by hand, with a prefix of two."""
    model, method = attached("prefix", virtual_tokens=2)
    encoder = model.base.model
    attention = encoder.get_submodule("encoder.layer.0.attention.self")
    prefix = method.parameters()["prefix"][0]
    seen: dict[str, torch.Tensor] = {}
    hook = attention.register_forward_hook(lambda _module, given, out: seen.update(x=given[0], out=out[0]))
    with torch.no_grad():
        model(BATCH)
        hook.remove()
        query, key, value = (getattr(attention, part)(seen["x"]) for part in ("query", "key", "value"))
        for row, length in ((0, 6), (1, 3)):
            keys = torch.cat([prefix[0], key[row, :length]])
            values = torch.cat([prefix[1], value[row, :length]])
            for head in (slice(0, 16), slice(16, 32)):
                weights = (query[row][:, head] @ keys[:, head].T / 4).softmax(-1)
                torch.testing.assert_close(seen["out"][row][:, head], weights @ values[:, head], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("name", ["prefix", "prompt"])
def test_padding_is_not_seen(name: str, attention: str) -> None:
    model, _ = attached(name)  # type: ignore[arg-type]
    model.base.model.set_attn_implementation(attention)
    with torch.no_grad():
        alone = model(TokenBatch(BATCH.ids[1:, :3], BATCH.mask[1:, :3]))
        torch.testing.assert_close(model(BATCH)[1:, :3], alone, atol=1e-5, rtol=1e-5)


def test_a_prefix_nobody_looks_at_changes_nothing() -> None:
    """With keys so far off that every token's attention to them vanishes, positions included."""
    model, method = attached("prefix", virtual_tokens=3)
    encoder = model.base.model
    with torch.no_grad():
        for layer in range(2):
            attention = encoder.get_submodule(f"encoder.layer.{layer}.attention.self")
            attention.query.bias.fill_(5.0)  # type: ignore[union-attr, operator]
        method.parameters()["prefix"][:, 0].fill_(-50.0)
        plain = make_tiny_base()
        plain.model.load_state_dict(encoder.state_dict())
        torch.testing.assert_close(states(model), states(TextModel(plain)), atol=1e-5, rtol=1e-5)


def test_encode_goes_through_the_wrapper() -> None:
    for name in ("prefix", "prompt"):
        model, _ = attached(name)
        found = model.encode(model.documents(("red dress", "black shoe men"), 32), batch=1)
        expected = model.sentences(model.documents(("red dress", "black shoe men"), 32).batch(np.arange(2)))
        torch.testing.assert_close(found, expected.detach(), atol=1e-5, rtol=1e-5)


def test_a_prefix_starts_quietly() -> None:
    """Values of zero; and the mean query gives each key log(3) less than it gives the word it is made of."""
    model, method = attached("prefix", virtual_tokens=3)
    prefix = method.parameters()["prefix"].detach()
    assert prefix[:, 1].count_nonzero() == 0
    encoder = make_tiny_base().model
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        words = _frequent_words(encoder, 3)
        layer = encoder(input_ids=words[None], output_hidden_states=True).hidden_states[1]  # below the second layer
        attention = encoder.get_submodule("encoder.layer.1.attention.self")
        keys, queries = (attention.get_submodule(part)(layer)[0] for part in ("key", "query"))
    for head in (slice(0, 16), slice(16, 32)):
        query = queries[:, head].mean(0)
        torch.testing.assert_close(prefix[1, 0, :, head] @ query / 4, keys[:, head] @ query / 4 - math.log(3))
    plain = states(TextModel(make_tiny_base()))
    assert nn.functional.cosine_similarity(states(model).flatten(0, 1), plain.flatten(0, 1)).mean() > 0.95
