import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import PairSet, Splits
from lingsou.training.neural.base import Base
from lingsou.training.neural.compression import drop_layers
from lingsou.training.neural.tasks.click import ClickTask
from lingsou.training.neural.tasks.distil import DistilledMatching, DistilledRelevance, Teacher, margin_error
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.pair_head import PairHead
from lingsou.training.neural.tasks.relevance import PairTokens, RelevanceTask, score_pairs
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.shops import pair_splits
from tests.training.neural.tasks.learning import learn, same_batches, spec


@pytest.fixture
def student(tiny_base: Base) -> TextModel:
    return TextModel(drop_layers(tiny_base, 1))


@pytest.fixture
def teacher(tiny_model: TextModel) -> Teacher:
    return Teacher(tiny_model, {})


def scored(teacher: TextModel, head: nn.Module) -> Teacher:
    return Teacher(teacher, {f"it.{name}": value.detach() for name, value in head.named_parameters()})


def test_margins_by_hand() -> None:
    """s − t is 1, 0, 3 | 5: within the first query the pairs are off by 1, 2 and 3: (1 + 4 + 9) / 3."""
    scores, wanted = torch.tensor([2.0, 1.0, 4.0, 5.0]), torch.tensor([1.0, 1.0, 1.0, 0.0])
    queries = torch.tensor([0, 0, 0, 1])
    assert float(margin_error(scores, wanted, queries)) == pytest.approx(14 / 3)
    assert float(margin_error(scores, wanted, torch.arange(4))) == 0.0
    assert float(margin_error(wanted + 7, wanted, queries)) == 0.0, "what is added to all does not matter"


def test_a_student_is_taught_vectors(student: TextModel, teacher: Teacher) -> None:
    splits = pair_splits()
    task = make_task("it", spec("matching"), splits, student, teacher)
    assert isinstance(task, DistilledMatching)
    assert isinstance(task, Task)
    assert task.rows == len(splits.train)
    same_batches(task)
    weights = [parameter.clone() for parameter in teacher.model.backbone.parameters()]
    learned = learn(task, student, steps=60, batch=8)
    assert np.mean(learned.losses[-5:]) < 0.6 * np.mean(learned.losses[:5])
    assert all(torch.equal(a, b) for a, b in zip(weights, teacher.model.backbone.parameters(), strict=True))
    assert task.metric in task.evaluate(student, learned.head, "test").values
    assert task.export(learned.head) is None


def test_a_teacher_agrees_with_itself(teacher: Teacher) -> None:
    task = make_task("it", spec("matching"), pair_splits(), teacher.model, teacher)
    loss = task.loss(teacher.model.eval(), nn.Identity(), np.arange(5))
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-5)


def test_queries_are_taught_as_queries_and_texts_as_texts(student: TextModel, teacher: Teacher) -> None:
    splits = pair_splits()
    task = make_task("it", spec("matching"), splits, student, teacher)
    query, text = splits.train.query[2], splits.train.text[2]
    sides = []
    for model in (student.eval(), teacher.model):
        asked = model.encode(model.queries([splits.train.queries[query]], 32))[0]
        sides.append((asked, model.encode(model.documents([splits.train.texts[text]], 32))[0]))
    (asked, shown), (asked_by_teacher, shown_by_teacher) = sides
    wanted = 1 - (float(asked @ asked_by_teacher) + float(shown @ shown_by_teacher)) / 2
    assert float(task.loss(student, nn.Identity(), np.array([2])).detach()) == pytest.approx(wanted, abs=1e-5)


def test_vectors_of_another_length(teacher: Teacher) -> None:
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
        make_task("it", spec("matching"), pair_splits(), other, teacher)


def test_a_cross_encoder_is_taught_scores(student: TextModel, tiny_model: TextModel) -> None:
    splits = pair_splits()
    head = learn(RelevanceTask("it", spec("relevance"), splits, tiny_model), tiny_model, steps=30).head
    task = make_task("it", spec("relevance"), splits, student, scored(tiny_model, head))
    assert isinstance(task, DistilledRelevance)
    assert isinstance(task, Task)
    same_batches(task)
    learned = learn(task, student, steps=60)
    assert np.mean(learned.losses[-5:]) < 0.5 * np.mean(learned.losses[:5])
    tokens = PairTokens(splits.validation, student, 32)
    own, wanted = score_pairs(student, learned.head, tokens), score_pairs(tiny_model, head, tokens)
    assert np.corrcoef(own, wanted)[0, 1] > 0.6
    exported = task.export(learned.head)
    assert (exported.manifest.output, exported.over, exported.weight.shape) == ("score", "pooled", (1, 32))
    assert exported.late is not None


def test_the_head_begins_as_the_teacher_s(student: TextModel, tiny_model: TextModel) -> None:
    teacher_head = PairHead(32, 2)
    nn.init.normal_(teacher_head.linear.weight)
    task = make_task("it", spec("relevance"), pair_splits(), student, scored(tiny_model, teacher_head))
    begun = task.head(32)
    assert isinstance(begun, PairHead)
    assert torch.equal(begun.linear.weight, teacher_head.linear.weight)
    assert begun.linear.weight is not teacher_head.linear.weight
    assert begun.linear.weight.requires_grad
    other = task.head(16)
    assert isinstance(other, PairHead)
    assert other.linear.in_features == 16


def test_a_teacher_without_that_head(student: TextModel, teacher: Teacher) -> None:
    with pytest.raises(ConfigurationError, match="no head for the task 'it'"):
        make_task("it", spec("relevance"), pair_splits(), student, teacher)


def test_other_tasks_learn_their_labels(tiny_model: TextModel, teacher: Teacher) -> None:
    clicks = PairSet.of([("red", "red dress", 1.0), ("red", "shoe", 0.0)])
    assert isinstance(make_task("it", spec("click"), Splits(clicks, clicks, clicks), tiny_model, teacher), ClickTask)
