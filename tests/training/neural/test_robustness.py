"""Robustness: the task made anew of perturbed texts is the same task."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lingsou.training.augment import PERTURBATIONS
from lingsou.training.examples import HistorySet, LabelSet, PairSet, Span, Splits, TagSet, TextSet
from lingsou.training.neural import robustness as module
from lingsou.training.neural.robustness import robustness
from lingsou.training.neural.tasks.classification import ClassificationTask
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.tagging import TaggingTask
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec

COLOURS, THINGS = ("red", "black", "white", "blue"), ("dress", "shoe", "phone", "case", "leather")
TEXTS = tuple(f"{colour} {thing}" for colour in COLOURS for thing in THINGS)


def pairs() -> PairSet:
    rows = [(colour, text, float(text.startswith(colour))) for colour in COLOURS for text in TEXTS[::2]]
    return PairSet.of(rows, {"language": ["en"] * len(rows)})


def labels(*, multiple: bool) -> LabelSet:
    given = tuple(tuple(text.split()) if multiple else (text.split()[1],) for text in TEXTS)
    return LabelSet(TEXTS, given, multiple, slices={"length": ["s", "l"] * (len(TEXTS) // 2)})


def tags() -> TagSet:
    return TagSet(
        TEXTS, tuple((Span(0, text.index(" "), "colour"), Span(text.index(" ") + 1, len(text), "x")) for text in TEXTS)
    )


def histories() -> HistorySet:
    items = tuple((row % 20, (row * 7 + 1) % 20, (row * 3 + 2) % 20) for row in range(12))
    return HistorySet(TEXTS, items, tuple(f"s{row}" for row in range(12)), np.arange(12, dtype=np.float64))


SETS: dict[str, Any] = {
    "matching": pairs(),
    "relevance": pairs(),
    "click": pairs(),
    "classes": labels(multiple=False),
    "labels": labels(multiple=True),
    "tags": tags(),
    "history": histories(),
}


FORMATS = {"classes": "labels", "labels": "labels", "tags": "tags", "history": "histories"}


def made(kind: str, model: TextModel, **options: object) -> tuple[TaskSpec, Splits[Any], torch.nn.Module]:
    spec = TaskSpec.model_validate({"kind": kind, "data": {"format": FORMATS.get(kind, "pairs")}, **options})
    splits = Splits(SETS[kind], SETS[kind], SETS[kind])
    torch.manual_seed(5)
    return spec, splits, make_task("it", spec, splits, model).head(model.hidden)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("part", ["validation", "test"])
def test_texts_that_stay_give_the_same_figures(
    kind: str, part: Any, tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the task takes from its training rows, the few that are left have it."""
    monkeypatch.setattr(module, "perturbed", lambda examples, kind, rng: examples)
    spec, splits, head = made(kind, tiny_model)
    whole = make_task("it", spec, splits, tiny_model).evaluate(tiny_model, head, part)
    result = robustness("it", spec, splits, tiny_model, head, ["none"], 0, part)["none"]
    assert result.changed == 0.0
    found = result.evaluation
    assert found.values == pytest.approx(whole.values)
    assert found.rows == whole.rows
    assert set(found.slices) == set(whole.slices)


def test_texts_that_say_nothing_lose_what_they_said(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that reads the words' own vectors back finds every thing; without the words it guesses one for all."""
    spec, splits, head = made("classes", tiny_model)
    task = make_task("it", spec, splits, tiny_model)
    with torch.no_grad():
        states = tiny_model.pooled(tiny_model.queries(TEXTS, spec.max_tokens).batch(np.arange(len(TEXTS)))).double()
        wanted = torch.tensor([[float(text.endswith(name)) for name in sorted(THINGS)] for text in TEXTS]).double()
        solved = torch.linalg.lstsq(torch.cat([states, torch.ones(len(TEXTS), 1)], 1), wanted).solution.float()
        head.get_parameter("weight").copy_(solved[:-1].T)
        head.get_parameter("bias").copy_(solved[-1])
    before = task.evaluate(tiny_model, head, "test").values["accuracy"]
    monkeypatch.setattr(module, "perturbed", lambda examples, kind, rng: replace(examples, texts=("good",) * 20))
    after = robustness("it", spec, splits, tiny_model, head, ["lost"], 0)["lost"].evaluation.values["accuracy"]
    assert before > 0.9
    assert after == pytest.approx(1 / len(THINGS))


@pytest.mark.parametrize("kind", ["classes", "tags"])
def test_what_was_fitted_beside_the_head_decides_too(
    kind: str, tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "perturbed", lambda examples, kind, rng: examples)
    spec, splits, head = made(kind, tiny_model, characters=True)
    task = make_task("it", spec, splits, tiny_model)
    alone = task.evaluate(tiny_model, head, "test").values
    assert isinstance(task, ClassificationTask | TaggingTask)
    task.calibrate(tiny_model, head)
    both = task.evaluate(tiny_model, head, "test").values
    result = robustness("it", spec, splits, tiny_model, head, ["none"], fitted=task)["none"].evaluation.values
    assert result == pytest.approx(dict(both))
    assert result[task.metric] > alone[task.metric]


def test_a_kind_is_drawn_alike_whatever_else_is_asked(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, list[float]] = {}

    def perturbed(examples: LabelSet, kind: str, rng: np.random.Generator) -> LabelSet:
        drawn.setdefault(kind, []).append(float(rng.random()))
        return examples

    monkeypatch.setattr(module, "perturbed", perturbed)
    spec, splits, head = made("classes", tiny_model)
    robustness("it", spec, splits, tiny_model, head, ["typos", "case"], 3)
    both, drawn = drawn, {}
    robustness("it", spec, splits, tiny_model, head, ["case"], 3)
    assert drawn["case"] == both["case"] != both["typos"]
    assert len(drawn["case"]) == 1, "only the part that is measured is perturbed"


def test_negatives_are_not_mined_and_masks_have_none(tiny_model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "perturbed", lambda examples, kind, rng: examples)
    spec, splits, head = made("matching", tiny_model, hard_negatives=2)

    def refuse(*_: object) -> None:
        raise AssertionError("mined")

    monkeypatch.setattr("lingsou.training.neural.tasks.matching.MatchingTask._mine", refuse)
    assert robustness("it", spec, splits, tiny_model, head, ["none"], 0)
    texts = TextSet(TEXTS)
    masking = TaskSpec.model_validate({"kind": "masking", "data": {"format": "texts"}})
    assert robustness("it", masking, Splits(texts, texts, texts), tiny_model, torch.nn.Module(), ["none"], 0) == {}


def test_every_perturbation_of_the_package_is_measured(tiny_model: TextModel) -> None:
    spec, splits, head = made("classes", tiny_model)
    found = robustness("it", spec, splits, tiny_model, head)
    assert tuple(found) == PERTURBATIONS
    assert found["keyboard"].changed == found["swap"].changed == found["case-width"].changed == 1.0
    assert found["pinyin"].changed == 0.0, "the texts are English"
