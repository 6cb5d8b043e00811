"""Groups and schedules, against values worked by hand."""

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.optimiser import make_optimiser, schedule_of
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec, TrainSpec


def method(model: TextModel, **values: object) -> Attached:
    return attach(model, MethodSpec.model_validate({"rank": 4, "layers": 1, **values}), 0, 20)


def settings(optimiser: Optimizer) -> dict[str, tuple[float, float]]:
    """Name of each weight → learning rate, weight decay."""
    groups = optimiser.param_groups
    return {name: (group["lr"], group["weight_decay"]) for group in groups for name in group["param_names"]}


def test_rates_fall_with_depth_and_biases_do_not_decay(tiny_model: TextModel) -> None:
    spec = TrainSpec(learning_rate=0.01, head_learning_rate=0.5, layer_decay=0.5, weight_decay=0.1)
    whole = method(tiny_model, name="full", word_table=True)
    optimiser = make_optimiser(whole, {"intent": nn.Linear(32, 3)}, spec, [nn.Parameter(torch.zeros(2))])
    found = settings(optimiser)
    assert found["backbone.encoder.layer.1.output.dense.weight"] == (0.01, 0.1)  # the top one
    assert found["backbone.encoder.layer.1.output.dense.bias"] == (0.01, 0.0)
    assert found["backbone.encoder.layer.0.output.dense.weight"] == (0.005, 0.1)
    assert found["backbone.encoder.layer.0.output.LayerNorm.weight"] == (0.005, 0.0)
    assert found["backbone.embeddings.LayerNorm.weight"] == (0.0025, 0.0)
    assert found["backbone.embeddings.word_embeddings.weight"] == (0.0025, 0.0)
    assert found["heads.intent.weight"] == (0.5, 0.1)
    assert found["heads.intent.bias"] == (0.5, 0.0)
    assert found["extra.0"] == (0.5, 0.0)
    assert isinstance(optimiser, AdamW)
    assert len(optimiser.param_groups) == 7
    assert len(found) == len(whole.parameters()) + 3


@pytest.mark.parametrize("name", ["lora", "adapter"])
def test_layers_of_added_weights_are_known(tiny_model: TextModel, name: str) -> None:
    found = settings(make_optimiser(method(tiny_model, name=name), {}, TrainSpec(learning_rate=1.0, layer_decay=0.5)))
    assert {rate for each, (rate, _) in found.items() if ".layer.0." in each} == {0.5}
    assert {rate for each, (rate, _) in found.items() if ".layer.1." in each} == {1.0}


@pytest.mark.parametrize("name", ["prompt", "prefix"])
def test_what_belongs_to_no_layer_moves_at_the_full_rate(tiny_model: TextModel, name: str) -> None:
    attached = method(tiny_model, name=name)
    found = settings(make_optimiser(attached, {}, TrainSpec(layer_decay=0.5)))
    assert found == {f"backbone.{name}": (attached.default_learning_rate, 0.01)}


def test_sgd_needs_a_rate_of_its_own(tiny_model: TextModel) -> None:
    attached = method(tiny_model, name="lora")
    optimiser = make_optimiser(attached, {}, TrainSpec(optimiser="sgd", learning_rate=0.05))
    assert isinstance(optimiser, SGD)
    assert optimiser.param_groups[0]["momentum"] == 0.9
    with pytest.raises(ConfigurationError, match="SGD would stand still") as caught:
        make_optimiser(attached, {}, TrainSpec(optimiser="sgd"))
    assert caught.value.field == "train.learning_rate"


def test_nothing_to_move(tiny_model: TextModel) -> None:
    frozen = method(tiny_model, name="frozen")
    with pytest.raises(ConfigurationError, match="Nothing moves"):
        make_optimiser(frozen, {"matching": nn.Module()}, TrainSpec())
    assert settings(make_optimiser(frozen, {"intent": nn.Linear(32, 2)}, TrainSpec())).keys() == {
        "heads.intent.weight",
        "heads.intent.bias",
    }


def test_words_that_are_never_met_stay(tiny_model: TextModel) -> None:
    attached = method(tiny_model, name="full", word_table=True)
    table = attached.parameters()["embeddings.word_embeddings.weight"]
    before = table.detach().clone()
    optimiser = make_optimiser(attached, {}, TrainSpec(learning_rate=0.01, weight_decay=0.5))
    tokens = tiny_model.queries(("red",), 16)
    for _ in range(3):
        tiny_model.pooled(tokens.batch(torch.tensor([0]).numpy())).square().sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
    changed = (table != before).any(1).nonzero().flatten().tolist()
    assert changed == tokens.used().tolist()


def test_schedules_by_hand() -> None:
    """Eight steps of which a quarter rise: thirds up to 1, then six steps down."""
    linear = schedule_of(TrainSpec(warmup=0.25, schedule="linear"), 8)
    assert [linear(step) for step in range(9)] == pytest.approx([1 / 3, 2 / 3, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])
    cosine = schedule_of(TrainSpec(warmup=0.25, schedule="cosine"), 8)
    assert [cosine(step) for step in range(9)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 0.5 + 0.25 * 3**0.5, 0.75, 0.5, 0.25, 0.5 - 0.25 * 3**0.5, 0]
    )
    constant = schedule_of(TrainSpec(warmup=0.25, schedule="constant"), 8)
    assert [constant(step) for step in (0, 1, 2, 7, 100)] == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("total", [1, 2, 3, 10])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.99])
def test_no_step_is_lost(schedule: str, total: int, warmup: float) -> None:
    factor = schedule_of(TrainSpec.model_validate({"warmup": warmup, "schedule": schedule}), total)
    assert all(0 < factor(step) <= 1 for step in range(total))
