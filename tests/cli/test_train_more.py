"""Search, cross-validation, several seeds, pseudo-labels and sheets to be filled in, from the command line."""

import csv
import json
import tomllib
from pathlib import Path

import pytest
from filelock import FileLock

from lingsou.training.neural.methods.attach import LEARNING_RATES
from lingsou.training.recipe import Recipe, read_recipe
from tests.chat_service import chat_service

from .conftest import Run
from .recipes import write_pairs, write_recipe

QUICK = ("--set", "train.epochs=1")


@pytest.fixture
def recipe(tmp_path: Path, base: Path) -> Path:
    write_pairs(tmp_path / "pairs.csv", range(24))
    return write_recipe(tmp_path / "tiny.toml", base)


def test_a_search_ends_in_a_recipe_that_can_be_trained(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    here = ("--out", tmp_path / "search", "--data", tmp_path / "none")
    command = ("train", "search", recipe, *QUICK, *here, "--vary", "method.rank=4,8")
    done = lingsou_here(*command, "--trials", 2, "--json").json
    metrics = [each["metric"] for each in done["trials"]]
    assert done["metric"] == max(metrics)
    best = Path(done["recipe"])
    found = read_recipe(best)
    assert (found.name, found.train.epochs) == ("tiny", 1)
    assert found.method.rank == done["trials"][metrics.index(max(metrics))]["values"]["method.rank"]
    assert not (tmp_path / "search" / "trials").exists(), "checkpoints of trials are not kept"
    plan = lingsou_here("train", best, "--files", tmp_path, "--plan", "--out", tmp_path / "run", "--data", "no").out
    assert "steps on" in plan

    told = lingsou_here(*command, "--trials", 2)  # nothing is left to try
    assert [f"{each:.4f}" in told.out for each in metrics] == [True, True]
    with FileLock(tmp_path / "search" / "search.lock"):
        refused = lingsou_here(*command, "--trials", 3, code=2)
    assert "Another search runs" in refused.err
    assert "cure:" in refused.err


def test_a_search_begins_with_the_rate_that_the_method_would_have(
    tmp_path: Path, base: Path, lingsou_here: Run
) -> None:
    write_pairs(tmp_path / "pairs.csv", range(24))
    recipe = write_recipe(tmp_path / "tiny.toml", base, learning_rate=None)
    here = ("--out", tmp_path / "search", "--data", tmp_path / "none", "--trials", 1, "--json")
    done = lingsou_here("train", "search", recipe, *QUICK, *here, "--vary", "train.learning_rate=1e-5..1e-2").json
    [first] = done["trials"]
    assert first["values"] == {"train.learning_rate": pytest.approx(LEARNING_RATES["lora"])}


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ("method.rank", "has no values"),
        ("train.schedule=linear..cosine", "no range of numbers"),
        ("train.learning_rat=1e-5..1e-3", "does not fit"),
        ("tasks.main.data.limit=10,20", "on the same rows"),
    ],
)
def test_what_cannot_be_varied(vary: str, says: str, tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    here = ("--out", tmp_path / "search", "--data", tmp_path / "none")
    failed = lingsou_here("train", "search", recipe, "--vary", vary, *here, code=2)
    assert says in failed.err
    assert "cure:" in failed.err


def test_every_query_is_measured_once_and_done_folds_are_kept(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    out = tmp_path / "folds"
    command = ("train", "cross-validate", recipe, *QUICK, "--folds", 3, "--out", out, "--data", tmp_path / "none")
    whole = lingsou_here(*command, "--json").json
    found = whole["values"]["main"]["ndcg@10"]
    assert len(found["folds"]) == 3
    assert found["mean"] == pytest.approx(sum(found["folds"]) / 3)
    assert whole["rows"] == {"main": 96}
    assert whole["metrics"] == {"main": "ndcg@10"}
    (out / "fold-1.json").unlink()  # as if it had been killed there
    first = (out / "fold-0.json").stat().st_mtime_ns
    assert lingsou_here(*command, "--json").json == whole
    assert (out / "fold-0.json").stat().st_mtime_ns == first
    shown = lingsou_here(*command).out
    assert f"{found['mean']:.4f}" in shown
    assert "had not seen it" in shown
    other = lingsou_here(*command, "--set", "method.rank=2", code=2)
    assert "--restart" in other.err


def test_seeds_become_one_model(tmp_path: Path, recipe: Path, lingsou_here: Run) -> None:
    command = ("train", recipe, *QUICK, "--seeds", 2, "--out", tmp_path / "run", "--data", tmp_path / "none")
    done = lingsou_here(*command, "--json").json
    seeds = done["seeds"]
    assert set(seeds["members"]) == {"0", "1"}
    assert set(seeds["kept"]) <= {0, 1}
    assert seeds["delivered"] in done["served"]
    assert set(seeds["ensemble"]["main"]) == set(done["test"]["main"])
    assert 0 < seeds["ensemble"]["main"]["ndcg@10"] <= 1
    assert (Path(done["artefact"]) / "model.onnx").is_file()
    manifest = json.loads((Path(done["artefact"]) / "manifest.json").read_text("utf-8"))
    assert Recipe.model_validate(tomllib.loads(manifest["recipe"])).train.epochs == 1, "what --set changed is kept"
    report = json.loads(Path(done["report"]).with_suffix(".json").read_text("utf-8"))
    assert 0 < report["trainable"] < report["total"]
    again = lingsou_here(*command).out  # the members are there
    assert "mean prediction" in again
    failed = lingsou_here(*command, "--set", "method.name=adapter", "--restart", code=2)
    assert "cannot be averaged" in failed.err


def write_labels(path: Path, rows: range, label: bool = True) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("review", "mood") if label else ("review",))
        for number in rows:
            mood = ("good", "bad")[number % 2]
            table.writerow((f"{mood} phone {number}", mood) if label else (f"{mood} phone {number}",))


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_pile_of_texts_becomes_rows_to_learn_from(tmp_path: Path, base: Path, lingsou_here: Run) -> None:
    write_labels(tmp_path / "own.csv", range(40))
    write_labels(tmp_path / "pile.csv", range(30, 80), label=False)
    recipe = write_recipe(tmp_path / "tiny.toml", base, "classes", epochs=12, batch=4)
    columns = 'data = { format = "labels", path = "own.csv", columns = { text = "review", label = "mood" }'
    text = recipe.read_text("utf-8")
    recipe.write_text(text.replace('data = { format = "pairs", path = "pairs.csv"', columns), encoding="utf-8")
    here = ("--data", tmp_path / "none")
    done = lingsou_here("train", recipe, "--out", tmp_path / "run", *here, "--json").json
    assert done["test"]["main"]["accuracy"] == 1
    model = ("--model", done["artefact"], *here)

    pile, sheet, pseudo = (tmp_path / name for name in ("pile.csv", "sheet.csv", "pseudo.csv"))
    told = lingsou_here(
        "train", "to-label", pile, sheet, *model, "--count", 6, "--without", tmp_path / "own.csv", "--json"
    )
    assert (told.json["rows"], told.json["of"], told.json["passed_over"]) == (6, 40, 10)
    rows = read_rows(sheet)
    assert set(rows[0]) == {"review", "mood", "guess", "confidence"}
    assert all(row["mood"] == "" and row["guess"] in row["review"] for row in rows)
    sure = [float(row["confidence"]) for row in rows]
    assert sure == sorted(sure), "the least certain first"

    line = ("--confidence", 0.6, "--most", 12, "--without", sheet)
    told = lingsou_here("train", "pseudo-label", pile, pseudo, *model, *line, "--json")
    assert told.json["classes"] == {"bad": 12, "good": 12}
    assert told.json["taken"] + told.json["unsure"] + told.json["alike"] + told.json["beyond_most"] == 44
    assert all(row["mood"] in row["review"] for row in read_rows(pseudo))
    (tmp_path / "praise.txt").write_text("good phone 3\ngood phone 5\n", encoding="utf-8")
    told = lingsou_here("train", "pseudo-label", tmp_path / "praise.txt", tmp_path / "praise.csv", *model)
    assert "none taken of: bad" in told.err
    assert "exists" in lingsou_here("train", "pseudo-label", pile, pseudo, *model, code=2).err

    sheet.write_text(sheet.read_text("utf-8-sig").replace(",,good", ",good,good"), encoding="utf-8")  # half of it
    recipe.write_text(
        recipe.read_text("utf-8").replace(columns, f'{columns}, train_paths = ["sheet.csv", "pseudo.csv"]')
    )
    plan = lingsou_here("train", recipe, "--plan", "--out", tmp_path / "more", *here, "--json").json
    card = plan["cards"]["main"]
    filled = sum(row["guess"] == "good" for row in rows)
    assert card["rejected"] == {"there is no label": 6 - filled}
    assert card["rows"] == 40 + filled + 24

    failed = lingsou_here("train", "to-label", pile, tmp_path / "x.csv", *model, "--head", "colour", code=2)
    assert "--head main" in failed.err
    failed = lingsou_here("train", "to-label", pile, tmp_path / "x.csv", *here, code=2)
    assert "No encoder of the shop is candidate" in failed.err


def test_queries_go_there_and_back_through_the_shop_s_language_model(
    tmp_path: Path, recipe: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    translated = ("--set", "train.augment.translation=0.5", "--plan")
    lingsou_here("init", "--data", shop := tmp_path / "shop")
    with chat_service() as server:
        server.say(lambda instruction, text: f"{text} 的")
        monkeypatch.setenv("LINGSOU_LLM__URL", str(server.settings.url))
        monkeypatch.setenv("LINGSOU_LLM__MODEL", "small")
        for _ in range(2):
            lingsou_here("train", recipe, *QUICK, *translated, "--data", shop)
            asked = len(server.asked)
        assert 0 < asked == 2 * len((shop / "training" / "translations.jsonl").read_text("utf-8").splitlines())
    refused = lingsou_here("train", recipe, *QUICK, *translated, "--data", tmp_path / "none", "--out", tmp_path, code=2)
    assert "needs an LLM" in refused.err
