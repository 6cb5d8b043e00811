import dataclasses

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import HistorySet, Splits
from lingsou.training.neural.base import Base
from lingsou.training.neural.compression import drop_layers, kept_layers, prune_vocabulary, rows_to_keep
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.methods.layers import layers_of
from lingsou.training.neural.run import used_pieces
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodSpec

SHOP = ("red dress", "black running shoe", "苹果 手机壳", "nike 42", "white leather case")


@pytest.mark.parametrize(
    ("layers", "keep", "kept"),
    [(12, 3, [0, 6, 11]), (12, 6, [0, 2, 4, 7, 9, 11]), (12, 12, list(range(12))), (2, 1, [0]), (3, 2, [0, 2])],
)
def test_layers_are_evenly_spaced(layers: int, keep: int, kept: list[int]) -> None:
    """12 → 3: places 0, 5.5 and 11."""
    assert kept_layers(layers, keep) == kept


@pytest.mark.parametrize("keep", [0, 3])
def test_layers_that_there_are_not(keep: int) -> None:
    with pytest.raises(ConfigurationError, match="2 layers"):
        kept_layers(2, keep)


def test_a_student_of_fewer_layers(tiny_base: Base) -> None:
    student = drop_layers(tiny_base, 1)
    assert len(layers_of(tiny_base.model)) == 2, "the teacher is left alone"
    assert len(layers_of(student.model)) == student.model.config.num_hidden_layers == 1
    model, teacher = TextModel(student), TextModel(tiny_base)
    table = model.queries(SHOP, 32)
    states: list[torch.Tensor] = []
    layers_of(tiny_base.model)[0].register_forward_hook(lambda _, __, found: states.append(found))
    teacher.eval()
    with torch.inference_mode():
        batch = table.batch(np.arange(len(SHOP)))
        teacher(batch)
        assert torch.allclose(model.eval()(batch), states[0], atol=1e-6), "its one layer is the teacher's first"
    for parameter in student.model.parameters():
        parameter.data.zero_()
    assert all(parameter.abs().sum() > 0 for name, parameter in tiny_base.model.named_parameters() if "weight" in name)


def test_layers_know_their_new_numbers(tiny_base: Base) -> None:
    """A prefix is looked up by the layer's number: that of the last layer must not point beyond it."""
    kept = drop_layers(tiny_base, 1)
    stack = layers_of(kept.model)
    stack[0].attention.self.layer_idx = 1  # type: ignore[union-attr]
    again = drop_layers(kept, 1)
    model = TextModel(again)
    attach(model, MethodSpec(name="prefix", virtual_tokens=2), 0, 10)
    assert torch.isfinite(model.encode(model.queries(SHOP, 32))).all()


def test_a_shop_s_vocabulary(tiny_base: Base) -> None:
    whole = TextModel(tiny_base)
    queries, documents = whole.queries(SHOP, 32), whole.documents(SHOP, 32)
    vectors = whole.encode(queries), whole.encode(documents)
    rows = rows_to_keep(tiny_base, [*queries.used(), *documents.used()])
    size = tiny_base.model.config.vocab_size
    pruned = prune_vocabulary(tiny_base, rows)
    assert pruned.model.config.vocab_size == len(rows) < size
    table = pruned.model.get_input_embeddings()
    assert table.weight.shape[0] == len(rows)  # type: ignore[index]
    model = TextModel(pruned)
    assert torch.equal(model.encode(model.queries(SHOP, 32)), vectors[0])
    assert torch.equal(model.encode(model.documents(SHOP, 32)), vectors[1])
    assert pruned.model.config.pad_token_id == model.cutter.pad == 1


def test_the_pieces_of_a_shop_hold_both_prefixes_and_every_product(tiny_base: Base) -> None:
    rows = HistorySet(("nike 42", "red dress", "white case"), ((0, 1), (2, 1)), ("a", "b"), np.zeros(2))
    texts = [*rows.texts, "red"]
    whole = TextModel(tiny_base)
    vectors = whole.encode(whole.documents(texts, 32))
    used = used_pieces(tiny_base, {"next": Splits(rows, rows, rows)})
    model = TextModel(prune_vocabulary(tiny_base, rows_to_keep(tiny_base, used)))
    assert torch.equal(model.encode(model.documents(texts, 32)), vectors), "no prefix is spelt letter by letter"


def test_a_pruned_model_can_be_trained(tiny_base: Base) -> None:
    rows = rows_to_keep(tiny_base, TextModel(tiny_base).queries(SHOP, 32).used())
    model = TextModel(prune_vocabulary(tiny_base, rows))
    attach(model, MethodSpec(name="full", word_table=True), 0, 10)
    model.sentences(model.queries(SHOP, 32).batch(np.arange(2))).sum().backward()  # type: ignore[no-untyped-call]
    table = model.base.model.get_input_embeddings()
    assert table.weight.grad is not None


def test_other_architectures(tiny_base: Base) -> None:
    config = DistilBertConfig(
        vocab_size=tiny_base.model.config.vocab_size, dim=32, n_layers=3, n_heads=2, hidden_dim=64, pad_token_id=1
    )
    base = dataclasses.replace(tiny_base, model=DistilBertModel(config))
    student = drop_layers(base, 2)
    assert len(layers_of(student.model)) == 2
    model = TextModel(prune_vocabulary(student, rows_to_keep(student, [5, 6])))
    assert model.encode(model.queries(SHOP, 32)).shape == (5, 32)
