"""Another version's artefact on a run's test parts: asked as it is served, whatever the run is made of."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lingsou.core.manifests import ModelManifest
from lingsou.encoders.manifest import TOKENIZER
from lingsou.training.examples import HistorySet, PairSet, Span, Splits, TagSet
from lingsou.training.neural.compression import prune_vocabulary, rows_to_keep
from lingsou.training.neural.continual import write_weights
from lingsou.training.neural.deliver import _export, calibrate
from lingsou.training.neural.measured import measure_again, measured
from lingsou.training.neural.run import Prepared, assemble
from lingsou.training.recipe import Recipe

from .conftest import make_tiny_base
from .shops import label_splits, pair_splits
from .test_trainer import CPU

TEXTS = ("red shoe", "blue dress", "nike shoe", "red nike dress", "cheap phone", "good case")
TAGGED = TagSet(
    TEXTS, tuple((Span(0, text.index(" "), "FIRST"), Span(text.rindex(" ") + 1, len(text), "LAST")) for text in TEXTS)
)
CLICKED = PairSet.of([(f"{text} {n}", other, float(text[:3] == other[:3])) for n in range(2) for text in TEXTS
                      for other in TEXTS])  # fmt: skip
MET = HistorySet(TEXTS, tuple((n, (n + 1) % 6, (n + 3) % 6) for n in range(6)), tuple("abcdef"), np.arange(6.0))
SEVERAL = Splits(*(replace(part, multiple=True) for part in vars(label_splits()).values()))
TASKS: dict[str, tuple[dict[str, Any], Splits[Any]]] = {
    "matching": ({"kind": "matching", "data": {"format": "pairs"}}, pair_splits()),
    "mood": ({"kind": "classes", "data": {"format": "labels"}}, label_splits()),
    "words": ({"kind": "classes", "characters": True, "data": {"format": "labels"}}, label_splits()),
    "several": ({"kind": "labels", "data": {"format": "labels"}}, SEVERAL),
    "main": ({"kind": "relevance", "data": {"format": "pairs"}}, pair_splits()),
    "tags": ({"kind": "tags", "crf": True, "data": {"format": "tags"}}, Splits(TAGGED, TAGGED, TAGGED)),
    "letters": ({"kind": "tags", "characters": True, "data": {"format": "tags"}}, Splits(TAGGED, TAGGED, TAGGED)),
    "clicks": ({"kind": "click", "data": {"format": "pairs"}}, Splits(CLICKED, CLICKED, CLICKED)),
    "met": ({"kind": "history", "data": {"format": "histories"}}, Splits(MET, MET, MET)),
}


def begun(folder: Path, *names: str, small: bool = False, seed: int = 0) -> Prepared:
    """A run over random weights, heads included; with `small` over a base of other tokens, prefixes and weights."""
    base = make_tiny_base(seed)
    if small:
        # "shoe", "dress" … are no pieces of it: the same text is other ids.
        base = replace(prune_vocabulary(base, rows_to_keep(base, range(10))), query_prefix="", document_prefix="")
    tasks = {name: {"max_tokens": 32, **TASKS[name][0]} for name in names}
    told = {"name": "tiny", "tasks": tasks, "method": {"name": "top-layers", "layers": 1}}
    card: Any = SimpleNamespace(
        parts={"test": SimpleNamespace(sha256="a" * 64), "train": SimpleNamespace(sha256="b" * 64)}
    )
    splits = {name: TASKS[name][1] for name in names}
    run = assemble(Recipe.model_validate(told), base, splits, dict.fromkeys(names, card), CPU, folder / "run")
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for value in run.trainer.heads.parameters():
            value.add_(torch.randn(value.shape, generator=generator))
    return run


def exported(run: Prepared, folder: Path) -> Path:
    calibrate(run)
    _export(run, ModelManifest(task=""), folder, "fp32", "tiny")
    return folder


@pytest.mark.parametrize("small", [False, True])
def test_production_keeps_its_figures_whatever_the_new_model_is_made_of(tmp_path: Path, small: bool) -> None:
    names = ("matching", "mood", "words", "several", "tags", "letters")
    production = begun(tmp_path, *names, seed=3)
    folder = exported(production, tmp_path / "production")
    own = measured(production, folder)
    new = begun(tmp_path / "new", *names, small=small)
    assert (new.base.tokenizer != (folder / TOKENIZER).read_bytes()) is small
    again = measure_again(new, folder)
    assert list(again) == list(names)
    for name in names:
        assert list(again[name].values) == list(own[name].values)
        # characters beside a head are kept in half precision
        near = 1e-3 if name == "words" else 1e-5
        assert again[name].values == pytest.approx(dict(own[name].values), abs=near), name
        assert again[name].slices.keys() == own[name].slices.keys()


def test_a_cross_encoder_is_asked_in_its_own_tokens(tmp_path: Path) -> None:
    production = begun(tmp_path, "main", seed=3)
    folder = exported(production, tmp_path / "production")
    own = dict(measured(production, folder)["main"].values)
    assert measure_again(begun(tmp_path / "new", "main", small=True), folder)["main"].values == pytest.approx(own)


def test_heads_of_two_texts_come_from_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingsou.training.neural.continual.open_base", lambda _: make_tiny_base(3))
    production = begun(tmp_path, "clicks", "met", seed=3)
    folder = exported(production, tmp_path / "production")
    own = measured(production, folder)
    new = begun(tmp_path / "new", "clicks", "met", small=True)
    assert measure_again(new, folder) == {}, "nobody knows the heads"
    write_weights(folder, production.model, production.trainer.heads, "tiny")
    again = measure_again(new, folder)
    for name in ("clicks", "met"):
        assert again[name].values == pytest.approx(dict(own[name].values), abs=1e-5)


def test_a_head_that_it_does_not_have_is_left_out(tmp_path: Path) -> None:
    folder = exported(begun(tmp_path, "mood"), tmp_path / "production")
    assert list(measure_again(begun(tmp_path / "new", "matching", "mood", "tags"), folder)) == ["matching", "mood"]
