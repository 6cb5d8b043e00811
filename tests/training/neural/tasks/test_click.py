"""Clicks from text: learned, measured as worked by hand, predicted for new pairs."""

import math

import numpy as np
import pytest
import torch

from lingsou.core.errors import InputError
from lingsou.training.examples import PairSet, Splits
from lingsou.training.neural.tasks.click import ClickHead, ClickTask
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.tasks.learning import learn, same_batches, spec

WORDS = ("red dress", "nike shoe", "phone case", "苹果", "运动鞋")
ROWS = [(query, f"good {text}", float(query == text)) for query in WORDS for text in WORDS][:20]


def task_of(model: TextModel, rows: list[tuple[str, str, float]], held: PairSet | None = None) -> ClickTask:
    train = PairSet.of(rows)
    return ClickTask("click", spec("click"), Splits(train, train if held is None else held, held or train), model)


def test_clicks_are_learned(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, ROWS)
    learned = learn(task, tiny_model, steps=60)
    found = task.evaluate(tiny_model, learned.head, "test")
    assert found.values["auc"] == 1.0
    assert found.values["log_likelihood"] > -0.1
    assert task.export(learned.head) is None
    same, other = task.predict(tiny_model, learned.head, ["nike shoe"] * 2, ["good nike shoe", "good 苹果"])
    assert same > 0.8
    assert other < 0.2


def test_a_frozen_encoder_will_do(tiny_model: TextModel) -> None:
    tiny_model.backbone.requires_grad_(False)
    task = task_of(tiny_model, ROWS)
    learned = learn(task, tiny_model, steps=80, rate=0.05)
    assert task.evaluate(tiny_model, learned.head, "test").values["auc"] == 1.0


def test_the_seed_decides_the_batches(tiny_model: TextModel) -> None:
    same_batches(task_of(tiny_model, ROWS))


def test_figures_by_hand(tiny_model: TextModel) -> None:
    """The head says ¾ of every pair; two of eight were clicked: AUC ½, off by ½, and −log p by hand."""
    rows = [("red", f"red {number}", float(number < 2)) for number in range(8)]
    held = PairSet.of(rows, slices={"language": ["en"] * 6 + ["zh"] * 2, "brand": ["a", "b"] + ["none"] * 6})
    task = task_of(tiny_model, ROWS, held)
    head = task.head(tiny_model.hidden)
    assert isinstance(head, ClickHead)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.fill_(math.log(3))
    found = task.evaluate(tiny_model, head, "validation")
    likelihood = (2 * math.log(0.75) + 6 * math.log(0.25)) / 8
    assert found.values == pytest.approx({"auc": 0.5, "log_likelihood": likelihood, "ece_loss": 0.5})
    assert set(found.slices) == {"language: en", "brand: none"}
    assert "auc" not in found.slices["brand: none"]  # nobody clicked there
    assert (found.worst[0].expected, found.worst[0].found) == ("not clicked", "0.750")


def test_the_head_reads_both_vectors_their_product_and_their_distance() -> None:
    """Two vectors of two numbers, made √2 times as long: q = (√2, 0), d = (0, √2)."""
    head = ClickHead(2)
    seen: list[torch.Tensor] = []
    head.linear.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    head(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    root = math.sqrt(2)
    assert seen[0][0].tolist() == pytest.approx([root, 0, 0, root, 0, 0, root, root])


def test_what_cannot_be_learned_is_refused(tiny_model: TextModel) -> None:
    with pytest.raises(InputError, match=r"row 1.*grade 0\.5"):
        task_of(tiny_model, [("a", "b", 1.0), ("a", "c", 0.5)])
    with pytest.raises(InputError, match="grade nan"):
        task_of(tiny_model, [("a", "b", float("nan")), ("a", "c", 1.0)])
    with pytest.raises(InputError, match="of the 2 train rows 2 were clicked"):
        task_of(tiny_model, [("a", "b", 1.0), ("a", "c", 1.0)])
    with pytest.raises(InputError, match="of the 0 validation rows"):
        task_of(tiny_model, ROWS, PairSet.of([]))


def test_an_empty_list_has_no_predictions(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, ROWS)
    assert task.predict(tiny_model, task.head(tiny_model.hidden), [], []).shape == (0,)
    assert np.isfinite(task.predict(tiny_model, task.head(tiny_model.hidden), [""], [""])).all()
