"""Every method: what moves, what does not, that it learns, and that it can be kept, merged and taken up again."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.methods.attach import LEARNING_RATES, attach
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from lingsou.training.recipe import MethodName, MethodSpec
from tests.training.neural.conftest import make_tiny_base

ALL: tuple[MethodName, ...] = ("full", "top-layers", "frozen", "lora", "adalora", "prefix", "prompt", "adapter")
MOVING = tuple(name for name in ALL if name != "frozen")
QUERIES = ("red dress", "black shoe", "white phone case", "苹果手机壳")
PRODUCTS = ("women dress small red", "leather shoe men black", "case phone white cheap", "手机壳 苹果 红色")
EVERYWHERE = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
LINEAR = (*EVERYWHERE, "intermediate.dense", "output.dense")


def spec(name: MethodName, **values: object) -> MethodSpec:
    return MethodSpec.model_validate(
        {"name": name, "rank": 4, "alpha": 8.0, "layers": 1, "virtual_tokens": 5, "bottleneck": 6, **values}
    )


def attached(name: MethodName, steps: int = 10, seed: int = 0, **values: object) -> tuple[TextModel, Attached]:
    model = TextModel(make_tiny_base())
    return model, attach(model, spec(name, **values), seed, steps)


@cache
def batches() -> tuple[TokenBatch, TokenBatch]:
    """Queries and products, with padding."""
    model, rows = TextModel(make_tiny_base()), np.arange(4)
    return model.queries(QUERIES, 32).batch(rows), model.documents(PRODUCTS, 32).batch(rows)


def states(model: TextModel) -> Tensor:
    """Of the products."""
    with torch.no_grad():
        found: Tensor = model(batches()[1])
        return found


def contrast(model: TextModel) -> Tensor:
    """Each query's own product against the others'."""
    queries, products = map(model.sentences, batches())
    return nn.functional.cross_entropy(queries @ products.T / 0.1, torch.arange(4))


def learn(model: TextModel, method: Attached, steps: int, *, first: int = 1, rate: float = 3e-3) -> list[float]:
    """The loss before each step. A new optimiser each time: what is tested is the method's own state."""
    optimiser = torch.optim.AdamW(method.parameters().values(), lr=rate, weight_decay=0.0)
    losses = []
    for step in range(first, first + steps):
        loss = contrast(model)
        extra = method.extra_loss()
        (loss if extra is None else loss + extra).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        method.after_step(step)
        optimiser.zero_grad()
        losses.append(loss.item())
    return losses


def moved(model: TextModel, act: Callable[[], object]) -> set[str]:
    """The weights of the backbone that `act` changes."""
    before = {name: value.detach().clone() for name, value in model.backbone.named_parameters()}
    act()
    return {name for name, value in model.backbone.named_parameters() if not torch.equal(before[name], value)}


def norms(*parts: str) -> set[str]:
    return {f"{part}.LayerNorm.{kind}" for part in parts for kind in ("weight", "bias")}


def layer(number: int) -> set[str]:
    found = {f"encoder.layer.{number}.{part}.{kind}" for part in LINEAR for kind in ("weight", "bias")}
    return found | norms(f"encoder.layer.{number}.attention.output", f"encoder.layer.{number}.output")


def low_rank(letters: str) -> set[str]:
    kinds = [f"lora_{letter}" for letter in letters]
    return {f"encoder.layer.{number}.{part}.{kind}.default" for number in (0, 1) for part in LINEAR for kind in kinds}


EXPECTED: dict[MethodName, set[str]] = {
    "full": layer(0) | layer(1) | norms("embeddings"),
    "top-layers": layer(1),
    "lora": {f"{name}.weight" for name in low_rank("AB")},
    "adalora": low_rank("ABE"),
    "prefix": {"prefix"},
    "prompt": {"prompt"},
    "adapter": {
        f"encoder.layer.{number}.{part}.{kind}"
        for number in (0, 1)
        for part in ("attention.output", "output")
        for kind in ("adapter.down.weight", "adapter.down.bias", "adapter.up.weight", "adapter.up.bias")
    }
    | norms(*(f"encoder.layer.{number}.{part}" for number in (0, 1) for part in ("attention.output", "output"))),
}


@pytest.mark.parametrize("name", MOVING)
def test_exactly_its_own_weights_move(name: MethodName) -> None:
    model, method = attached(name)
    assert set(method.parameters()) == EXPECTED[name]
    changed = moved(model, lambda: learn(model, method, 3))
    keys = {f"encoder.layer.{number}.attention.self.key.bias" for number in (0, 1)}
    assert changed - keys == EXPECTED[name] - keys  # a key's bias moves no softmax: its gradient is noise around zero
    assert method.trainable == sum(value.numel() for value in method.parameters().values())
    assert method.total == sum(value.numel() for value in model.backbone.parameters())


