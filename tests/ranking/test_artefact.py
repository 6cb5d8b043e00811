"""The stored ranker: read back as written, switched at once, and refused when damaged."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.manifests import Measurement
from lingsou.core.model_store import ModelStore
from lingsou.ranking.artefact import current, install, load
from lingsou.ranking.lambdamart import LambdaMart, train
from lingsou.ranking.ranker import Ranker

from .test_lambdamart import MONOTONE, judged

NAMES = ("stock", "rating", "title-coverage", "age")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIGURES = {"judgements": Measurement(data="1" * 64, rows=20, values={"ndcg@10": 0.8})}


@pytest.fixture(scope="module")
def model() -> LambdaMart:
    return train(judged(20), NAMES, MONOTONE)


def put(root: Path, model: LambdaMart, when: datetime = NOW) -> str:
    return install(root, model, created=when, measurements=FIGURES, report={"gain": 0.1}, data={"judgements": "0" * 64})


def test_it_scores_the_same_after_reading(tmp_path: Path, model: LambdaMart) -> None:
    version = put(tmp_path, model)
    assert current(tmp_path) == version
    found = load(tmp_path, version)
    rows = np.random.default_rng(1).random((30, 4))
    assert found.model.adjustments(rows).tolist() == model.adjustments(rows).tolist()
    assert found.manifest.features == NAMES
    assert found.manifest.report == {"gain": 0.1}
    assert found.manifest.measurements == FIGURES
    assert found.manifest.data == {"judgements": "0" * 64}
    assert found.manifest.created == NOW
    assert [each.name for each in Ranker(found.model).features] == list(NAMES)


def test_the_second_takes_over_and_the_first_stays(tmp_path: Path, model: LambdaMart) -> None:
    first = put(tmp_path, model)
    second = put(tmp_path, train(judged(20, seed=9), NAMES, MONOTONE), NOW.replace(day=30))
    assert current(tmp_path) == second != first
    assert load(tmp_path, first).version == first
    assert not list(tmp_path.glob(".*"))
    assert ModelStore(tmp_path).rollback() == first == current(tmp_path)


def test_installing_the_same_again_changes_nothing(tmp_path: Path, model: LambdaMart) -> None:
    assert put(tmp_path, model) == put(tmp_path, model)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_no_ranker_is_none(tmp_path: Path) -> None:
    assert current(tmp_path) is None


@pytest.mark.parametrize("damage", ["changed", "gone", "manifest", "no manifest", "not text", "no version"])
def test_damage_is_noticed(tmp_path: Path, model: LambdaMart, damage: str) -> None:
    version = put(tmp_path, model)
    file, manifest = tmp_path / version / "model-1.txt", tmp_path / version / "manifest.json"
    if damage == "changed":
        file.write_text(file.read_text("utf-8").replace("leaf_value=", "leaf_value=1"), "utf-8")
    elif damage == "gone":
        file.unlink()
    elif damage == "manifest":
        manifest.write_text(manifest.read_text("utf-8")[:100], "utf-8")
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "no version":
        shutil.rmtree(tmp_path / version)
    else:
        file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StorageError, match="lingsou train ranker"):
        load(tmp_path, version)


def test_a_model_that_is_no_model_is_refused(tmp_path: Path) -> None:
    from lingsou.ranking.lambdamart import booster_of

    with pytest.raises(StorageError, match="cannot be read"):
        booster_of("tree\nversion=v4\nnonsense")


def test_a_feature_that_is_not_here_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no feature named 'moon'"):
        Ranker(LambdaMart(("moon",), 1.0, ()))
