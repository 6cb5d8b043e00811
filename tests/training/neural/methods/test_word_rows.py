"""The word table by rows learns what the whole table learns, and only where it is met."""

import numpy as np
import torch

from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.methods.test_attach import PRODUCTS, QUERIES, learn, spec, states


def table(model: TextModel) -> torch.Tensor:
    found: torch.Tensor = model.base.model.state_dict()["embeddings.word_embeddings.weight"]
    return found


def test_rows_alone_learn_what_the_whole_table_learns() -> None:
    whole, rows = (TextModel(make_tiny_base()) for _ in range(2))
    start = table(whole).clone()
    met = np.union1d(whole.queries(QUERIES, 32).used(), whole.documents(PRODUCTS, 32).used())
    every = attach(whole, spec("full", word_table=True), 0, 20)
    few = attach(rows, spec("full", word_table=True), 0, 20, met[::-1])
    assert every.trainable - few.trainable == (len(start) - len(met)) * 32
    assert learn(whole, every, 4) == learn(rows, few, 4)
    before = states(rows)
    few.merge()
    torch.testing.assert_close(states(rows), before, atol=0, rtol=0)
    torch.testing.assert_close(table(rows), table(whole))
    never = np.setdiff1d(np.arange(len(start)), met)
    assert len(never) > 10
    assert torch.equal(table(rows)[never], start[never])
    assert not torch.equal(table(rows)[met], start[met])


def test_words_that_are_not_listed_are_still_read() -> None:
    model, plain = (TextModel(make_tiny_base()) for _ in range(2))
    attach(model, spec("full", word_table=True), 0, 20, np.array([7, 9]))
    torch.testing.assert_close(states(model), states(plain), atol=0, rtol=0)