def test_frozen_moves_nothing() -> None:
    model, method = attached("frozen")
    assert method.parameters() == {}
    assert (method.trainable, method.mergeable) == (0, True)
    assert not contrast(model).requires_grad


@pytest.mark.parametrize("name", MOVING)
def test_the_loss_falls(name: MethodName) -> None:
    model, method = attached(name)
    losses = learn(model, method, 12, rate=1e-2)
    assert min(losses[-3:]) < losses[0] - 0.05


@pytest.mark.parametrize("name", MOVING)
def test_the_default_learning_rate_is_stable(name: MethodName) -> None:
    model, method = attached(name)
    assert method.default_learning_rate == LEARNING_RATES[name]
    losses = learn(model, method, 6, rate=method.default_learning_rate)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ALL)
def test_merging_leaves_what_it_gives(name: MethodName) -> None:
    model, method = attached(name)
    if name != "frozen":
        learn(model, method, 8)
    before, wrapped = states(model), model.backbone
    method.merge()
    torch.testing.assert_close(states(model), before, atol=1e-5, rtol=1e-5)
    assert method.mergeable == (name not in {"prefix", "prompt", "adapter"})
    if method.mergeable:
        assert model.backbone is model.base.model
        assert set(model.backbone.state_dict()) == set(make_tiny_base().model.state_dict())
    else:
        assert model.backbone is wrapped


@pytest.mark.parametrize("name", MOVING)
def test_weights_by_name_bring_a_model_back(name: MethodName) -> None:
    model, method = attached(name)
    learn(model, method, 3)
    kept = {each: value.detach().clone() for each, value in method.parameters().items()}
    again, restored = attached(name, seed=1)
    with torch.no_grad():
        for each, value in restored.parameters().items():
            value.copy_(kept[each])
    torch.testing.assert_close(states(again), states(model), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", MOVING)
def test_one_seed_gives_one_start_and_leaves_the_generator_alone(name: MethodName) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, second, third = (attached(name, seed=seed)[1].parameters() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(first[each], second[each]) for each in first)
    drawn = name not in {"full", "top-layers", "prompt"}
    assert drawn == any(not torch.equal(first[each], third[each]) for each in first)


@pytest.mark.parametrize("name", ["full", "top-layers", "frozen", "lora", "adalora", "adapter"])
def test_at_first_nothing_is_changed(name: MethodName) -> None:
    model, _ = attached(name)
    torch.testing.assert_close(states(model), states(TextModel(make_tiny_base())), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("name", "attention"), [*((name, "eager") for name in MOVING), ("prefix", "sdpa")])
def test_half_precision(name: MethodName, attention: str) -> None:
    model, method = attached(name)
    model.base.model.set_attn_implementation(attention)
    before = states(model)
    model.use(torch.bfloat16)
    torch.testing.assert_close(states(model), before, atol=0.3, rtol=0.1)
    losses = learn(model, method, 6, rate=1e-2)
    assert losses[-1] < losses[0]
    assert {value.dtype for value in method.parameters().values()} == {torch.float32}


@pytest.mark.parametrize("name", MOVING)
def test_layers_computed_again_give_the_same_gradients(name: MethodName) -> None:
    gradients = []
    for again in (False, True):
        model, method = attached(name)
        model.train()
        if again:
            model.base.model.activation_checkpointing_enable({"use_reentrant": False})
        contrast(model).backward()  # type: ignore[no-untyped-call]
        gradients.append({each: value.grad for each, value in method.parameters().items()})
    for each, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][each], gradient, msg=each)


def test_a_pooler_never_learns() -> None:
    base = make_tiny_base()
    config = BertConfig.from_dict(base.model.config.to_dict())
    for name in ("full", "lora", "adalora"):
        pooled = TextModel(type(base)("pooled", BertModel(config), base.tokenizer, "", ""))
        method = attach(pooled, spec(name), 0, 20)
        assert not [each for each in method.parameters() if "pooler" in each]
        learn(pooled, method, 2)


def test_top_layers_are_counted_from_the_last() -> None:
    _, method = attached("top-layers", layers=2)
    assert set(method.parameters()) == layer(0) | layer(1)
    with pytest.raises(ConfigurationError, match="has 2 layers, not 3"):
        attached("top-layers", layers=3)


def test_tables_move_only_when_asked_for() -> None:
    tables = {f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")}
    _, method = attached("full", word_table=True)
    assert set(method.parameters()) == EXPECTED["full"] | tables
    _, method = attached("lora", word_table=True)
    assert set(method.parameters()) == EXPECTED["lora"]
