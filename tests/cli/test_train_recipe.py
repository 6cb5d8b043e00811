"""`lingsou train RECIPE` from data to production, with a random encoder of two layers in the place of e5-small."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from lingsou.cli.recipe_verb import _measure_production
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import ModelStore
from lingsou.encoders.manifest import EncoderManifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.ranking.cross_encoder import OnnxCrossEncoder

from .conftest import Run
from .recipes import write_pairs, write_recipe


@pytest.fixture
def recipe(tmp_path: Path, base: Path) -> Path:
    write_pairs(tmp_path / "pairs.csv", range(40))
    return write_recipe(tmp_path / "tiny.toml", base)


def test_from_pairs_to_an_encoder_in_production_and_on(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    shop = tmp_path / "shop"
    lingsou_here("init", "--data", shop)
    plan = lingsou_here("train", recipe, "--plan", "--data", shop, "--json").json["plan"]
    assert plan["steps"] > 0
    assert plan["trainable"] < plan["total"]
    assert not ModelStore(shop / "models" / "encoder").versions()

    done = lingsou_here("train", recipe, "--promote", "--data", shop, "--json").json
    assert done["test"]["main"]["ndcg@10"] > done["before"]["main"]["ndcg@10"]
    store = ModelStore(shop / "models" / "encoder")
    assert store.alias("production") == done["version"]
    encoder = OnnxEncoder.open(store.path(done["version"]))
    red, shoe, dress = encoder.encode_queries(["red shoe 9"]), *encoder.encode_documents(["red shoe", "blue dress"])
    assert float(red[0] @ shoe) > float(red[0] @ dress)
    manifest = store.about(done["version"])
    assert manifest.measurements["main"].values["ndcg@10"] > 0
    assert 'name = "tiny"' in manifest.recipe
    folder = shop / "training" / "tiny"
    assert "tiny" in (folder / "report.html").read_text("utf-8")
    assert json.loads((folder / "cards" / "main.json").read_text("utf-8"))["rows"] == 160

    kept = {"cards/main.json", "data/main.jsonl.gz", "weights.safetensors"}
    assert kept < set(manifest.files), "in the version, beside what is served"
    card = json.loads((store.path(done["version"]) / "cards" / "main.json").read_text("utf-8"))
    assert card["parts"]["train"]["sha256"] == manifest.data["main"]

    write_pairs(tmp_path / "pairs.csv", range(40, 80))  # in the place of production's rows; they teach the contrary
    head, *lines = (tmp_path / "pairs.csv").read_text("utf-8").splitlines()
    turned = [f"{line[:-1]}{2 - int(line[-1])}" for line in lines]
    (tmp_path / "pairs.csv").write_text("\n".join([head, *turned]), encoding="utf-8")
    command = ("train", recipe, "--from", "production", "--out", tmp_path / "more", "--data", shop, "--json")
    rows = [lingsou_here(*command, "--plan", "--replay", share).json["plan"]["rows"]["main"] for share in (0, 0.5)]
    assert rows[1] == round(1.5 * rows[0]), "old rows beside the new"
    again = lingsou_here(*command).json
    assert store.about(again["version"]).parent == done["version"]
    old = again["old_test"]["main"]
    assert old["before"] == pytest.approx(done["test"]["main"]["ndcg@10"], abs=0.005), "what production was measured at"
    assert again["before"]["main"]["ndcg@10"] < old["before"] - 0.1, "the new test part says the contrary"
    assert old["after"] < old["before"], "which is forgotten"
    assert store.alias("candidate") == again["version"]
    measured = [store.about(version).measurements["main"] for version in (done["version"], again["version"])]
    assert measured[0].data == measured[1].data, "production was measured on the new rows, so that the gate compares"
    assert measured[0].values["ndcg@10"] == pytest.approx(again["before"]["main"]["ndcg@10"], abs=0.02)

    older = tmp_path / "older"
    shutil.copytree(store.path(done["version"]), older, ignore=shutil.ignore_patterns("data"))
    version = store.add(older, store.manifest(done["version"], EncoderManifest), datetime.now(UTC))
    plan = lingsou_here(*command, "--from", version, "--plan", "--replay", "0.5")
    assert f"{version} keeps no data of main: none of it is replayed" in plan.err
    assert plan.json["plan"]["rows"]["main"] == rows[0]


@pytest.mark.parametrize("damaged", [False, True])
def test_what_production_cannot_be_asked_is_told(
    damaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lingsou.training.neural.measured.measure_again", lambda *_: {})
    store = ModelStore(tmp_path / "encoder")
    told = Measurement(data="a" * 64, rows=1, values={"accuracy": 0.5})
    manifest = ModelManifest(task="encoder", measurements={"words": told})
    version = store.add(lambda folder: (folder / "model").touch(), manifest, datetime.now(UTC))
    if damaged:
        (store.path(version) / "model").unlink()
    card = SimpleNamespace(parts={"test": SimpleNamespace(sha256="b" * 64)})
    run = SimpleNamespace(
        tasks=[SimpleNamespace(name="words"), SimpleNamespace(name="new")], cards=dict.fromkeys(("words", "new"), card)
    )
    _measure_production(run, store, version)
    said = " ".join(capfd.readouterr().err.split())
    assert "not measured on the new test rows of words: " in said
    assert ("cannot be read" if damaged else "it keeps no such head") in said
    assert "lingsou models promote encoder --force" in said
    assert store.about(version).measurements == {"words": told}


def test_a_cross_encoder_goes_to_its_own_store(tmp_path: Path, base: Path, recipe: Path, lingsou_here: Run) -> None:
    shop = tmp_path / "shop"
    lingsou_here("init", "--data", shop)
    told = write_recipe(recipe, base, "relevance", epochs=2)
    done = lingsou_here("train", told, "--promote", "--data", shop, "--json").json
    folder = ModelStore(shop / "models" / "reranker").path(done["version"])
    scores = OnnxCrossEncoder.open(folder).score("red shoe", ["red shoe", "blue dress"], float("inf"))
    assert scores is not None
    assert len(scores) == 2


def test_it_works_without_a_shop(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    out = tmp_path / "run"
    done = lingsou_here("train", recipe, "--out", out, "--set", "train.epochs=1", "--data", tmp_path / "none", "--json")
    assert (Path(done.json["artefact"]) / "model.onnx").is_file()
    assert "version" not in done.json
    ended = lingsou_here("train", recipe, "--data", tmp_path / "none", code=2)
    assert "--out FOLDER" in ended.err


def test_a_finished_run_is_out_of_the_way_and_restart_forgets_runs_alone(
    tmp_path: Path, recipe: Path, lingsou_here: Run
) -> None:
    out = tmp_path / "run"
    here = ("train", recipe, "--out", out, "--data", tmp_path / "no", "--set", "train.checkpoint_minutes=0.000001")
    lingsou_here(*here)
    lingsou_here(*here, "--set", "train.epochs=2")
    assert not (out / "checkpoint").exists()
    (out / "checkpoint").mkdir()
    (out / "checkpoint" / "state.json").write_text("{")
    (out / "notes.txt").write_text("mine")
    assert "--restart" in lingsou_here(*here, code=2).err
    lingsou_here(*here, "--restart", "--plan")
    assert (out / "checkpoint").exists()
    lingsou_here(*here, "--restart")
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("query,text,grade\n", "pairs.csv"),
        ("query,text,grade\n" + "red shoe,red shoe,1\n" * 50, "rows are the same"),
        ("query,text,grade\n" + "".join(f"red {n},shoe {n},nan\n" for n in range(50)), "grade"),
    ],
)
def test_bad_data_is_said_before_anything_runs(
    tmp_path: Path, recipe: Path, content: str, says: str, lingsou_here: Run
) -> None:
    (tmp_path / "pairs.csv").write_text(content, encoding="utf-8")
    ended = lingsou_here("train", recipe, "--out", tmp_path / "run", "--data", tmp_path / "none", code=2)
    assert says in ended.err
    assert "cure" in ended.err


def test_a_base_that_is_not_there_and_an_unknown_recipe(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    ended = lingsou_here(
        "train", recipe, "--set", "base=./no-such", "--out", tmp_path / "run", "--data", tmp_path / "none", code=2
    )
    assert "There is no base model './no-such'" in ended.err
    ended = lingsou_here("train", "serch-matching", "--data", tmp_path / "none", code=2)
    assert "search-matching" in ended.err


def test_the_recipes_that_come_along_are_listed(lingsou_here: Run) -> None:
    found = lingsou_here("train", "recipes", "--json").json["recipes"]
    assert {"search-matching", "search-relevance", "entities", "multi-task"} <= set(found)
