"""An artefact in the place of the trained weights: its own figures, whatever was measured before it."""

from pathlib import Path

import pytest
from torch import nn

from lingsou.core.manifests import ModelManifest
from lingsou.encoders.graph import SENTENCE
from lingsou.training.neural.export import export_encoder
from lingsou.training.neural.served import Served
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import DataSpec, TaskSpec

from .shops import pair_splits


def test_each_artefact_is_measured_by_itself(tiny_model: TextModel, tmp_path: Path) -> None:
    spec = TaskSpec(kind="matching", data=DataSpec(format="pairs"), max_tokens=32)
    task = MatchingTask("main", spec, pair_splits(), tiny_model)
    scores = {}
    for precision in ("fp32", "int8"):
        about = ModelManifest(task="")
        export_encoder(tiny_model, [], tmp_path / precision, name="tiny", about=about, precision=precision)
        scores[precision] = task.scores(Served(tiny_model, tmp_path / precision, SENTENCE), nn.Identity(), "test")
    trained = task.scores(tiny_model, nn.Identity(), "test")
    assert scores["fp32"] == pytest.approx(trained, abs=1e-4)
    assert scores["int8"] == pytest.approx(trained, abs=0.05)
    assert abs(scores["int8"] - scores["fp32"]).max() > 1e-4, "int8 is not what was computed for fp32"
