"""A frozen encoder reads each text once; one that moves reads it anew."""

import numpy as np
import pytest
import torch

from lingsou.training.neural.tasks.pooled import PooledTexts
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch

TEXTS = ["red dress", "苹果手机壳", "nike running shoe"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    forward = TextModel.forward

    def counted(self: TextModel, tokens: TokenBatch) -> torch.Tensor:
        counts.append(len(tokens.ids))
        return forward(self, tokens)

    monkeypatch.setattr(TextModel, "forward", counted)
    return counts


def test_frozen_states_are_kept_until_a_weight_changes(tiny_model: TextModel, read: list[int]) -> None:
    tiny_model.backbone.requires_grad_(False)
    texts = PooledTexts(tiny_model.queries(TEXTS, 32))
    first = texts.rows(tiny_model, np.array([2, 0]))
    assert torch.equal(texts.rows(tiny_model, np.array([0]))[0], first[1])
    assert read == [3]
    with torch.no_grad():
        next(tiny_model.backbone.parameters()).mul_(1.5)
    assert not torch.equal(texts.rows(tiny_model, np.array([2, 0])), first)
    assert read == [3, 3]


def test_kept_states_equal_those_of_a_forward_pass(tiny_model: TextModel) -> None:
    table = tiny_model.queries(TEXTS, 32)
    moving = PooledTexts(table).rows(tiny_model, np.array([1, 2]))
    assert moving.requires_grad
    tiny_model.backbone.requires_grad_(False)
    kept = PooledTexts(table).rows(tiny_model, np.array([1, 2]))
    assert not kept.requires_grad
    assert torch.allclose(kept, moving, atol=1e-5)


def test_a_moving_encoder_reads_what_the_batch_needs(tiny_model: TextModel, read: list[int]) -> None:
    texts = PooledTexts(tiny_model.queries(TEXTS, 32))
    texts.rows(tiny_model, np.array([1]))
    texts.rows(tiny_model, np.array([1]))
    assert read == [1, 1]


def test_sentences_are_unit_vectors(tiny_model: TextModel) -> None:
    vectors = PooledTexts(tiny_model.queries(TEXTS, 32)).sentences(tiny_model, np.array([0, 1]))
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0, 1.0])
