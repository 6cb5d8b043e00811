"""Classes and labels: learned, measured as worked by hand, calibrated, exported."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.core.manifests import ModelManifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.models.character_classes import CharacterClasses
from lingsou.models.logistic import fit_temperature, softmax
from lingsou.training.examples import LabelSet, Splits
from lingsou.training.neural.export import export_encoder
from lingsou.training.neural.tasks.classification import ClassHead, ClassificationTask
from lingsou.training.neural.tasks.task import Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.scoring import class_scores
from tests.training.neural.tasks.learning import learn, same_batches, spec

TEXTS = (
    "red dress", "blue dress", "white dress", "红色连衣裙", "黑色连衣裙", "small red dress", "cheap dress",
    "nike shoe", "running shoe", "leather shoe", "运动鞋", "黑色运动鞋", "男鞋", "women shoe",
    "phone case", "apple phone", "苹果手机壳", "华为手机壳", "leather phone case", "小米",
)  # fmt: skip
NAMES = ("dress",) * 7 + ("shoe",) * 7 + ("phone",) * 6


def one_class(**slices: list[str]) -> LabelSet:
    return LabelSet(TEXTS, tuple((name,) for name in NAMES), slices=slices)


def task_of(model: TextModel, train: LabelSet, held: LabelSet | None = None, **changes: object) -> ClassificationTask:
    kind = "labels" if train.multiple else "classes"
    held = held or train
    return ClassificationTask("category", spec(kind, **changes), Splits(train, held, held), model)


@pytest.mark.parametrize("loss", ["cross-entropy", "balanced"])
def test_classes_are_learned(tiny_model: TextModel, loss: str) -> None:
    task = task_of(tiny_model, one_class(), loss=loss)
    assert isinstance(task, Task)
    learned = learn(task, tiny_model, steps=40)
    assert learned.losses[-1] < 0.1 < learned.losses[0]
    found = task.evaluate(tiny_model, learned.head, "test")
    assert found.values["accuracy"] == found.values["macro_f1"] == found.values["micro_f1"] == 1.0
    assert found.confusion is not None
    labels, counts = found.confusion
    assert list(labels) == ["dress", "phone", "shoe"]
    assert counts.tolist() == [[7, 0, 0], [0, 6, 0], [0, 0, 7]]


def test_labels_are_learned(tiny_model: TextModel) -> None:
    given: tuple[tuple[str, ...], ...] = tuple(
        (name, "leather") if "leather" in text else (name,) for text, name in zip(TEXTS, NAMES, strict=True)
    )
    given = (*given[:-1], ())
    task = task_of(tiny_model, LabelSet(TEXTS, given, multiple=True))
    learned = learn(task, tiny_model, steps=60)
    found = task.evaluate(tiny_model, learned.head, "validation")
    assert task.metric == "micro_f1"
    assert found.values["accuracy"] == found.values["macro_f1"] == found.values["micro_f1"] == 1.0
    assert found.confusion is None
    assert task.export(learned.head).manifest.kind == "labels"


def test_a_frozen_encoder_trains_the_head_alone(tiny_model: TextModel) -> None:
    tiny_model.backbone.requires_grad_(False)
    before = [weight.clone() for weight in tiny_model.backbone.parameters()]
    task = task_of(tiny_model, one_class())
    learned = learn(task, tiny_model, steps=60, rate=0.1)
    assert task.evaluate(tiny_model, learned.head, "test").values["accuracy"] == 1.0
    assert all(torch.equal(*pair) for pair in zip(before, tiny_model.backbone.parameters(), strict=True))


def test_the_seed_decides_the_batches(tiny_model: TextModel) -> None:
    same_batches(task_of(tiny_model, one_class()))


def by_bias(task: ClassificationTask, hidden: int, bias: list[float]) -> ClassHead:
    """A head that says the same of every text."""
    head = task.head(hidden)
    assert isinstance(head, ClassHead)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor(bias))
    return head


def test_figures_by_hand(tiny_model: TextModel) -> None:
    """All texts are found to be a dress with p = ½, ¼, ¼. Six texts: three dresses, two shoes, one unknown hat.

    Accuracy 3/6. F1 of dress 2·3/(6+3) = 2/3, of shoe 0; phone neither expected nor found: macro 1/3. Micro: right 3,
    found 6, expected 5 that training knows: 6/11. Calibration: sure by ½, right by ½: 0.
    """
    held = LabelSet(
        TEXTS[:6], (("dress",),) * 3 + (("shoe",),) * 2 + (("hat",),), slices={"language": ["zh"] * 5 + ["en"]}
    )
    task = task_of(tiny_model, one_class(), held)
    head = by_bias(task, tiny_model.hidden, [np.log(2.0), 0.0, 0.0])
    found = task.evaluate(tiny_model, head, "test")
    assert found.values == pytest.approx(
        {"accuracy": 0.5, "macro_f1": 1 / 3, "micro_f1": 6 / 11, "ece_loss": 0.0}, abs=1e-6
    )
    assert set(found.slices) == {"language: zh"}  # one English text says nothing
    assert found.slices["language: zh"]["accuracy"] == pytest.approx(0.6)
    assert found.confusion is not None
    assert found.confusion[1].tolist() == [[3, 0, 0], [0, 0, 0], [2, 0, 0]]
    assert (found.worst[0].expected, found.worst[0].found) == ("hat", "dress 0.50")
    assert found.worst[1].loss == pytest.approx(np.log(4.0))


def test_evaluation_leaves_modes_alone(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, one_class())
    head = task.head(tiny_model.hidden)
    tiny_model.train()
    task.evaluate(tiny_model, head, "test")
    assert tiny_model.training
    assert head.training
    tiny_model.train(mode=False)
    task.evaluate(tiny_model, head, "test")
    assert not tiny_model.training


def test_temperature_makes_an_overconfident_head_honest(tiny_model: TextModel) -> None:
    """Always sure of dress by e⁸ : 1 : 1, right in 7 of 20: the likeliest temperature says 0.35, just above chance."""
    task = task_of(tiny_model, one_class())
    head = by_bias(task, tiny_model.hidden, [8.0, 0.0, 0.0])
    before = task.evaluate(tiny_model, head, "test").values
    temperature = task.calibrate(tiny_model, head)
    after = task.evaluate(tiny_model, head, "test").values
    assert before["ece_loss"] == pytest.approx(0.65, abs=0.01)
    assert after["ece_loss"] < 0.08  # temperatures end at 20: e^0.4 / (e^0.4 + 2) = 0.43
    assert after["accuracy"] == before["accuracy"]
    assert task.export(head).manifest.temperature == pytest.approx(temperature) == pytest.approx(20.0, rel=1e-3)


def test_temperature_is_the_one_of_the_smallest_loss() -> None:
    assert fit_temperature(lambda value: (np.log(value) - np.log(2.5)) ** 2) == pytest.approx(2.5, rel=1e-3)


def test_characters_beside_the_encoder_decide_with_it(tiny_model: TextModel) -> None:
    """The encoder says nothing, so the words decide, and the export has what they learned."""
    held = LabelSet(("green dress", "big shoe", "new phone case"), (("dress",), ("shoe",), ("phone",)))
    task = task_of(tiny_model, one_class(), held, characters=True)
    head = by_bias(task, tiny_model.hidden, [1.0, 0.0, 0.0])
    assert task.evaluate(tiny_model, head, "test").values["accuracy"] == pytest.approx(1 / 3)
    temperature = task.calibrate(tiny_model, head)
    assert task.evaluate(tiny_model, head, "test").values["accuracy"] == 1.0
    assert task.share < 1.0
    exported = task.export(head)
    assert exported.manifest.share == task.share
    assert exported.manifest.temperature == pytest.approx(temperature)
    kept = CharacterClasses.load(exported.characters)
    assert task.characters is not None
    assert kept.logits("green dress") == pytest.approx(task.characters.logits("green dress"), rel=1e-3)


def test_what_was_trained_is_what_is_served(tiny_model: TextModel, tmp_path: Path) -> None:
    """Recipe → head → artefact → probabilities: of the encoder and the characters together."""
    task = task_of(tiny_model, one_class(), characters=True)
    learned = learn(task, tiny_model, steps=3)
    task.calibrate(tiny_model, learned.head)
    assert task.characters is not None
    logits = task.logits(tiny_model, learned.head, "test") / float(learned.head.get_buffer("temperature"))
    wanted = softmax(logits + task.characters.all_logits(TEXTS))
    about = ModelManifest(task="text-encoder")
    export_encoder(tiny_model, [task.export(learned.head)], tmp_path / "a", name="a", about=about, precision="fp32")
    found, _ = class_scores(OnnxEncoder.open(tmp_path / "a"), "category", TEXTS)
    assert found == pytest.approx(wanted, abs=5e-3)
    assert np.abs(softmax(logits) - wanted).max() > 0.1, "the characters say something"


def test_characters_that_add_nothing_are_left_out(tiny_model: TextModel) -> None:
    """Words that tell the wrong class of each held row: the encoder alone is likelier."""
    held = LabelSet(("red dress", "nike shoe", "phone case") * 5, (("shoe",), ("phone",), ("dress",)) * 5)
    task = task_of(tiny_model, one_class(), held, characters=True)
    head = by_bias(task, tiny_model.hidden, [0.0, 0.0, 0.0])
    task.calibrate(tiny_model, head)
    assert (task.share, task.characters) == (1.0, None)
    assert not task.export(head).characters


def test_export_is_linear_over_the_pooled_state(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, one_class())
    head = task.head(tiny_model.hidden)
    exported = task.export(head)
    assert (exported.over, exported.manifest.kind, exported.manifest.output) == ("pooled", "classes", "head.category")
    assert exported.manifest.labels == ("dress", "phone", "shoe")
    pooled = tiny_model.pooled(tiny_model.queries(TEXTS[:2], 32).batch(np.arange(2)))
    assert torch.allclose(pooled @ exported.weight.T + exported.bias, head(pooled), atol=1e-5)


def test_what_cannot_be_learned_is_refused(tiny_model: TextModel) -> None:
    with pytest.raises(InputError, match="1 different labels"):
        task_of(tiny_model, LabelSet(("a", "b"), (("x",), ("x",))))
    with pytest.raises(InputError, match="0 different labels"):
        task_of(tiny_model, LabelSet((), ()))
    with pytest.raises(InputError, match=r"row 1.*2 classes"):
        task_of(tiny_model, LabelSet(("a", "b"), (("x",), ("x", "y"))))
    with pytest.raises(ConfigurationError, match=r"no loss 'hinge'.*cross-entropy, balanced"):
        task_of(tiny_model, one_class(), loss="hinge")
    with pytest.raises(ConfigurationError, match="no metric 'ece_loss'"):
        task_of(tiny_model, one_class(), metric="ece_loss")
