"""Going on from a version: the very encoder that it was, and of its data what it kept."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lingsou.core.errors import ConfigurationError, InputError, StorageError
from lingsou.core.manifests import ModelManifest
from lingsou.core.model_store import ModelStore
from lingsou.training.data.content import contents
from lingsou.training.data.earlier import Earlier
from lingsou.training.examples import HistorySet, PairSet, Splits
from lingsou.training.neural.compression import drop_layers
from lingsou.training.neural.continual import WEIGHTS, open_parent, with_replay, write_weights
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import Recipe

from .conftest import make_tiny_base

RECIPE = Recipe.model_validate({"name": "tiny", "tasks": {"main": {"kind": "matching", "data": {"format": "log"}}}})
TOLD = 'name = "tiny"\nbase = "another"\n[tasks.main]\nkind = "matching"\ndata = { format = "log" }\n'


@pytest.fixture(autouse=True)
def bases(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = {"tiny": 0, "another": 1}
    monkeypatch.setattr("lingsou.training.neural.continual.open_base", lambda name: make_tiny_base(seeds[name]))


def stored(models: Path, folder: Path, parent: str | None = None) -> str:
    store = ModelStore(models / "encoder")
    return store.add(folder, ModelManifest(task="encoder", recipe=TOLD, parent=parent), datetime.now(UTC))


def trained(folder: Path) -> TextModel:
    """One layer of a base that is not the recipe's, for it went on from another version."""
    model = TextModel(drop_layers(make_tiny_base(), 1))
    with torch.no_grad():
        model.base.model.get_parameter("encoder.layer.0.output.dense.weight").add_(0.5)
    folder.mkdir()
    write_weights(folder, model, nn.ModuleDict({"main": nn.Linear(2, 1)}), "tiny")
    return model


def test_it_opens_with_the_base_and_the_layers_that_it_had(tmp_path: Path) -> None:
    model = trained(tmp_path / "made")
    assert len(load_file(tmp_path / "made" / WEIGHTS)) == 3, "one matrix and the head's two"
    parent = open_parent(RECIPE, stored(tmp_path, tmp_path / "made", parent="the first"), tmp_path)
    assert parent.reference == "tiny"
    own, found = model.base.model.state_dict(), parent.base.model.state_dict()
    assert found.keys() == own.keys()
    assert all(torch.equal(found[name], own[name]) for name in own)
    assert set(parent.heads) == {"main.weight", "main.bias"}


def test_what_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path / "made")
    version = stored(tmp_path, tmp_path / "made")
    begun = make_tiny_base()
    begun.model.add_module("extra", nn.Linear(1, 1))  # the folder of the base holds another model by now
    monkeypatch.setattr("lingsou.training.neural.continual.open_base", lambda _: begun)
    with pytest.raises(StorageError, match="do not fit its base 'tiny'"):
        open_parent(RECIPE, version, tmp_path)


def test_older_weights_tell_no_base(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    weight = make_tiny_base(1).model.state_dict()["embeddings.LayerNorm.weight"] + 1
    save_file({"encoder.embeddings.LayerNorm.weight": weight}, tmp_path / "made" / WEIGHTS)
    parent = open_parent(RECIPE, stored(tmp_path, tmp_path / "made"), tmp_path)
    assert parent.reference == "another"
    assert torch.equal(parent.base.model.state_dict()["embeddings.LayerNorm.weight"], weight)
    with pytest.raises(ConfigurationError, match="does not say by which base"):
        open_parent(RECIPE, stored(tmp_path, tmp_path / "made", parent="the first"), tmp_path)


def pairs(*queries: str) -> PairSet:
    return PairSet.of([(query, text, 1.0) for query in queries for text in ("red shoe", "blue dress")])


def test_old_rows_are_replayed_and_those_measured_by_stay_out() -> None:
    new = Splits(pairs("a", "b", "c", "d"), pairs("e"), pairs("f"))
    old = Earlier(pairs("e", "f", "g", "h"), pairs("B", "x"))
    found = with_replay(new, old, 0.0, seed=0)
    assert sorted(set(found.train.keys())) == ["a", "c", "d"], "without replay too"
    found = with_replay(new, old, 0.5, seed=0)
    assert len(found.train) == 6 + 3
    assert set(found.train.keys()) == {"a", "c", "d", "g", "h"}
    assert set(with_replay(new, old, 1.0, seed=0).train.keys()) == {"a", "c", "d", "g", "h"}, "no more than there are"
    assert (found.validation, found.test) == (new.validation, new.test)
    with pytest.raises(InputError, match="All 2 rows"):
        with_replay(Splits(pairs("b"), new.validation, new.test), old, 0.5, seed=0)


def test_histories_are_told_apart_by_what_was_met() -> None:
    def met(*rows: tuple[int, ...], shoppers: str = "abcd") -> HistorySet:
        return HistorySet(("shoe", "dress", "case"), rows, tuple(shoppers[: len(rows)]), np.zeros(len(rows)))

    new = Splits(met((0, 1), (1, 2)), met((2, 0)), met((2, 1)))
    old = Earlier(met((2, 1), (0, 2), shoppers="xy"), met((1, 2), shoppers="z"))
    found = with_replay(new, old, 1.0, seed=0)
    assert [row[1] for row in contents(found.train)] == [["shoe", "dress"], ["shoe", "case"]]
