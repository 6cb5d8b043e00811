import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import Splits, TextSet
from lingsou.training.neural.base import Base
from lingsou.training.neural.compression import drop_layers
from lingsou.training.neural.tasks.distil import DistilScores, DistilVectors, margin_error
from lingsou.training.neural.tasks.relevance import PairTokens, RelevanceTask, score_pairs
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.shops import pair_splits
from tests.training.neural.tasks.learning import learn, same_batches, spec

TEXTS = tuple(
    f"{colour} {thing} {size}" for colour in ("red", "black") for thing in ("dress", "shoe") for size in range(6)
)


def text_splits() -> Splits[TextSet]:
    slices = {"language": ["en", "zh"] * 12}
    whole = TextSet(TEXTS, slices=slices)
    rows = np.arange(len(TEXTS))
    return Splits(whole, whole.take(rows[:12]), whole.take(rows[12:]))


@pytest.fixture
def student(tiny_base: Base) -> TextModel:
    return TextModel(drop_layers(tiny_base, 1))


def test_margins_by_hand() -> None:
    """s − t is 1, 0, 3 | 5: within the first query the pairs are off by 1, 2 and 3: (1 + 4 + 9) / 3."""
    scores, wanted = torch.tensor([2.0, 1.0, 4.0, 5.0]), torch.tensor([1.0, 1.0, 1.0, 0.0])
    queries = torch.tensor([0, 0, 0, 1])
    assert float(margin_error(scores, wanted, queries)) == pytest.approx(14 / 3)
    assert float(margin_error(scores, wanted, torch.arange(4))) == 0.0
    assert float(margin_error(wanted + 7, wanted, queries)) == 0.0, "what is added to all does not matter"


def test_a_student_is_taught_vectors(student: TextModel, tiny_model: TextModel) -> None:
    task = DistilVectors("distil", spec("masking"), text_splits(), student, tiny_model)
    assert isinstance(task, Task)
    assert task.rows == 24
    same_batches(task)
    before = task.evaluate(student, nn.Module(), "validation").values["cosine"]
    weights = [parameter.clone() for parameter in tiny_model.backbone.parameters()]
    head = learn(task, student, steps=40, batch=8).head
    found = task.evaluate(student, head, "validation")
    assert found.values["cosine"] > before + 0.02
    assert found.values["cosine"] > 0.97
    assert set(found.slices) == {"language: en", "language: zh"}
    assert found.rows == 12
    assert found.worst[0].loss == max(each.loss for each in found.worst)
    assert all(torch.equal(a, b) for a, b in zip(weights, tiny_model.backbone.parameters(), strict=True))
    assert task.export(head) is None


def test_a_teacher_agrees_with_itself(tiny_model: TextModel) -> None:
    task = DistilVectors("distil", spec("masking"), text_splits(), tiny_model, tiny_model)
    assert task.evaluate(tiny_model, nn.Module(), "test").values["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert float(task.loss(tiny_model.eval(), nn.Module(), np.arange(5)).detach()) == pytest.approx(0.0, abs=1e-5)


def test_pairs_teach_queries_as_queries(student: TextModel, tiny_model: TextModel) -> None:
    splits = pair_splits()
    task = DistilVectors("distil", spec("masking"), splits, student, tiny_model)
    assert task.rows == len(splits.train.queries) + len(splits.train.texts)
    same_batches(task)
    row = len(splits.train.queries) + 2
    for number, table in (
        (1, tiny_model.queries(splits.train.queries, 32)),
        (row, tiny_model.documents(splits.train.texts, 32)),
    ):
        wanted = tiny_model.encode(table)[number if number == 1 else 2]
        own = student.eval().sentences(task._train._batch(np.array([number])))[0]
        loss = task.loss(student, nn.Module(), np.array([number]))
        assert float(loss.detach()) == pytest.approx(1 - float((own.detach() * wanted).sum()), abs=1e-5)
    assert task.evaluate(student, nn.Module(), "validation").slices == {}


def test_vectors_of_another_length(student: TextModel) -> None:
    base = make_tiny_base()
    config = BertConfig(
        vocab_size=base.model.config.vocab_size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    other = TextModel(Base("small", BertModel(config, add_pooling_layer=False), base.tokenizer, "", ""))
    with pytest.raises(ConfigurationError, match="16 numbers, the teacher's 32"):
        DistilVectors("distil", spec("masking"), text_splits(), other, student)


def test_a_cross_encoder_is_taught_scores(student: TextModel, tiny_model: TextModel) -> None:
    splits = pair_splits()
    teacher_head = learn(RelevanceTask("relevance", spec("relevance"), splits, tiny_model), tiny_model, steps=30).head
    task = DistilScores("distil", spec("relevance"), splits, student, tiny_model, teacher_head)
    assert isinstance(task, Task)
    assert (task.rows, task.metric) == (len(splits.train), "ndcg@10")
    same_batches(task)
    learned = learn(task, student, steps=60)
    assert np.mean(learned.losses[-5:]) < 0.5 * np.mean(learned.losses[:5])
    found = task.evaluate(student, learned.head, "validation")
    assert found.values["agreement"] > 0.6
    assert found.values["ndcg@10"] > 0.5
    assert found.rows == len(splits.validation)
    exported = task.export(learned.head)
    assert (exported.manifest.output, exported.over, exported.weight.shape) == ("score", "pooled", (1, 32))
    tokens = PairTokens(splits.test, tiny_model, 32)
    again = DistilScores("distil", spec("relevance"), splits, tiny_model, tiny_model, teacher_head)
    assert again.evaluate(tiny_model, teacher_head, "test").values["agreement"] == pytest.approx(1.0)
    assert np.isfinite(score_pairs(tiny_model, teacher_head, tokens)).all()


def test_the_head_begins_as_the_teacher_s(student: TextModel, tiny_model: TextModel) -> None:
    teacher_head = nn.Linear(32, 1)
    task = DistilScores("distil", spec("relevance"), pair_splits(), student, tiny_model, teacher_head)
    begun = task.head(32)
    assert isinstance(begun, nn.Linear)
    assert torch.equal(begun.weight, teacher_head.weight)
    assert begun.weight is not teacher_head.weight
    other = task.head(16)
    assert isinstance(other, nn.Linear)
    assert other.in_features == 16


def test_without_grades_agreement_decides(student: TextModel, tiny_model: TextModel) -> None:
    splits = pair_splits()
    validation = splits.validation
    flat = type(validation)(
        validation.queries, validation.texts, validation.query, validation.text, validation.grades * 0
    )
    task = DistilScores(
        "distil", spec("relevance"), Splits(splits.train, flat, flat), student, tiny_model, nn.Linear(32, 1)
    )
    assert task.metric == "agreement"
