"""`lingsou train RECIPE` from data to production, with a random encoder of two layers in the place of e5-small."""

import json
from pathlib import Path

import pytest

from lingsou.core.model_store import ModelStore
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

    write_pairs(tmp_path / "pairs.csv", range(40, 80))  # new events; the recipe of production still knows its own
    again = lingsou_here(
        "train", recipe, "--from", "production", "--out", tmp_path / "more", "--data", shop, "--json"
    ).json
    assert store.about(again["version"]).parent == done["version"]
    assert set(again["old_test"]["main"]) == {"before", "after"}
    assert store.alias("candidate") == again["version"]


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


def test_a_finished_run_of_another_recipe_is_not_gone_on_with(
    tmp_path: Path, base: Path, recipe: Path, lingsou_here: Run
) -> None:
    out = tmp_path / "run"
    lingsou_here("train", recipe, "--out", out, "--set", "train.checkpoint_minutes=0.000001", "--data", tmp_path / "no")
    ended = lingsou_here("train", recipe, "--out", out, "--set", "train.epochs=2", "--data", tmp_path / "no", code=2)
    assert "--restart" in ended.err
    lingsou_here("train", recipe, "--out", out, "--set", "train.epochs=2", "--restart", "--data", tmp_path / "no")


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
