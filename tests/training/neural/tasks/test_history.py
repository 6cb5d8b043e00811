"""Histories: learned, combined and ranked as worked by hand."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from lingsou.core.errors import InputError
from lingsou.training.examples import HistorySet, Splits
from lingsou.training.neural.tasks.history import RECENT, HistoryHead, HistoryTask, _recent
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.tasks.learning import learn, same_batches, spec

TEXTS = (
    "red dress", "blue dress", "white dress", "black dress",
    "nike shoe", "running shoe", "leather shoe", "women shoe",
    "phone case", "apple phone", "leather case", "good phone",
)  # fmt: skip


def set_of(items: Sequence[tuple[int, ...]]) -> HistorySet:
    shoppers = tuple(f"s{number}" for number in range(len(items)))
    return HistorySet(TEXTS, tuple(items), shoppers, np.arange(len(items), dtype=np.float64))


def task_of(model: TextModel, train: HistorySet, held: HistorySet | None = None, **changes: object) -> HistoryTask:
    return HistoryTask("next", spec("history", **changes), Splits(train, held or train, held or train), model)


ITEMS = [
    (4 * kind + first, 4 * kind + (first + 1) % 4, 4 * kind + (first + 2) % 4)
    for kind in range(3)
    for first in range(4)
]


def test_histories_are_learned(tiny_model: TextModel) -> None:
    """Dresses and shoes follow each other in pairs, so do cases and phones."""
    pairs = [(0, 4), (1, 5), (2, 6), (3, 7), (8, 9), (10, 11)]
    task = task_of(tiny_model, set_of([*pairs, *((b, a) for a, b in pairs)]))
    learned = learn(task, tiny_model, steps=60)
    found = task.evaluate(tiny_model, learned.head, "test")
    assert learned.losses[-1] < 0.5 * learned.losses[0]
    assert found.values["ndcg@10"] > 0.95
    assert found.values["hr@10"] == 1.0
    assert isinstance(learned.head, HistoryHead)
    assert 0 < learned.head.decay < 1
    assert task.export(learned.head) is None


def test_the_seed_decides_the_batches(tiny_model: TextModel) -> None:
    same_batches(task_of(tiny_model, set_of(ITEMS)))


def test_a_single_row_is_left_out_of_a_batch_of_its_own(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, set_of(ITEMS[:5]))
    assert [len(rows) for rows in task.epoch(np.random.default_rng(0), 4)] == [4]
    alone = task_of(tiny_model, set_of(ITEMS[:1]))
    assert [len(rows) for rows in alone.epoch(np.random.default_rng(0), 4)] == [1]


def test_the_past_fades_by_the_learned_factor() -> None:
    """Factor ½: the latest of three counts 4 times as much as the first; what is masked counts nothing."""
    head = HistoryHead()
    with torch.no_grad():
        head.rate.fill_(math.log(math.expm1(math.log(2))))
    assert head.decay == pytest.approx(0.5)
    vectors = torch.eye(3)[None]
    ages = torch.tensor([2.0, 1.0, 0.0])
    found = head(vectors, ages, torch.tensor([[True, True, True]]))[0]
    assert found.tolist() == pytest.approx((np.array([1, 2, 4]) / math.sqrt(21)).tolist())
    assert head(vectors, ages, torch.tensor([[False, False, True]]))[0].tolist() == [0.0, 0.0, 1.0]


def test_only_the_latest_products_count() -> None:
    found = _recent(set_of([tuple(range(10)) * 3, (1, 2)]))
    assert found.shape == (2, RECENT + 1)
    assert found[0].tolist() == (list(range(10)) * 3)[-21:]
    assert found[1].tolist() == [-1] * 19 + [1, 2]


def plane(model: TextModel, monkeypatch: pytest.MonkeyPatch, vectors: list[list[float]]) -> None:
    """Products have these vectors, whatever their texts."""
    given = torch.tensor(vectors)
    given = torch.nn.functional.pad(given, (0, model.hidden - given.shape[1]))
    monkeypatch.setattr("lingsou.training.neural.tasks.pooled.PooledTexts.all", lambda self, model: given)
    model.backbone.requires_grad_(False)


def test_ranks_by_hand(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Angles of 12 products at 0°, 10° … 110°.

    After product 0 comes 1: first of those left, as 0 itself is not shown again. After 0 comes 3: third, 1 / log2(4).
    After 0 comes 11: the last of eleven, found beyond the tenth place.
    """
    plane(
        tiny_model, monkeypatch, [[math.cos(math.radians(10 * k)), math.sin(math.radians(10 * k))] for k in range(12)]
    )
    held = set_of([(0, 1), (0, 3), (0, 11)])
    task = task_of(tiny_model, set_of(ITEMS), held)
    found = task.evaluate(tiny_model, task.head(tiny_model.hidden), "test")
    assert found.values == pytest.approx({"ndcg@10": (1 + 0.5 + 0) / 3, "hr@10": 2 / 3})
    assert found.worst[0].expected == "good phone (found at 11)"
    assert found.worst[0].found == "blue dress"


def test_equal_scores_count_against_the_model(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plane(tiny_model, monkeypatch, [[1.0, 0.0]] * 12)
    task = task_of(tiny_model, set_of(ITEMS), set_of([(0, 1)]))
    assert task.evaluate(tiny_model, task.head(tiny_model.hidden), "test").values["hr@10"] == 0.0


def test_a_product_bought_again_can_be_found(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    plane(tiny_model, monkeypatch, [[1.0, 0.0], *([[0.0, 1.0]] * 11)])
    task = task_of(tiny_model, set_of(ITEMS), set_of([(0, 1, 0)]))
    head = task.head(tiny_model.hidden)
    assert isinstance(head, HistoryHead)
    with torch.no_grad():
        head.rate.fill_(-9.0)  # nothing fades: halfway between both, 1 is not shown, ten others are as near
    assert task.evaluate(tiny_model, head, "test").values["hr@10"] == 0.0
    with torch.no_grad():
        head.rate.fill_(3.0)  # the latest counts alone: 0 is the farthest of eleven
    assert task.evaluate(tiny_model, head, "test").values["hr@10"] == 0.0
    assert (
        task_of(tiny_model, set_of(ITEMS), set_of([(0, 0)])).evaluate(tiny_model, head, "test").values["hr@10"] == 1.0
    )


def test_loss_by_hand(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Next products A, A, B of the batch at right angles; A is twice as popular.

    First row: its own A and B, the other A is no negative. Logits −log(2/3) and −log(1/3), as the history C is at
    right angles to both: p(A) = 1.5 / (1.5 + 3) = 1/3. Third row: history A, so A is no negative: certain.
    """
    plane(tiny_model, monkeypatch, [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], *([[0.0, 0, 1.0]] * 9)])
    task = task_of(tiny_model, set_of([(2, 0), (2, 0), (0, 1)]))
    loss = task.loss(tiny_model, task.head(tiny_model.hidden), np.arange(3))
    assert loss.item() == pytest.approx((math.log(3) + math.log(3) + 0) / 3)


def test_no_history_is_refused(tiny_model: TextModel) -> None:
    with pytest.raises(InputError, match="no history"):
        task_of(tiny_model, set_of([]))
