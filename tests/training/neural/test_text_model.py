import torch
from torch import nn

from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec


def types_of(model: TextModel) -> set[tuple[bool, torch.dtype]]:
    """(moves, type) of every matrix product's weight."""
    parts = [part for part in model.modules() if isinstance(part, nn.Linear)]
    return {(part.weight.requires_grad, part.weight.dtype) for part in parts}


def test_frozen_weights_are_cast_for_a_while_and_come_back_exact(tiny_model: TextModel) -> None:
    attach(tiny_model, MethodSpec(name="lora", rank=2), 0, 10)
    before = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    tiny_model.use(torch.bfloat16)
    table = tiny_model.queries(["red dress", "black shoe"], 16)
    without = tiny_model.encode(table)
    with tiny_model.frozen_weights_cast():
        assert types_of(tiny_model) == {(False, torch.bfloat16), (True, torch.float32)}
        assert torch.equal(tiny_model.encode(table), without), "autocast makes the same products"
    assert types_of(tiny_model) == {(False, torch.float32), (True, torch.float32)}
    assert all(torch.equal(value, before[name]) for name, value in tiny_model.state_dict().items())


def test_nothing_is_cast_in_float32(tiny_model: TextModel) -> None:
    attach(tiny_model, MethodSpec(name="lora", rank=2), 0, 10)
    with tiny_model.frozen_weights_cast():
        assert types_of(tiny_model) == {(False, torch.float32), (True, torch.float32)}
