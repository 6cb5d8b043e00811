"""Masked tokens: chosen among the text's own, guessed among the pieces in use."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.training.examples import Splits, TextSet
from lingsou.training.neural.base import Base
from lingsou.training.neural.tasks.masking import MaskHead, MaskingTask
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from tests.training.neural.tasks.learning import learn, same_batches, spec

TEXTS = ("red dress 1", "blue shoe 2", "white phone 3", "black case 4") * 5


def task_of(model: TextModel, texts: tuple[str, ...] = TEXTS, held: tuple[str, ...] | None = None) -> MaskingTask:
    part = TextSet(texts if held is None else held)
    return MaskingTask("words", spec("masking"), Splits(TextSet(texts), part, part), model)


def test_words_are_learned_from_their_neighbours(tiny_model: TextModel) -> None:
    """Each colour has one thing and one price, so what is hidden follows from the rest."""
    task = task_of(tiny_model)
    untrained = task.evaluate(tiny_model, task.head(tiny_model.hidden), "test").values
    learned = learn(task, tiny_model, steps=80)
    trained = task.evaluate(tiny_model, learned.head, "test").values
    assert trained["accuracy"] > 0.8 > untrained["accuracy"] + 0.3
    assert trained["log_likelihood"] > untrained["log_likelihood"] + 1
    assert task.export(learned.head) is None


def test_the_seed_decides_the_batches(tiny_model: TextModel) -> None:
    same_batches(task_of(tiny_model))


def test_evaluations_are_always_the_same(tiny_model: TextModel) -> None:
    task = task_of(tiny_model)
    head = task.head(tiny_model.hidden)
    first = task.evaluate(tiny_model, head, "test")
    torch.manual_seed(99)
    assert task.evaluate(tiny_model, head, "test").values == first.values


def test_the_generator_decides_what_is_masked(tiny_model: TextModel) -> None:
    task = task_of(tiny_model)
    head, losses = task.head(tiny_model.hidden), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(task.loss(tiny_model, head, np.arange(20)).item())
    assert losses[0] == losses[1] != losses[2]


def test_what_is_shown(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4,000 tokens in texts of ten, 800 (two of ten) are chosen: 80 % masked, 10 % swapped, 10 % left."""
    text = ("red " * 10).strip()
    task = task_of(tiny_model, (text,) * 400, held=("blue dress",))
    shown: list[torch.Tensor] = []
    forward = TextModel.forward

    def seen(self: TextModel, tokens: TokenBatch) -> torch.Tensor:
        shown.append(tokens.ids)
        return forward(self, tokens)

    monkeypatch.setattr(TextModel, "forward", seen)
    torch.manual_seed(0)
    task.loss(tiny_model, task.head(tiny_model.hidden), np.arange(400))
    ids = shown[0].numpy()
    number = tiny_model.cutter.tokenizer.token_to_id
    original = np.array(tiny_model.cutter.encode([text], prefix="passage: ", max_tokens=32)[0].ids)
    own = original == number("▁red")
    assert own.sum() == 10
    assert (ids[:, ~own] == original[~own]).all()  # neither prefix nor special tokens
    masked = (ids[:, own] == number("<mask>")).sum()
    swapped = np.isin(ids[:, own], [number("▁blue"), number("▁dress")]).sum()  # or by chance for itself
    assert masked == pytest.approx(640, abs=40)
    assert swapped == pytest.approx(80 * 2 / 3, abs=25)
    assert (ids[:, own] != number("▁red")).sum(1).max() <= 2


def test_a_head_that_knows_nothing_by_hand(tiny_model: TextModel) -> None:
    """Nothing but the bias: every guess is the first candidate, each of n candidates as likely: −log n."""
    task = task_of(tiny_model)
    head = task.head(tiny_model.hidden)
    assert isinstance(head, MaskHead)
    with torch.no_grad():
        head.norm.weight.zero_()
    values = task.evaluate(tiny_model, head, "validation").values
    assert values["log_likelihood"] == pytest.approx(-math.log(len(head.bias)))
    assert len(head.bias) == 4 + 4 + 4 + 1  # colours, things, prices, and the space in front of a price


def test_what_cannot_be_learned_is_refused(tiny_base: Base, tiny_model: TextModel) -> None:
    with pytest.raises(InputError, match="hold no token"):
        task_of(tiny_model, ("", ""))
    bare = replace(tiny_base, tokenizer=tiny_base.tokenizer.replace(b"<mask>", b"<other>"))
    with pytest.raises(ConfigurationError, match="no piece <mask>"):
        task_of(TextModel(bare))
