"""`lingsou models` on the shop's own models: what is told, what is changed, and what is refused with its cure."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import ModelStore

from .conftest import Run

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def put(store: ModelStore, number: int, value: float, zh: float = 0.5, data: str = "a", recipe: str = "") -> str:
    figures = Measurement(
        data=data * 64,
        rows=1_200,
        values={"ndcg@10": value, "log-loss": 1 - value},
        slices={"zh": {"ndcg@10": zh}},
    )
    manifest = ModelManifest(task=store.task, method="by hand", measurements={"held [out]": figures}, recipe=recipe)

    def write(folder: Path) -> None:
        (folder / "model.txt").write_text(f"model {number}")

    return store.add(write, manifest, NOW + timedelta(minutes=number))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path / "shop"


@pytest.fixture
def store(shop: Path) -> ModelStore:
    return ModelStore(shop / "models" / "ranker")


def test_from_candidate_to_production_and_back(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    first, second = put(store, 1, 0.5), put(store, 2, 0.6)
    done = lingsou_here("models", "promote", "ranker", first, "--data", shop)
    assert done.out == f"ranker in production: {first}\n"
    assert "index.poll_ms" in done.err
    assert lingsou_here("models", "promote", "ranker", "--margin", "0.1", "--data", shop, "--json").json == {
        "task": "ranker",
        "production": second,
        "candidate": None,
        "history": [first],
    }
    assert lingsou_here("models", "rollback", "ranker", "--data", shop, "--json").json["production"] == first
    assert "in production: none" in lingsou_here("models", "withdraw", "ranker", "--data", shop).out
    assert store.alias("production") is None


def test_the_gate_refuses_with_every_reason(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    store.promote(put(store, 1, 0.6, zh=0.5))
    worse = put(store, 2, 0.65, zh=0.3)
    command = ("models", "promote", "ranker", "--data", shop)
    refused = lingsou_here(*command, "--margin", "0.1", code=2)
    assert "ndcg@10 on 'held [out]' is 0.6500 against production's 0.6000: not +0.1" in refused.err
    assert "the slice 'zh' of 'held [out]' is 0.3000" in refused.err
    assert "--force" in refused.err
    lingsou_here(*command, code=2)
    assert "no metric 'map'" in lingsou_here(*command, "--metric", "map", code=2).err
    assert "not measured on 'clicks'" in lingsou_here(*command, "--test-set", "clicks", code=2).err
    lingsou_here(*command, "--slice-margin", "0.2", "--margin", "0.05")
    assert store.alias("production") == worse
    other = put(store, 3, 0.9, data="b")
    assert "was measured on other data" in lingsou_here(*command, code=2).err
    lingsou_here(*command, "--force")
    assert store.alias("production") == other


def test_the_gate_is_that_of_the_recipe(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    store.promote(put(store, 1, 0.60, zh=0.50))
    command = ("models", "promote", "ranker", "--data", shop)
    put(store, 2, 0.58, zh=0.47, recipe='name = "small"\n[gate]\nmargin = -0.01\n')
    refused = lingsou_here(*command, code=2)
    assert "not -0.01" in refused.err
    assert "slice" not in refused.err, "a recipe allows 0.05"
    small = put(store, 3, 0.59, zh=0.47, recipe='name = "small"\n[gate]\nmargin = -0.01\n')
    assert "not +0.1" in lingsou_here(*command, "--margin", "0.1", code=2).err
    lingsou_here(*command)
    assert store.alias("production") == small
    put(store, 4, 0.9, recipe="not [a recipe")
    assert "cannot be read" in lingsou_here(*command, code=2).err
    lingsou_here(*command, "--force")


def test_versions_are_listed_with_their_figures(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    assert "lingsou train" in lingsou_here("models", "versions", "--data", shop).out
    first, second, third = put(store, 1, 0.5), put(store, 2, 0.6), put(store, 3, 0.7)
    store.promote(first)
    other = put(ModelStore(shop / "models" / "reranker"), 4, 0.9)
    (store.path(second) / "manifest.json").write_text("{")
    listed = lingsou_here("models", "versions", "--data", shop).out.splitlines()
    assert [line.split()[1] for line in listed[1:]] == [first, second, third, other]
    assert "production" in listed[1]
    assert "held [out] (1,200): ndcg@10 0.5000, log-loss 0.5000" in listed[1]
    assert "cannot be read" in listed[2]
    rows = lingsou_here("models", "versions", "ranker", "--data", shop, "--json").json["versions"]
    assert [(row["version"], row["role"]) for row in rows] == [
        (first, "production"),
        (second, ""),
        (third, "candidate"),
    ]
    assert rows[0]["manifest"]["measurements"]["held [out]"]["rows"] == 1_200
    assert rows[1]["manifest"] is None


def test_two_versions_side_by_side(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    first, second = put(store, 1, 0.5), put(store, 2, 0.6, zh=0.25)
    store.promote(first)
    command = ("models", "compare", "ranker", "production", "candidate", "--data", shop)
    shown = lingsou_here(*command).out.splitlines()
    assert shown[0].split()[4:6] == [first, second]
    assert shown[1].split()[-4:] == ["ndcg@10", "0.5000", "0.6000", "+0.1000"]
    assert shown[2].split()[-4:] == ["log-loss", "0.5000", "0.4000", "-0.1000"], "lower is better"
    assert shown[3].split()[-3:] == ["0.2500", "-0.2500", "worse"]
    found = lingsou_here(*command, "--json").json
    assert (found["a"], found["b"], len(found["figures"])) == (first, second, 3)
    third = put(store, 3, 0.6, data="b")
    assert "other data" in lingsou_here("models", "compare", "ranker", second, third, "--data", shop).out


def test_a_version_is_copied_out(shop: Path, store: ModelStore, tmp_path: Path, lingsou_here: Run) -> None:
    first, second = put(store, 1, 0.5), put(store, 2, 0.6)
    lingsou_here("models", "export", "ranker", tmp_path / "b", "--data", shop)
    done = lingsou_here("models", "export", "ranker", first, tmp_path / "a", "--data", shop, "--json").json
    assert done == {"version": first, "folder": str(tmp_path / "a")}
    assert [(tmp_path / name / "model.txt").read_text() for name in "ab"] == ["model 1", "model 2"]
    assert (tmp_path / "b" / "manifest.json").read_bytes() == (store.path(second) / "manifest.json").read_bytes()
    assert "exists" in lingsou_here("models", "export", "ranker", tmp_path / "a", "--data", shop, code=2).err
    assert "Too many" in lingsou_here("models", "export", "ranker", "a", "b", "c", "--data", shop, code=2).err


def test_old_versions_go(shop: Path, store: ModelStore, lingsou_here: Run) -> None:
    versions = [put(store, number, 0.5) for number in range(4)]
    store.promote(versions[0])
    removed = lingsou_here("models", "collect", "ranker", "--keep", "2", "--data", shop, "--json").json["removed"]
    assert removed == [versions[1]]
    assert "nothing" in lingsou_here("models", "collect", "ranker", "--data", shop).out
    assert store.versions() == [versions[0], *versions[2:]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("promote", "rank"), "Have: ranker"),
        (("promote", "../ranker"), "Have: ranker"),
        (("promote", "ranker", "20260131T120000-00000000"), "There is no version"),
        (("promote", "ranker", "../ranker"), "There is no version"),
        (("compare", "ranker", "production", "candidate"), "has no production"),
        (("rollback", "ranker"), "lingsou models withdraw ranker"),
        (("promote", "ranker", "--slice-margin", "-1"), "--slice-margin"),
    ],
)
def test_what_is_wrong_is_told(
    shop: Path, store: ModelStore, lingsou_here: Run, arguments: tuple[str, ...], told: str
) -> None:
    put(store, 1, 0.5)
    assert told in lingsou_here("models", *arguments, "--data", shop, code=2).err
    assert store.alias("production") is None


def test_after_another_encoder_the_index_has_to_be_built(shop: Path, lingsou_here: Run) -> None:
    put(ModelStore(shop / "models" / "encoder"), 1, 0.5)
    assert "lingsou index --rebuild" in lingsou_here("models", "promote", "encoder", "--data", shop).err
