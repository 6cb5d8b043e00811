"""Adapters: where they stand, and what they compute."""

import pytest
import torch
from transformers import DistilBertConfig, DistilBertModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.base import Base
from lingsou.training.neural.methods.adapter import Adapter
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodName
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.methods.test_attach import attached, learn, spec, states


def test_by_hand() -> None:
    adapter = Adapter(2, 1, 0.0)
    with torch.no_grad():
        adapter.down.weight.copy_(torch.tensor([[1.0, -1.0]]))
        adapter.down.bias.fill_(0.5)
        adapter.up.weight.copy_(torch.tensor([[2.0], [0.0]]))
        adapter.up.bias.copy_(torch.tensor([0.0, 1.0]))
    # 3 − 1 + 0.5 = 2.5, twice that to the first, 1 to the second; −1 + 0.5 < 0 is cut to 0
    found = adapter(torch.tensor([[3.0, 1.0], [0.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([[8.0, 2.0], [0.0, 2.0]]))


def test_it_stands_between_the_dense_part_and_the_layer_norm() -> None:
    model, method = attached("adapter")
    part = model.base.model.get_submodule("encoder.layer.1.output")
    adapter = model.base.model.get_submodule("encoder.layer.1.output.adapter")
    assert isinstance(adapter, Adapter)
    learn(model, method, 2)
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        adapter.register_forward_hook(lambda _module, given, out: seen.update(dense=given[0], adapted=out)),
        part.register_forward_hook(
            lambda _module, given, out: seen.update(middle=given[0], residual=given[1], out=out)
        ),
    ]
    states(model)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        dense: torch.nn.Linear = part.get_submodule("dense")  # type: ignore[assignment]
        raw = torch.nn.functional.linear(seen["middle"], dense.weight, dense.bias)
        torch.testing.assert_close(seen["dense"], raw)
        assert not torch.equal(seen["adapted"], raw)
        norm = part.get_submodule("LayerNorm")
        torch.testing.assert_close(seen["out"], norm(seen["adapted"] + seen["residual"]))


@pytest.mark.parametrize("name", ["adapter", "prefix"])
def test_encoders_of_another_build_are_refused(name: MethodName) -> None:
    tiny = make_tiny_base()
    other = DistilBertModel(DistilBertConfig(vocab_size=200, dim=32, n_layers=2, n_heads=2, hidden_dim=64))
    model = TextModel(Base("other", other, tiny.tokenizer, "", ""))
    with pytest.raises(ConfigurationError, match="inside of a DistilBertModel"):
        attach(model, spec(name), 0, 20)
