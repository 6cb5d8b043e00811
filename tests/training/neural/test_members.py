"""The mean of several models' weights, and of what they predict."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lingsou.training.examples import Span, Splits, TagSet
from lingsou.training.neural.members import _Ensemble, _Heads, _mean, _put, _together
from lingsou.training.neural.run import Prepared, assemble
from lingsou.training.recipe import Recipe

from .conftest import make_tiny_base
from .shops import label_splits, pair_splits
from .test_trainer import CPU

TEXTS = ("red shoe", "blue dress", "nike shoe", "red nike dress")
TAGGED = TagSet(TEXTS, tuple((Span(0, text.index(" "), "FIRST"),) for text in TEXTS))
KINDS: dict[str, tuple[dict[str, Any], Splits[Any]]] = {
    "matching": ({"kind": "matching", "data": {"format": "pairs"}}, pair_splits()),
    "relevance": ({"kind": "relevance", "data": {"format": "pairs"}}, pair_splits()),
    "mood": ({"kind": "classes", "data": {"format": "labels"}}, label_splits()),
    "tags": ({"kind": "tags", "crf": True, "data": {"format": "tags"}}, Splits(TAGGED, TAGGED, TAGGED)),
}


def begun(folder: Path, name: str, method: str = "top-layers") -> Prepared:
    task, splits = KINDS[name]
    told = {"name": "tiny", "tasks": {name: {"max_tokens": 32, **task}}, "method": {"name": method, "layers": 1}}
    return assemble(Recipe.model_validate(told), make_tiny_base(), {name: splits}, {}, CPU, folder)


def weights_of(run: Prepared, by: float = 1.0) -> dict[str, torch.Tensor]:
    """All weights, by the names of a member's file; `by` makes another member of them."""
    encoder = {f"encoder.{name}": value * by for name, value in run.base.model.state_dict().items()}
    return encoder | {
        f"head.{name}": value.detach().clone() * by for name, value in run.trainer.heads.named_parameters()
    }


@pytest.mark.parametrize("name", list(KINDS))
def test_members_that_agree_predict_what_each_does(tmp_path: Path, name: str) -> None:
    run = begun(tmp_path, name)
    with torch.no_grad():  # so that there is something to tell apart
        for value in run.trainer.heads.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(1)))
    alone = run.evaluate("test")[name].values
    own = weights_of(run)
    assert _together(run, [own, own])[name] == pytest.approx(alone, abs=1e-5)
    _put(run, _mean([own, own]))
    assert run.evaluate("test")[name].values == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("method", ["top-layers", "frozen"])
def test_the_cosine_of_an_ensemble_is_the_mean_of_the_cosines(tmp_path: Path, method: str) -> None:
    run = begun(tmp_path, "matching", method)
    task: Any = run.tasks[0]
    first, second = weights_of(run), weights_of(run, 1.3)
    cosines = []
    for each in (first, second):
        _put(run, each)
        cosines.append(task.scores(run.model, run.head("matching"), "test"))
    assert np.abs(cosines[0] - cosines[1]).max() > 1e-3
    encoders = [{k.removeprefix("encoder."): v for k, v in each.items() if k.startswith("encoder.")}
                for each in (first, second)]  # fmt: skip
    heads = _Heads([run.head("matching"), run.head("matching")], vectors=True)
    together = task.scores(_Ensemble(run.model, encoders), heads, "test")
    assert together == pytest.approx(np.mean(cosines, axis=0), abs=1e-5)


def test_the_mean_of_weights(tmp_path: Path) -> None:
    found = _mean([{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 6.0])}])
    assert found["a"].tolist() == [2.0, 4.0]
