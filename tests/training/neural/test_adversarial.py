"""FGM: the move raises the loss as its gradient says, has the length that was asked for, and is gone afterwards."""

import pytest
import torch
from torch import Tensor, nn

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.adversarial import FastGradient
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from lingsou.training.recipe import MethodName, MethodSpec

FIRST = TokenBatch(torch.tensor([[0, 12, 13, 2], [0, 20, 2, 1]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]))
SECOND = TokenBatch(torch.tensor([[0, 13, 15, 16, 2], [0, 20, 21, 22, 2]]), torch.ones(2, 5, dtype=torch.int64))


def loss_of(model: TextModel) -> Tensor:
    scores = model.sentences(FIRST) @ model.sentences(SECOND).T
    return nn.functional.cross_entropy(scores / 0.3, torch.arange(2))


def ready(model: TextModel, name: MethodName, **values: object) -> None:
    attach(model, MethodSpec.model_validate({"name": name, "rank": 4, "layers": 1, **values}), 0, 20)


def watched(model: TextModel) -> list[Tensor]:
    """What the encoder reads in place of words from now on, in order."""
    found: list[Tensor] = []
    model.base.model.get_submodule("embeddings.word_embeddings").register_forward_hook(
        lambda _module, _given, out: found.append(out.detach().clone())
    )
    return found


@pytest.mark.parametrize("name", ["lora", "top-layers", "adapter", "prefix", "prompt", "full"])
def test_the_move_raises_the_loss_to_first_order(tiny_model: TextModel, name: MethodName) -> None:
    ready(tiny_model, name)
    epsilon = 1e-2
    fast = FastGradient(tiny_model, epsilon)
    seen = watched(tiny_model)
    before = loss_of(tiny_model)
    before.backward()  # type: ignore[no-untyped-call]
    norm = sum(each.square().sum() for each in fast._gradients.values()) ** 0.5
    with fast.perturbed():
        after = loss_of(tiny_model)
    assert after.item() - before.item() == pytest.approx(epsilon * float(norm), rel=0.1)
    moves = [moved - plain for plain, moved in zip(seen[:2], seen[2:], strict=True)]
    length = sum(float(each.square().sum()) for each in moves) ** 0.5
    assert length == pytest.approx(epsilon, rel=1e-3)
    assert moves[0][1, 3].abs().max() < 1e-6  # padding is read by nobody
    assert loss_of(tiny_model).item() == pytest.approx(before.item(), abs=1e-7)


@pytest.mark.parametrize("values", [{"name": "lora"}, {"name": "full", "word_table": True}])
def test_both_losses_teach_and_the_table_is_not_touched(tiny_model: TextModel, values: dict[str, object]) -> None:
    ready(tiny_model, **values)  # type: ignore[arg-type]
    moving = [each for each in tiny_model.backbone.parameters() if each.requires_grad]
    table = tiny_model.base.model.get_submodule("embeddings.word_embeddings").weight
    assert isinstance(table, Tensor)
    start = table.detach().clone()
    fast = FastGradient(tiny_model, 0.5)
    loss_of(tiny_model).backward()  # type: ignore[no-untyped-call]
    clean = [each.grad.clone() for each in moving if each.grad is not None]
    with fast.perturbed():
        loss_of(tiny_model).backward()  # type: ignore[no-untyped-call]
    both = [each.grad for each in moving if each.grad is not None]
    assert torch.equal(table, start)
    assert len(both) == len(clean)
    # were the second pass not moved, gradients would be twice the first pass's
    assert max(float((two - 2 * one).abs().max()) for one, two in zip(clean, both, strict=True)) > 1e-4
    assert (table.grad is not None) == ("word_table" in values)


def test_each_batch_has_its_own_move(tiny_model: TextModel) -> None:
    ready(tiny_model, "lora")
    fast = FastGradient(tiny_model, 0.3)
    seen = watched(tiny_model)
    for batch in (FIRST, SECOND):
        loss = tiny_model.pooled(batch).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]  # without its second pass it leaves nothing behind
    assert [each.shape for each in fast._gradients.values()] == [(2, 5, 32)]
    with fast.perturbed(), torch.no_grad():
        tiny_model.pooled(FIRST)
    assert torch.equal(seen[0], seen[2])  # an evaluation in between is not moved


def test_where_the_loss_is_flat_or_overflows_nothing_moves(tiny_model: TextModel) -> None:
    ready(tiny_model, "lora")
    fast = FastGradient(tiny_model, 0.3)
    seen = watched(tiny_model)
    for factor in (0.0, float("inf")):
        (tiny_model.pooled(FIRST).sum() * factor).backward()  # type: ignore[no-untyped-call]
        with fast.perturbed():
            tiny_model.pooled(FIRST)
        assert torch.equal(seen[-1], seen[-2])


def test_closed_it_is_gone(tiny_model: TextModel) -> None:
    ready(tiny_model, "lora")
    fast = FastGradient(tiny_model, 0.3)
    fast.close()
    loss_of(tiny_model).backward()  # type: ignore[no-untyped-call]
    assert fast._gradients == {}


def test_a_frozen_encoder_is_refused(tiny_model: TextModel) -> None:
    ready(tiny_model, "frozen")
    with pytest.raises(ConfigurationError, match="needs an encoder that learns"):
        FastGradient(tiny_model, 0.3)
